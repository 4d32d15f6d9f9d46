//! What `realloc` and declared types make of a site: chains of origins.
//!
//! Which site of a chain gives the block its type only the metadata can tell, and that is not read while allocating. So a
//! chain holds all that can matter, and the query side looks along it.

use super::{DeclaredType, Key, SiteIndex, find_or_insert, site};
use crate::avma::Avma;

/// The site that a block of site `old` has when the call before `return_address` reallocated it.
///
/// The chain of origins holds each reallocating site once, the latest first, so a loop of reallocations ends at a fixed
/// set of entries.
pub fn reallocated(old: SiteIndex, return_address: Avma) -> SiteIndex {
    let entry = site(old);
    if entry.return_address() == return_address && entry.declared().is_null() && !entry.is_retired() {
        return old;
    }
    find_or_insert(Key {
        return_address,
        origin: without(old, return_address, 0),
        declared: core::ptr::null_mut(),
    })
}

/// Longest chain of origins. Behind it only the site of the first allocation counts.
const LONGEST_CHAIN: usize = 8;

/// The chain of `from` without the reallocations by `return_address`.
fn without(from: SiteIndex, return_address: Avma, depth: usize) -> SiteIndex {
    let entry = site(from);
    if entry.origin() == SiteIndex::UNKNOWN || !entry.declared().is_null() {
        return from;
    }
    if depth == LONGEST_CHAIN {
        return first(from);
    }
    if entry.return_address() == return_address {
        return entry.origin();
    }
    let rest = without(entry.origin(), return_address, depth + 1);
    if rest == entry.origin() { from } else { find_or_insert(Key { origin: rest, ..entry.key() }) }
}

fn first(mut index: SiteIndex) -> SiteIndex {
    while site(index).origin() != SiteIndex::UNKNOWN {
        index = site(index).origin();
    }
    index
}

/// The site that a block of site `old` has when the program declares its type; NULL takes declarations back.
pub fn declared(old: SiteIndex, ty: DeclaredType) -> SiteIndex {
    if ty.is_null() {
        return undeclared(old);
    }
    find_or_insert(Key { declared: ty, ..site(old).key() })
}

fn undeclared(index: SiteIndex) -> SiteIndex {
    if index == SiteIndex::UNKNOWN {
        return index;
    }
    let key = site(index).key();
    let origin = undeclared(key.origin);
    if key.declared.is_null() && origin == key.origin {
        return index;
    }
    find_or_insert(Key { declared: core::ptr::null_mut(), origin, ..key })
}
