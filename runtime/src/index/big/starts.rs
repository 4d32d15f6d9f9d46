//! Finds the record of what is not a malloc block by its start. The page index does not lead to all of them: a segment or a section
//! may hold no page's first byte.
//!
//! A record of a mapping, a file or a part of one is kept for its start and allocator, whatever comes and goes there: it is
//! resized. So there are never more of them than there are such starts.

use super::promoted::{demote, promote, resize};
use super::record::{BigId, COUNT, Kind, ancestors};
use crate::avma::Avma;
use crate::index::pages;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU16, Ordering};

/// Open addressing; an entry stays.
static TABLE: [AtomicU16; COUNT] = [const { AtomicU16::new(0) }; COUNT];

/// The record of an allocation of that allocator, made or brought up to date if need be; `parent` gives the record around it,
/// and is asked only then. `None` when no record is free. Every record of that allocator is to be made here, and no two of its
/// allocations overlap: one that holds the first byte of a page of the new one is out of date, and becomes empty.
pub fn recorded(
    begin: Avma,
    end: Avma,
    by: *mut c_void,
    parent: impl FnOnce() -> Option<BigId>,
) -> Option<BigId> {
    let known = entries(begin, by).map(|entry| BigId::from_bits(entry.load(Ordering::Acquire)));
    // An empty entry ends the search.
    let known = known.map_while(|id| id).find(|&id| is(id, begin, by));
    if let Some(id) = known.filter(|&id| is_up_to_date(id, end)) {
        return Some(id);
    }
    let parent = parent();
    let id = match known {
        Some(id) => {
            id.record().parent.store(BigId::to_bits(parent), Ordering::Relaxed);
            resize(id, end);
            id
        }
        None => enter(begin, end, by, parent)?,
    };
    empty_others(id);
    Some(id)
}

fn enter(begin: Avma, end: Avma, by: *mut c_void, parent: Option<BigId>) -> Option<BigId> {
    let id = promote(begin, end, parent, by)?;
    for entry in entries(begin, by) {
        match entry.compare_exchange(0, id.bits(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(id),
            Err(other) => {
                // Another thread may have been first.
                if let Some(other) = BigId::from_bits(other).filter(|&other| is(other, begin, by)) {
                    demote(id);
                    return Some(other);
                }
            }
        }
    }
    Some(id)
}

/// Where the record may be, the likeliest first.
fn entries(begin: Avma, by: *mut c_void) -> impl Iterator<Item = &'static AtomicU16> {
    // Allocators are static objects some words apart, and starts are often those of pages.
    let key = begin.0 ^ (begin.0 >> 12) ^ (by as usize).rotate_left(20);
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    TABLE.iter().cycle().skip(hash % COUNT).take(COUNT)
}

fn is(id: BigId, begin: Avma, by: *mut c_void) -> bool {
    let record = id.record();
    id.kind() == Kind::Promoted
        && record.begin() == begin
        && record.allocated_by.load(Ordering::Relaxed) == by
}

fn is_up_to_date(id: BigId, end: Avma) -> bool {
    let record = id.record();
    record.end() == end && record.parent().is_none_or(|parent| parent.record().contains(record.begin(), end))
}

/// Empties the records of the same allocator that overlap `id`.
fn empty_others(id: BigId) {
    let record = id.record();
    let by = record.allocated_by.load(Ordering::Relaxed);
    let is_other = |other: &BigId| {
        let other_record = other.record();
        *other != id
            && other.kind() == Kind::Promoted
            && other_record.allocated_by.load(Ordering::Relaxed) == by
            && other_record.begin() < record.end()
            && record.begin() < other_record.end()
    };
    pages::for_each_entry(record.pages(), |entry| {
        let Some(deepest) = BigId::from_bits(entry.load(Ordering::Acquire)) else { return };
        if deepest != id
            && let Some(other) = ancestors(deepest).find(is_other)
        {
            resize(other, other.record().begin());
        }
    });
}
