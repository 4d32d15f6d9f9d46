//! The site table: every call site that allocated, with what is known of it.
//!
//! A block's mark holds a [`SiteIndex`]. The entry behind it is identified by its [`Key`]: the return address; the site
//! that gave the type of the block that a `realloc` took over, since a reallocated block keeps its type unless the new site
//! says otherwise; a type that the program declared for the block; and whether the callee makes strings. So one return
//! address may have several entries, at most one for each other site if nothing is declared.
//!
//! Entries live for ever, also when the file with their code is unloaded. Finding one from a return address is the hot
//! path of `malloc`: [`recent`] is a table of plain sites that the assembly reads; what is not there goes through
//! [`find_or_insert`]. An [`entry`] says what is known, the [`table`] keeps the entries, [`origin`] says what `realloc` and
//! declarations make of a site.
//!
//! A call in a *wrapper*, a function that allocates for its caller, is passed over: the site is the call of the wrapper.
//! [`calls`] remembers which calls these are, [`hop`] is the step from one to the other.

pub mod calls;
pub mod entry;
pub mod hop;
pub mod origin;
pub mod recent;
pub mod table;

use crate::avma::Avma;
use core::ffi::c_void;

pub use entry::{SiteEntry, Totals};
pub use origin::{declared, reallocated};
pub use table::{all, find, find_any, find_or_insert, retire_unloaded, site};

/// Index of an entry of the site table: 31 bits, 0 for "unknown site".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct SiteIndex(pub u32);

impl SiteIndex {
    /// Nobody knows who allocated the block: the table was full, or out of memory.
    pub const UNKNOWN: SiteIndex = SiteIndex(0);
}

/// A type that the program declared; the query side knows what it points to.
pub type DeclaredType = *mut c_void;

/// What identifies an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// The program counter after the call.
    pub return_address: Avma,
    /// The site that gave the type of the block that this site reallocated, or [`SiteIndex::UNKNOWN`] for a fresh block.
    pub origin: SiteIndex,
    /// The type set by `alloc_set_type`, or NULL.
    pub declared: DeclaredType,
    /// Whether the callee was one of `strdup` and friends. A tail call to them has the return address of other tail calls.
    pub is_string: bool,
}

impl Key {
    /// The key of fresh blocks.
    #[must_use]
    pub const fn plain(return_address: Avma) -> Key {
        Key { return_address, origin: SiteIndex::UNKNOWN, declared: core::ptr::null_mut(), is_string: false }
    }

    /// The key of fresh strings.
    #[must_use]
    pub const fn string(return_address: Avma) -> Key {
        Key { is_string: true, ..Key::plain(return_address) }
    }
}
