//! What `allocscc` and `allocs` are made of.

pub mod graph;
pub mod image;
pub mod sites;
