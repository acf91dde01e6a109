//! Registers the API's schema, so that every query in this crate is checked against it at compile time.

fn main() {
    println!("cargo:rerun-if-changed=../api/schema.graphql");
    // Only the browser build has queries; elsewhere the crate is empty and the schema need not be read.
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "wasm32") {
        cynic_codegen::register_schema("kabar")
            .from_sdl_file("../api/schema.graphql")
            .expect("api/schema.graphql is checked in and valid")
            .as_default()
            .expect("the build folder is writable");
    }
}
