//! The allocators that a query may come to, one file each.

pub mod malloc;
