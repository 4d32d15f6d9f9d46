//! Records of malloc blocks, which begin, move and end with the block.

use super::pool::{NEXT_FREE, give_back, ids, take};
use super::record::{BigId, ENDING, KINDS, Kind, PROMOTED, ancestors};
use crate::avma::Avma;
use crate::index::pages::{self, PageNumber};
use crate::index::{Block, LARGE};
use core::ffi::c_void;
use core::ops::Range;
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicUsize, Ordering};

static LONGEST_UNRECORDED: AtomicUsize = AtomicUsize::new(0);

/// The `struct allocator` that the records of malloc blocks name.
static MALLOC_ALLOCATOR: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Says which `struct allocator` the malloc blocks belong to, those included that are there already.
pub fn set_malloc_allocator(allocator: *mut c_void) {
    MALLOC_ALLOCATOR.store(allocator, Ordering::Relaxed);
    for id in ids().filter(|id| id.kind() == Kind::MallocBlock) {
        id.record().allocated_by.store(allocator, Ordering::Relaxed);
    }
}

/// The `struct allocator` that the records of blocks name which a pool divides.
static POOL_ALLOCATOR: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Says which `struct allocator` pools belong to.
pub fn set_pool_allocator(allocator: *mut c_void) {
    POOL_ALLOCATOR.store(allocator, Ordering::Relaxed);
}

/// Notes that a pool divides a block, unless a client says that something else does. Whether that is news.
pub fn divide(id: BigId) -> bool {
    let pool = POOL_ALLOCATOR.load(Ordering::Relaxed);
    let slot = &id.record().suballocator;
    slot.compare_exchange(core::ptr::null_mut(), pool, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// Whether a pool divides a block.
#[must_use]
pub fn is_divided(id: BigId) -> bool {
    let suballocator = id.record().suballocator.load(Ordering::Acquire);
    !suballocator.is_null() && suballocator == POOL_ALLOCATOR.load(Ordering::Relaxed)
}

/// The big malloc block that holds the first byte of `page`.
#[must_use]
pub fn malloc_block_of_page(page: PageNumber) -> Option<BigId> {
    innermost_malloc_block(pages::deepest(page)?)
}

/// The record of the big malloc block that starts at `base`.
#[must_use]
pub fn malloc_block_at(base: Avma) -> Option<BigId> {
    let first_page = PageNumber::starting_in(base, Avma(base.0.checked_add(LARGE)?)).start;
    malloc_block_of_page(first_page).filter(|id| id.record().begin() == base)
}

/// The record of the small malloc block that starts at `base`, where the page index may not lead.
#[must_use]
pub fn small_malloc_block_at(base: Avma) -> Option<BigId> {
    ids().find(|id| id.kind() == Kind::MallocBlock && id.record().begin() == base)
}

/// Makes a record for a live malloc block that has none. `None` when no record is free.
pub fn promote_malloc_block(base: Avma, size: usize) -> Option<BigId> {
    let end = Avma(base.0.saturating_add(size));
    let parent = PageNumber::of_mappable(base).and_then(|page| around(page, base, end));
    let id = take(Kind::MallocBlock, base, end, parent, MALLOC_ALLOCATOR.load(Ordering::Relaxed))?;
    pages::cover(id.record().pages(), id, parent);
    Some(id)
}

/// The innermost allocation that holds all of a new malloc block. None that is one or lies in one: its memory was given back
/// already, by a thread whose `realloc` moves it and that will take it out with all that lies in it.
fn around(page: PageNumber, begin: Avma, end: Avma) -> Option<BigId> {
    ancestors(pages::deepest(page)?).fold(None, |found, id| match id.kind() {
        Kind::Promoted => found.or_else(|| id.record().contains(begin, end).then_some(id)),
        Kind::MallocBlock => None,
        Kind::Free | Kind::Ending => found,
    })
}

/// Size of the longest malloc block for which no record was free, 0 if there never was one.
#[must_use]
pub fn longest_unrecorded() -> usize {
    LONGEST_UNRECORDED.load(Ordering::Relaxed)
}

/// Enters a big malloc block.
pub fn insert_malloc_block(base: Avma, size: usize) {
    let end = Avma(base.0.saturating_add(size));
    let pages = PageNumber::starting_in(base, end);
    let parent = around(pages.start, base, end);
    let allocated_by = MALLOC_ALLOCATOR.load(Ordering::Relaxed);
    match take(Kind::MallocBlock, base, end, parent, allocated_by) {
        Some(id) => pages::own(pages, id),
        None => {
            LONGEST_UNRECORDED.fetch_max(size, Ordering::Relaxed);
        }
    }
}

/// Takes out a big malloc block and all that was promoted inside it. To be called while its memory is still the caller's.
pub fn remove_malloc_block(id: BigId) {
    leave(id, id.record().pages(), pages::store);
    give_back(id, Kind::MallocBlock);
}

/// Lets a big malloc block be `new` from now on. Its old memory may belong to another thread already.
pub fn move_malloc_block(id: BigId, new: &Block) {
    let record = id.record();
    let old_pages = record.pages();
    let (begin, end) = (new.base, Avma(new.base.0.saturating_add(new.size)));
    let new_pages = PageNumber::starting_in(begin, end);
    if record.begin() == begin {
        leave(id, new_pages.end.min(old_pages.end)..old_pages.end, pages::exchange);
        record.set_range(begin, end);
        pages::own(old_pages.end.min(new_pages.end)..new_pages.end, id);
    } else {
        leave(id, old_pages, pages::exchange);
        record.set_range(begin, end);
        pages::own(new_pages, id);
    }
}

/// Takes out a big malloc block whose memory may belong to another thread already.
pub fn abandon_malloc_block(id: BigId) {
    leave(id, id.record().pages(), pages::exchange);
    give_back(id, Kind::MallocBlock);
}

/// Gives the pages of `id`, and of what was promoted inside it, back to its parent.
fn leave(id: BigId, pages: Range<PageNumber>, change: impl Fn(&AtomicU16, u16, u16)) {
    let below = BigId::to_bits(id.record().parent());
    let mut ending = None;
    pages::for_each_entry(pages, |entry| {
        let deepest = entry.load(Ordering::Acquire);
        if deepest == id.bits() {
            change(entry, deepest, below);
        } else if let Some(inner) = BigId::from_bits(deepest).filter(|&inner| is_inside(inner, id)) {
            change(entry, deepest, below);
            collect_promoted(inner, id, &mut ending);
        }
    });
    while let Some(inner) = ending {
        ending = BigId::from_bits(NEXT_FREE[usize::from(inner.bits())].load(Ordering::Relaxed));
        give_back(inner, Kind::Ending);
    }
}

/// Puts `inner`, and what lies between it and `outer`, on the list `ending`. They keep their parents until all pages are
/// done, because [`is_inside`] asks for them.
fn collect_promoted(inner: BigId, outer: BigId, ending: &mut Option<BigId>) {
    for id in ancestors(inner).take_while(|&id| id != outer) {
        let number = usize::from(id.bits());
        if KINDS[number].compare_exchange(PROMOTED, ENDING, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        NEXT_FREE[number].store(BigId::to_bits(*ending), Ordering::Relaxed);
        *ending = Some(id);
    }
}

fn is_inside(inner: BigId, outer: BigId) -> bool {
    ancestors(inner).any(|id| id == outer)
}

fn innermost_malloc_block(id: BigId) -> Option<BigId> {
    ancestors(id).find(|id| id.kind() == Kind::MallocBlock)
}
