//! What the library and allocscc cost.
fn main() {}
