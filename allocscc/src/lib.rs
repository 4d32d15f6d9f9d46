//! What `allocscc` and `allocs` are made of.

pub mod c;
pub mod commands;
pub mod compile;
pub mod driver;
pub mod dwarf;
pub mod emit;
pub mod graph;
pub mod image;
pub mod installation;
mod leb128;
pub mod link;
pub mod sites;
