//! How often the answers are right, judged by evidence that is not our own.
//!
//! [`calls`] searches the text of a program's [`sources`] for calls that look like allocations → [`draw`] takes some of
//! them → people read the program and write what each allocates into the [`labels`] → [`quotes`] checks that each is still
//! about its line → [`join`] finds what the tool says of the same calls in the [`metadata`] and in a census → [`judge`]
//! compares the two, in the one form that [`kept`] gives both, with the help of the program's [`typedefs`].
//!
//! A second witness are the [`pointers`] in live objects, whose types the compiler has written down. [`report`] prints both.

pub mod calls;
pub mod draw;
pub mod join;
pub mod judge;
pub mod kept;
pub mod labels;
pub mod metadata;
pub mod pointers;
pub mod quotes;
pub mod report;
pub mod sources;
pub mod typedefs;
