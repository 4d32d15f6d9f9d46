//! The calling thread's stack frames, by the rules of `.eh_frame`.
//!
//! [`entry`] captures the registers of whoever called a query. [`walk`] steps from frame to frame by a [`rule::Rule`] for
//! each program counter; [`cache`] remembers rules; [`eh_frame`] finds and interprets them. Only the calling thread's
//! stack is read, bounded by the mapping that it lies in.

pub mod cache;
pub mod eh_frame;
pub mod entry;
pub mod rule;
pub mod walk;

pub use crate::caller::Caller;
