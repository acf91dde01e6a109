//! The console's files are put into the binary from the folder in `KABAR_WEB_DIR`, when a build sets it.

fn main() {
    println!("cargo::rerun-if-env-changed=KABAR_WEB_DIR");
    println!("cargo::rerun-if-changed=build.rs");
}
