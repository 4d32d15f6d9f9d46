//! Small C programs with directives.
fn main() {}
