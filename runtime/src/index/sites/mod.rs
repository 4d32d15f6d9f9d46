//! The site table: every call site that allocated, with what is known of it.
//!
//! A block's mark holds a [`SiteIndex`]. The entry behind it is identified by its [`Key`]: the return address; the site
//! that a `realloc` took the block over from, since a reallocated block keeps its type unless the new site says
//! otherwise; and a type that the program declared for the block. So one return address may have several entries.
//!
//! Entries live for ever, also when the file with their code is unloaded. Finding one from a return address is the hot
//! path of `malloc`: [`recent`] is a table of plain sites that the assembly reads; what is not there goes through
//! [`find_or_insert`]. An [`entry`] says what is known, the [`table`] keeps the entries, [`chain`] says what `realloc` and
//! declarations make of a site.

pub mod chain;
pub mod entry;
pub mod recent;
pub mod table;

use crate::avma::Avma;
use core::ffi::c_void;

pub use chain::{declared, reallocated};
pub use entry::{SiteEntry, Totals};
pub use table::{all, find_or_insert, retire_unloaded, site};

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
    /// The site of the block that this site reallocated, or [`SiteIndex::UNKNOWN`] for a fresh block.
    pub origin: SiteIndex,
    /// The type set by `alloc_set_type`, or NULL.
    pub declared: DeclaredType,
}

impl Key {
    /// The key of fresh blocks.
    #[must_use]
    pub const fn plain(return_address: Avma) -> Key {
        Key { return_address, origin: SiteIndex::UNKNOWN, declared: core::ptr::null_mut() }
    }
}
