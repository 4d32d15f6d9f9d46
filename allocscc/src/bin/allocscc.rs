//! `allocscc`, a drop-in for `cc` that leaves metadata in what it links.

fn main() {}
