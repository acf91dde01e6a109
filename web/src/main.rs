//! Kabar's console: the pages people work in, drawn in the browser by Leptos.
//!
//! It talks GraphQL only, typed against `api/schema.graphql`. `api` asks, `state` keeps, `components` are the parts that
//! `pages` are made of, `words` are the texts in both languages. On other targets than the browser it is empty.

#![cfg_attr(
    target_arch = "wasm32",
    expect(
        clippy::needless_pass_by_value,
        reason = "components own what they are given; a reference would end too soon"
    )
)]

#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod pages;
#[cfg(target_arch = "wasm32")]
mod state;
#[cfg(target_arch = "wasm32")]
mod words;

#[cfg(target_arch = "wasm32")]
fn main() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_crash();
    }));
    if let Some(boot) = leptos::prelude::document().get_element_by_id("boot") {
        boot.remove();
    }
    leptos::mount::mount_to_body(app::App);
}

/// After a panic nothing can be drawn any more; the page has a message ready.
#[cfg(target_arch = "wasm32")]
fn show_crash() {
    let crashed = web_sys::window().and_then(|window| window.document()?.get_element_by_id("crashed"));
    if let Some(crashed) = crashed {
        // An attribute that is not there is removed already.
        let _ = crashed.remove_attribute("hidden");
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("The console runs in a browser: cargo xtask console builds it.");
}
