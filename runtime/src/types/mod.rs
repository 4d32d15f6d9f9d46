//! The unique types of this process.
//!
//! [`uniqtype`] is the layout that C programs see; [`trie`] maps a digest to the one type that has it; [`mod@intern`] makes
//! types from the metadata of a [`mod@file`], [`mod@frame`] those of stack frames, and [`make`] those from other types; [`precise`]
//! fills in array lengths; [`spell`] writes a type as C does. [`named`] finds types by name. [`link_time`] makes
//! the objects that a program has for types those very types; [`offers`] holds them until then.

pub mod file;
pub mod frame;
pub mod intern;
pub mod link_time;
pub mod make;
pub mod named;
pub mod offers;
pub mod precise;
pub mod scratch;
pub mod spell;
#[cfg(test)]
mod tests;
pub mod trie;
pub mod uniqtype;

pub use file::TypedFile;
pub use frame::frame;
pub use intern::intern;
pub use uniqtype::{TypeRef, Uniqtype};
