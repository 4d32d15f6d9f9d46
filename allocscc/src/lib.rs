//! What `allocscc` and `allocs` are made of.

pub mod graph;
pub mod sites;
