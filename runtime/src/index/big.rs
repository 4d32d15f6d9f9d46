//! The records of big allocations, as C programs see them (`struct big_allocation` in `pageindex.h`).
//!
//! A malloc block of [`LARGE`] bytes or more gets one when it is allocated, so that a look-up far inside it needs one
//! load from the page index instead of a scan. The query side makes records for what else holds allocations.
//! There are 65535; a block that finds none free stays without, and look-ups scan as far as the longest such block.
//!
//! # Safety
//! Records are a static array of atomics. A record is filled before the page index leads to it; a reader that comes upon
//! a record that is given back meanwhile sees mixed values, as a look-up into a block being freed may.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::pages::{self, PageNumber};
use crate::index::{Block, LARGE};
use crate::sys::memory;
use core::ffi::c_void;
use core::num::NonZeroU16;
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize, Ordering};

/// `struct big_allocation`.
#[derive(Debug)]
#[repr(C)]
pub struct BigAllocation {
    begin: AtomicUsize,
    end: AtomicUsize,
    /// Head of the list of children; kept by the query side for what it promotes, not for malloc blocks.
    pub first_child: AtomicU16,
    /// Next in the parent's list.
    pub next_sib: AtomicU16,
    parent: AtomicU16,
    /// Previous in the parent's list.
    pub prev_sib: AtomicU16,
    /// The `struct allocator` that made it.
    pub allocated_by: AtomicPtr<c_void>,
    /// The `struct allocator` that divides it further, if a client says so.
    pub suballocator: AtomicPtr<c_void>,
    /// For the allocator.
    pub allocator_private: AtomicPtr<c_void>,
    /// Called with `allocator_private` when the allocation ends.
    pub allocator_private_free: AtomicPtr<c_void>,
    /// For the sub-allocator.
    pub suballocator_private: AtomicPtr<c_void>,
    /// Called with `suballocator_private` when the allocation ends.
    pub suballocator_private_free: AtomicPtr<c_void>,
}

const _: () = assert!(size_of::<BigAllocation>() == 72);

const COUNT: usize = 1 << 16;

static RECORDS: [BigAllocation; COUNT] = [const { BigAllocation::new() }; COUNT];
static KINDS: [AtomicU8; COUNT] = [const { AtomicU8::new(Kind::Free as u8) }; COUNT];
/// The record behind each one that is free or ending.
static NEXT_FREE: [AtomicU16; COUNT] = [const { AtomicU16::new(0) }; COUNT];
/// The first free record below; above, a count of changes, so that a stale head is noticed.
static FREE: AtomicU64 = AtomicU64::new(0);
/// Records never used yet start here.
static FRESH: AtomicUsize = AtomicUsize::new(1);
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

/// Asks the kernel for small pages behind the records, of which a program uses few.
pub fn keep_pages_small() {
    memory::keep_pages_small(NonNull::from(&RECORDS).cast(), size_of_val(&RECORDS));
}

/// Every record that was ever used.
fn ids() -> impl Iterator<Item = BigId> {
    (1..FRESH.load(Ordering::Relaxed).min(COUNT)).filter_map(|number| BigId::from_bits(number as u16))
}

/// Who made a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Nobody: it is free.
    Free = 0,
    /// The malloc index; it alone gives the record back.
    MallocBlock = 1,
    /// The query side.
    Promoted = 2,
    /// The query side, and what it lies in is being given back.
    Ending = 3,
}

const PROMOTED: u8 = Kind::Promoted as u8;
const ENDING: u8 = Kind::Ending as u8;

/// Number of a record, as in the page index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct BigId(NonZeroU16);

impl BigId {
    /// From an entry of the page index, where 0 is none.
    #[must_use]
    pub fn from_bits(bits: u16) -> Option<BigId> {
        NonZeroU16::new(bits).map(BigId)
    }

    /// As an entry of the page index.
    #[must_use]
    pub fn to_bits(id: Option<BigId>) -> u16 {
        id.map_or(0, BigId::bits)
    }

    /// The number.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0.get()
    }

    /// The record.
    #[must_use]
    pub fn record(self) -> &'static BigAllocation {
        &RECORDS[usize::from(self.bits())]
    }

    /// Who made the record.
    #[must_use]
    pub fn kind(self) -> Kind {
        match KINDS[usize::from(self.bits())].load(Ordering::Acquire) {
            0 => Kind::Free,
            1 => Kind::MallocBlock,
            ENDING => Kind::Ending,
            _ => Kind::Promoted,
        }
    }
}

impl BigAllocation {
    const fn new() -> BigAllocation {
        const fn null() -> AtomicPtr<c_void> {
            AtomicPtr::new(core::ptr::null_mut())
        }
        BigAllocation {
            begin: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            first_child: AtomicU16::new(0),
            next_sib: AtomicU16::new(0),
            parent: AtomicU16::new(0),
            prev_sib: AtomicU16::new(0),
            allocated_by: null(),
            suballocator: null(),
            allocator_private: null(),
            allocator_private_free: null(),
            suballocator_private: null(),
            suballocator_private_free: null(),
        }
    }

    /// First address.
    #[must_use]
    pub fn begin(&self) -> Avma {
        Avma(self.begin.load(Ordering::Relaxed))
    }

    /// One past the last address.
    #[must_use]
    pub fn end(&self) -> Avma {
        Avma(self.end.load(Ordering::Relaxed))
    }

    /// Number of bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.end().0.saturating_sub(self.begin().0)
    }

    /// The big allocation that this one lies in.
    #[must_use]
    pub fn parent(&self) -> Option<BigId> {
        BigId::from_bits(self.parent.load(Ordering::Relaxed))
    }

    /// Whether all of [`begin`, `end`) lies inside.
    #[must_use]
    pub fn contains(&self, begin: Avma, end: Avma) -> bool {
        self.begin() <= begin && end <= self.end()
    }

    fn pages(&self) -> Range<PageNumber> {
        PageNumber::starting_in(self.begin(), self.end())
    }

    fn set_range(&self, begin: Avma, end: Avma) {
        self.begin.store(begin.0, Ordering::Relaxed);
        self.end.store(end.0, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.set_range(Avma::NULL, Avma::NULL);
        for link in [&self.first_child, &self.next_sib, &self.parent, &self.prev_sib] {
            link.store(0, Ordering::Relaxed);
        }
        for pointer in [
            &self.allocated_by,
            &self.suballocator,
            &self.allocator_private,
            &self.allocator_private_free,
            &self.suballocator_private,
            &self.suballocator_private_free,
        ] {
            pointer.store(core::ptr::null_mut(), Ordering::Relaxed);
        }
    }
}

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

/// Gives what lies in the pages of `id` and has the parent `from` to the parent `to`.
fn adopt_children(id: BigId, from: Option<BigId>, to: Option<BigId>) {
    let (from, to) = (BigId::to_bits(from), BigId::to_bits(to));
    pages::for_each_entry(id.record().pages(), |entry| {
        let Some(deepest) = BigId::from_bits(entry.load(Ordering::Acquire)) else { return };
        for inner in ancestors(deepest).take_while(|&inner| inner != id) {
            let parent = &inner.record().parent;
            if parent.load(Ordering::Relaxed) == from {
                let _ = parent.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
                return;
            }
        }
    });
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
    let parent = PageNumber::of_mappable(base)
        .and_then(pages::deepest)
        .and_then(|id| ancestors(id).find(|id| id.record().contains(base, end)));
    let id = take(Kind::MallocBlock, base, end, parent, MALLOC_ALLOCATOR.load(Ordering::Relaxed))?;
    pages::cover(id.record().pages(), id, parent);
    Some(id)
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
    let parent = pages::deepest(pages.start).filter(|id| id.record().contains(base, end));
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

/// `id`, its parent, and so on. Bounded, because a record being reused could seem to be its own ancestor.
fn ancestors(id: BigId) -> impl Iterator<Item = BigId> {
    const DEEPEST: usize = 64;
    core::iter::successors(Some(id), |id| id.record().parent()).take(DEEPEST)
}

fn take(
    kind: Kind,
    begin: Avma,
    end: Avma,
    parent: Option<BigId>,
    allocated_by: *mut c_void,
) -> Option<BigId> {
    let id = take_free().or_else(take_fresh)?;
    let record = id.record();
    record.set_range(begin, end);
    record.parent.store(BigId::to_bits(parent), Ordering::Relaxed);
    record.allocated_by.store(allocated_by, Ordering::Relaxed);
    KINDS[usize::from(id.bits())].store(kind as u8, Ordering::Release);
    Some(id)
}

/// Gives a record of that kind back, once: of two callers one finds it free already.
fn give_back(id: BigId, kind: Kind) {
    let slot = &KINDS[usize::from(id.bits())];
    if slot.compare_exchange(kind as u8, Kind::Free as u8, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return;
    }
    let record = id.record();
    run_destructor(&record.allocator_private_free, &record.allocator_private);
    run_destructor(&record.suballocator_private_free, &record.suballocator_private);
    record.clear();
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        NEXT_FREE[usize::from(id.bits())].store(head as u16, Ordering::Relaxed);
        let new_head = next_change(head) | u64::from(id.bits());
        match FREE.compare_exchange_weak(head, new_head, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

fn run_destructor(function: &AtomicPtr<c_void>, argument: &AtomicPtr<c_void>) {
    let function = function.load(Ordering::Acquire);
    if !function.is_null() {
        // SAFETY: whoever stored it in the record promised a function of this signature, to be called at the end.
        let function = unsafe { core::mem::transmute::<*mut c_void, extern "C" fn(*mut c_void)>(function) };
        function(argument.load(Ordering::Acquire));
    }
}

fn take_free() -> Option<BigId> {
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        let id = BigId::from_bits(head as u16)?;
        let next = NEXT_FREE[usize::from(id.bits())].load(Ordering::Relaxed);
        let new_head = next_change(head) | u64::from(next);
        match FREE.compare_exchange_weak(head, new_head, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(id),
            Err(now) => head = now,
        }
    }
}

fn take_fresh() -> Option<BigId> {
    if FRESH.load(Ordering::Relaxed) >= COUNT {
        return None;
    }
    let number = FRESH.fetch_add(1, Ordering::Relaxed);
    BigId::from_bits(u16::try_from(number).ok()?)
}

/// The count of changes behind that of `head`, with no record.
fn next_change(head: u64) -> u64 {
    ((head >> 16).wrapping_add(1)) << 16
}
