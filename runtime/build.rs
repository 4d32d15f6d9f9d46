//! Link arguments of the preload library.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Our constructor runs before those of the other files, so that their allocations are indexed too.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,initfirst");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,liballocs_preload.so");
    // Our own functions call each other, whatever file comes first in load order.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    // A symbol that neither we nor the C library have must fail here, not in somebody's process.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
}
