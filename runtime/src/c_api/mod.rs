//! The functions and objects that C programs know, as the headers in `include/` declare them.
//!
//! [`queries`] answer about an address, [`errors`] say why one has no answer, [`allocators`] are the objects that
//! `alloc_get_allocator` gives, [`uniqtypes`] make and name types,
//! [`tree`] and [`refs`] walk over allocations and over what they refer to; [`linkable`] serves what is linked with `-lallocs`.

pub mod allocators;
pub mod errors;
pub mod inner;
mod linkable;
pub mod misc;
pub mod queries;
pub mod refs;
pub mod tree;
pub mod uniqtypes;
