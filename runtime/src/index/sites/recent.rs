//! The table of recent plain sites, direct-mapped by the low 16 bits of the return address.
//!
//! An entry holds bits 16 to 47 of the return address below, and above the mark of blocks of that site: all bits of a
//! user-space address take part, so a hit is exact. 0 is empty.

use super::SiteIndex;
use crate::avma::Avma;
use crate::index::regions::{RECENT_COUNT, TABLES};
use crate::index::shadow::START;
use core::sync::atomic::Ordering;

/// The site last remembered for the slot of `return_address`, if it is that address's.
#[must_use]
pub fn find(return_address: Avma) -> Option<SiteIndex> {
    let entry = TABLES.recent[slot(return_address)].load(Ordering::Relaxed);
    if entry != 0 && entry as u32 == tag(return_address) {
        Some(SiteIndex((entry >> 32) as u32 & !START))
    } else {
        None
    }
}

/// Remembers a site.
pub fn remember(return_address: Avma, site: SiteIndex) {
    let entry = u64::from(START | site.0) << 32 | u64::from(tag(return_address));
    TABLES.recent[slot(return_address)].store(entry, Ordering::Release);
}

/// Forgets the site of an address.
pub fn forget(return_address: Avma) {
    if find(return_address).is_some() {
        TABLES.recent[slot(return_address)].store(0, Ordering::Relaxed);
    }
}

fn slot(return_address: Avma) -> usize {
    return_address.0 % RECENT_COUNT
}

fn tag(return_address: Avma) -> u32 {
    (return_address.0 >> 16) as u32
}
