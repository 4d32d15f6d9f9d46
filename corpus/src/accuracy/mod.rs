//! How often the answers are right, judged by evidence that is not our own.
//!
//! [`calls`] searches the text of a program's sources for calls that look like allocations → [`draw`] takes some of them
//! → people read the sources and write what each allocates into the [`labels`].

pub mod calls;
pub mod draw;
pub mod labels;
