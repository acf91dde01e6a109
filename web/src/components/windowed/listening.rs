//! What a list that is on the page listens to: its rows, scrolling, the focus and its size.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, ResizeObserver};

use super::{Windowed, window::Window};

/// Draws a list into an element: the body of a table, or a list.
pub fn windowed(container: Element, list: Windowed) {
    list.owner.clone().with(|| attach(container, list));
}

fn attach(container: Element, list: Windowed) {
    let window = Rc::new(Window::new(container.clone(), &list));
    let on_scroll = {
        let window = window.clone();
        Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let node = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            if node.is_some_and(|node| node.contains(Some(window.container()))) {
                window.scrolled();
            }
        })
    };
    let on_focus = {
        let window = window.clone();
        Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            window.focused(target.as_ref().filter(|_| event.type_() == "focusin"));
        })
    };
    // Drawing within the observer's own callback would make it complain about a loop.
    let on_resize = {
        let window = window.clone();
        Closure::<dyn Fn()>::new(move || {
            let window = window.clone();
            request_animation_frame(move || window.resized());
        })
    };
    let observer = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(&container);
    }
    let _ = leptos::prelude::window().add_event_listener_with_callback_and_bool(
        "scroll",
        on_scroll.as_ref().unchecked_ref(),
        true,
    );
    for name in ["focusin", "focusout"] {
        let _ = container.add_event_listener_with_callback(name, on_focus.as_ref().unchecked_ref());
    }
    StoredValue::new_local(Listening {
        window: window.clone(),
        on_scroll,
        observer,
        _on_focus: on_focus,
        _on_resize: on_resize,
    });
    let keys = list.keys;
    Effect::new(move |_| {
        let keys = keys();
        list.total.track();
        untrack(|| window.show(keys));
    });
}

/// What ends with the page.
struct Listening {
    window: Rc<Window>,
    on_scroll: Closure<dyn Fn(Event)>,
    observer: Option<ResizeObserver>,
    _on_focus: Closure<dyn Fn(Event)>,
    _on_resize: Closure<dyn Fn()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = leptos::prelude::window().remove_event_listener_with_callback_and_bool(
            "scroll",
            self.on_scroll.as_ref().unchecked_ref(),
            true,
        );
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
        self.window.close();
    }
}
