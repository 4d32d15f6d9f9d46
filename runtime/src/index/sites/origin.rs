//! What `realloc` and declared types make of a site.
//!
//! A reallocated block keeps its type unless the size that the new site asks for says another one. Only the metadata can
//! tell that, so an entry has the new site and its *origin*: the one site that decides if the new one does not. An origin
//! is of a fresh block's kind, so there are no chains, and no more entries than pairs of sites for a declared type.

use super::{DeclaredType, Key, SiteIndex, find_or_insert, site};
use crate::hooks;

/// The site that a block of site `old` has when the call of `new`, a key of fresh blocks, reallocated it.
pub fn reallocated(old: SiteIndex, new: Key) -> SiteIndex {
    let entry = site(old);
    let key = entry.key();
    if key.return_address == new.return_address && key.is_string == new.is_string && !entry.is_retired() {
        return old;
    }
    find_or_insert(Key { origin: decider(old), declared: key.declared, ..new })
}

/// The site that gives the type of undeclared blocks of a site.
///
/// Before the query side has started nobody can tell, and the first site counts.
fn decider(index: SiteIndex) -> SiteIndex {
    let entry = site(index);
    let key = entry.key();
    let is_fresh = key.origin == SiteIndex::UNKNOWN;
    if !is_fresh && !entry.decides(|| hooks::get().map(|hooks| (hooks.decides)(index))) {
        return key.origin;
    }
    // A retired site cannot be entered anew, so it stands for itself: as an origin only its own type counts.
    if key.return_address.is_null() || entry.is_retired() || (is_fresh && key.declared.is_null()) {
        return index;
    }
    find_or_insert(Key { origin: SiteIndex::UNKNOWN, declared: core::ptr::null_mut(), ..key })
}

/// The site that a block of site `old` has when the program declares its type; NULL takes the declaration back.
pub fn declared(old: SiteIndex, ty: DeclaredType) -> SiteIndex {
    let key = site(old).key();
    if key.declared == ty { old } else { find_or_insert(Key { declared: ty, ..key }) }
}
