//! The table of recent return addresses, direct-mapped by their low 16 bits.
//!
//! An entry holds bits 16 to 47 of the return address below: all bits of a user-space address take part, so a hit is exact.
//! Above it has the mark of blocks of that plain site; or, if the call is in a wrapper, bit 31 is set, which no user-space
//! address has there, and the uppermost 16 bits, without a mark's bit, are the words from the stack pointer to the end of the
//! wrapper's frame. 0 is empty.

use super::SiteIndex;
use crate::avma::Avma;
use crate::index::regions::{RECENT_COUNT, TABLES};
use crate::index::shadow::START;
use core::sync::atomic::Ordering;

/// Number of the bit that tells calls in wrappers.
pub const WRAPPER_BIT: u32 = 31;
/// Where the words of a wrapper's frame begin.
pub const WORDS_SHIFT: u32 = 48;

/// The site last remembered for the slot of `return_address`, if it is that address's.
#[must_use]
pub fn find(return_address: Avma) -> Option<SiteIndex> {
    let entry = TABLES.recent[slot(return_address)].load(Ordering::Relaxed);
    let mark = (entry >> 32) as u32;
    (mark & START != 0 && entry as u32 == tag(return_address)).then_some(SiteIndex(mark & !START))
}

/// Remembers a site.
pub fn remember(return_address: Avma, site: SiteIndex) {
    let entry = u64::from(START | site.0) << 32 | u64::from(tag(return_address));
    TABLES.recent[slot(return_address)].store(entry, Ordering::Release);
}

/// Remembers a call in a wrapper whose frame ends so many words above the stack pointer.
pub fn remember_wrapper(return_address: Avma, words: u16) {
    let entry = u64::from(words) << WORDS_SHIFT | u64::from(tag(return_address) | 1 << WRAPPER_BIT);
    TABLES.recent[slot(return_address)].store(entry, Ordering::Release);
}

/// Forgets an address.
pub fn forget(return_address: Avma) {
    let entry = &TABLES.recent[slot(return_address)];
    if entry.load(Ordering::Relaxed) as u32 & !(1 << WRAPPER_BIT) == tag(return_address) {
        entry.store(0, Ordering::Relaxed);
    }
}

fn slot(return_address: Avma) -> usize {
    return_address.0 % RECENT_COUNT
}

fn tag(return_address: Avma) -> u32 {
    (return_address.0 >> 16) as u32
}
