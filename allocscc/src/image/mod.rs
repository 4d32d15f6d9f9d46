//! The linked file: its call instructions, and sections in and out.

pub mod calls;
pub mod literals;
pub mod tail_calls;
