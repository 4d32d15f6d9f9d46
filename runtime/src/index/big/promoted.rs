//! Records of what is not a malloc block, made when the query side asks for them.

use super::pool::{give_back, take};
use super::record::{BigId, Kind, ancestors};
use crate::avma::Avma;
use crate::index::pages;
use core::ffi::c_void;
use core::sync::atomic::Ordering;

/// Enters an allocation that is not a malloc block, between `parent` and what lies in `parent` there. `None` when no
/// record is free.
pub fn promote(begin: Avma, end: Avma, parent: Option<BigId>, allocated_by: *mut c_void) -> Option<BigId> {
    let id = take(Kind::Promoted, begin, end, parent, allocated_by)?;
    adopt_children(id, parent, Some(id));
    pages::cover(id.record().pages(), id, parent);
    Some(id)
}

/// Takes out what [`promote`] entered. What lies in it belongs to its parent from now on.
pub fn demote(id: BigId) {
    let parent = id.record().parent();
    adopt_children(id, Some(id), parent);
    pages::uncover(id.record().pages(), id, parent);
    give_back(id, Kind::Promoted);
}

/// Lets what [`promote`] entered end elsewhere, at its start too: then it holds nothing until it is resized again.
pub fn resize(id: BigId, end: Avma) {
    let record = id.record();
    let (before, parent) = (record.pages(), record.parent());
    record.set_range(record.begin(), end);
    let now = record.pages();
    if now.end < before.end {
        pages::uncover(now.end.max(before.start)..before.end, id, parent);
    } else {
        adopt_children(id, parent, Some(id));
        pages::cover(before.end.max(now.start)..now.end, id, parent);
    }
}

/// Gives what lies in the pages of `id` and has the parent `from` to the parent `to`: to `id` only what it holds whole, for what is out of
/// date may overlap it.
fn adopt_children(id: BigId, from: Option<BigId>, to: Option<BigId>) {
    let may_have = |inner: BigId| {
        let inner = inner.record();
        to != Some(id) || id.record().contains(inner.begin(), inner.end())
    };
    let (from, to) = (BigId::to_bits(from), BigId::to_bits(to));
    pages::for_each_entry(id.record().pages(), |entry| {
        let Some(deepest) = BigId::from_bits(entry.load(Ordering::Acquire)) else { return };
        for inner in ancestors(deepest).take_while(|&inner| inner != id) {
            let parent = &inner.record().parent;
            if parent.load(Ordering::Relaxed) == from && may_have(inner) {
                let _ = parent.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
                return;
            }
        }
    });
}
