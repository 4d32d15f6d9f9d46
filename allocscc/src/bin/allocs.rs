//! `allocs`, the command-line tool beside allocscc.

fn main() {}
