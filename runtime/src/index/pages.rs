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
    for_each_entry(pages, |entry| exchange(entry, BigId::to_bits(below), id.bits()));
}

/// Makes `below` the deepest again of the pages where `id` was.
pub fn uncover(pages: Range<PageNumber>, id: BigId, below: Option<BigId>) {
    for_each_entry(pages, |entry| exchange(entry, id.bits(), BigId::to_bits(below)));
}

/// Makes `id` the deepest of pages whose memory is the caller's alone.
pub fn own(pages: Range<PageNumber>, id: BigId) {
    for_each_entry(pages, |entry| store(entry, 0, id.bits()));
}

/// Changes the entry of a page whose memory is the caller's alone, whatever it was.
pub fn store(entry: &AtomicU16, _from: u16, to: u16) {
    entry.store(to, Ordering::Release);
}

/// Changes the entry of a page from `from` to `to`, unless another thread, who owns the memory by now, changed it first.
pub fn exchange(entry: &AtomicU16, from: u16, to: u16) {
    if entry.load(Ordering::Relaxed) == from {
        let _ = entry.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed);
    }
}

/// Calls `f` with the entries of all pages, those apart for which there is no memory.
pub fn for_each_entry(pages: Range<PageNumber>, mut f: impl FnMut(&AtomicU16)) {
    if pages.start >= pages.end {
        return;
    }
    if let Some(flat) = flat() {
        flat[pages.start.0..pages.end.0].iter().for_each(f);
        return;
    }
    let (begin, end) = (pages.start.start(), pages.end.start());
    let mut from = begin;
    while from < end {
        let to = end.min(regions::end_of_region(from));
        if let Some(region) = regions::find_or_create(from) {
            region.page_entries(from, to).iter().for_each(&mut f);
        }
        from = to;
    }
}

fn entry(page: PageNumber) -> Option<&'static AtomicU16> {
    match flat() {
        Some(flat) => flat.get(page.0),
        None => regions::find(page.start())?.page_entries(page.start(), page.last_byte()).first(),
    }
}

fn flat() -> Option<&'static [AtomicU16; PAGE_COUNT]> {
    // SAFETY: NULL, or an array of that length that is never given back.
    unsafe { __liballocs_pageindex.load(Ordering::Acquire).cast::<[AtomicU16; PAGE_COUNT]>().as_ref() }
}
