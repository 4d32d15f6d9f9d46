//! The format of the metadata that `allocscc` writes into a file and the run-time library reads, and nothing else.
//!
//! A file that `allocscc` links carries one section, [`SECTION_NAME`], that is not loaded. It holds, little-endian:
//! a [`Header`], then tables of fixed-size records ([`TypeRecord`], [`RelatedRecord`], [`StaticRecord`],
//! [`FrameRecord`], [`SlotRecord`], [`VlaRecord`], [`AllocaRecord`], [`SiteRecord`], [`HopRecord`], [`StepRecord`], [`WrapperRecord`], [`ConditionRecord`]), then NUL-terminated strings. Records refer to each other by index ([`TypeId`]) and to
//! strings by offset ([`StrRef`]).
//!
//! Reading order: [`layout`] says what the bytes are, [`read`] borrows them without copying and never panics on hostile
//! input, [`frame`] says which variables a frame has at an instruction, [`explain`] has the words for
//! why a site has its type or none, [`digest`] says when two types are one, [`c_names`] says which names
//! C has for its base types, [`link_time`] how a file says which types it names; [`pod`] is the one place that casts bytes to records.
#![no_std]

pub mod c_names;
pub mod digest;
pub mod explain;
pub mod frame;
pub mod layout;
pub mod link_time;
pub mod pod;
pub mod read;

pub use explain::{Reason, StepKind};
pub use frame::FrameLayout;
pub use layout::*;
pub use read::{Error, Metadata};
