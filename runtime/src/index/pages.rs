//! The page index: from a page to the deepest big allocation that holds the page's first byte.
//!
//! It is one flat array of two bytes a page, 64 GiB of address space of which only what is used costs memory; C programs
//! read it as `__liballocs_pageindex`. Where so much cannot be mapped (`ulimit -v`, valgrind), that pointer stays NULL and
//! each region of the directory carries its own part.
//!
//! # Safety
//! The flat array is mapped once and never given back; its entries are only accessed as atomics.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::big::BigId;
use crate::index::regions;
use crate::sys::memory::{self, PAGE_SIZE};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering};

const PAGE_COUNT: usize = Avma::USER_END.0 / PAGE_SIZE;

/// The flat page index as C programs know it; NULL where it could not be mapped.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals)]
pub static __liballocs_pageindex: AtomicPtr<AtomicU16> = AtomicPtr::new(core::ptr::null_mut());

static FLAT_FAILED: AtomicBool = AtomicBool::new(false);

/// Number of a page: its address divided by the page size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub struct PageNumber(usize);

impl PageNumber {
    /// The page of `a`, or `None` where no program can map anything: the first page, and beyond the user's half.
    #[must_use]
    pub fn of_mappable(a: Avma) -> Option<PageNumber> {
        let page = PageNumber(a.0 / PAGE_SIZE);
        if page.0 != 0 && page.0 < PAGE_COUNT { Some(page) } else { None }
    }

    /// The pages whose first byte lies in [`begin`, `end`).
    #[must_use]
    pub fn starting_in(begin: Avma, end: Avma) -> Range<PageNumber> {
        PageNumber(begin.0.div_ceil(PAGE_SIZE))..PageNumber(end.0.div_ceil(PAGE_SIZE).min(PAGE_COUNT))
    }

    /// The page `distance` pages below, unless that is the first page of all or there is none.
    #[must_use]
    pub fn checked_sub(self, distance: usize) -> Option<PageNumber> {
        self.0.checked_sub(distance).filter(|&page| page != 0).map(PageNumber)
    }

    /// First byte.
    #[must_use]
    pub fn start(self) -> Avma {
        Avma(self.0 * PAGE_SIZE)
    }

    /// Last byte.
    #[must_use]
    pub fn last_byte(self) -> Avma {
        Avma(self.0 * PAGE_SIZE + (PAGE_SIZE - 1))
    }
}

/// Maps the flat array, unless that was done or tried before.
pub fn ensure_flat() {
    if !__liballocs_pageindex.load(Ordering::Relaxed).is_null() || FLAT_FAILED.load(Ordering::Relaxed) {
        return;
    }
    let len = PAGE_COUNT * size_of::<AtomicU16>();
    let Ok(mapping) = memory::map_zeroed(len) else {
        FLAT_FAILED.store(true, Ordering::Relaxed);
        return;
    };
    memory::keep_pages_small(mapping, len);
    let flat = mapping.cast::<AtomicU16>().as_ptr();
    let null = core::ptr::null_mut();
    if __liballocs_pageindex.compare_exchange(null, flat, Ordering::AcqRel, Ordering::Acquire).is_err() {
        // SAFETY: another thread's array is in use; nobody has seen ours.
        unsafe { memory::unmap(mapping, len) };
    }
}

/// The deepest big allocation that holds the first byte of `page`.
#[must_use]
pub fn deepest(page: PageNumber) -> Option<BigId> {
    BigId::from_bits(entry(page)?.load(Ordering::Acquire))
}

/// Makes `id` the deepest of the pages where `below` was.
pub fn cover(pages: Range<PageNumber>, id: BigId, below: Option<BigId>) {
    for page in numbers(pages) {
        exchange(page, BigId::to_bits(below), id.bits());
    }
}

/// Makes `below` the deepest again of the pages where `id` was.
pub fn uncover(pages: Range<PageNumber>, id: BigId, below: Option<BigId>) {
    for page in numbers(pages) {
        exchange(page, id.bits(), BigId::to_bits(below));
    }
}

/// Makes `id` the deepest of pages whose memory is the caller's alone.
pub fn own(pages: Range<PageNumber>, id: BigId) {
    for page in numbers(pages) {
        if let Some(entry) = entry_to_write(page) {
            entry.store(id.bits(), Ordering::Release);
        }
    }
}

/// Calls `f` with each page that has an entry, and with the entry.
pub fn for_each(pages: Range<PageNumber>, mut f: impl FnMut(PageNumber, BigId)) {
    for page in numbers(pages) {
        if let Some(deepest) = deepest(page) {
            f(page, deepest);
        }
    }
}

/// Changes the entry of a page whose memory is the caller's alone.
pub fn store(page: PageNumber, _from: u16, to: u16) {
    if let Some(entry) = entry_to_write(page) {
        entry.store(to, Ordering::Release);
    }
}

/// Changes the entry of a page from `from` to `to`, unless another thread, who owns the memory by now, did so first.
pub fn exchange(page: PageNumber, from: u16, to: u16) {
    if let Some(entry) = entry_to_write(page)
        && entry.load(Ordering::Relaxed) == from
    {
        let _ = entry.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed);
    }
}

fn numbers(pages: Range<PageNumber>) -> impl Iterator<Item = PageNumber> {
    (pages.start.0..pages.end.0).map(PageNumber)
}

fn entry(page: PageNumber) -> Option<&'static AtomicU16> {
    match flat_entry(page) {
        None => Some(regions::find(page.start())?.page_entry(page.start())),
        found => found,
    }
}

fn entry_to_write(page: PageNumber) -> Option<&'static AtomicU16> {
    match flat_entry(page) {
        None => Some(regions::find_or_create(page.start())?.page_entry(page.start())),
        found => found,
    }
}

fn flat_entry(page: PageNumber) -> Option<&'static AtomicU16> {
    let flat = __liballocs_pageindex.load(Ordering::Acquire);
    if flat.is_null() || page.0 >= PAGE_COUNT {
        return None;
    }
    // SAFETY: the array has PAGE_COUNT entries and is never given back.
    Some(unsafe { &*flat.add(page.0) })
}
