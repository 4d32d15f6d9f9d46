//! The region directory: from an address to the shadow of its region.
//!
//! An entry is *biased*: the slot of address `a` is at `entry + (a >> 2)`, so that the interposed functions find it with
//! one load. 0 says that the region has no shadow.
//!
//! # Safety
//! An entry is set once, to a mapping of `MAPPING_SIZE` bytes that is never given back; so a [`Region`] that exists
//! stays valid.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::shadow;
use crate::sys::memory::{self, PAGE_SIZE};
use core::ops::ControlFlow;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// log2 of the size of a region.
pub const REGION_SHIFT: u32 = 26;
/// Size of a region. Small enough that a process under `ulimit -v` can afford a shadow, a quarter of it.
pub const REGION_SIZE: usize = 1 << REGION_SHIFT;
/// Number of regions in the user's half of the address space.
pub const REGION_COUNT: usize = Avma::USER_END.0 >> REGION_SHIFT;

/// Bytes of shadow of a region.
const SHADOW_SIZE: usize = REGION_SIZE / shadow::GRANULE * shadow::SLOT_SIZE;
/// Behind the shadow: room for the size of a block that starts at the region's last slot.
const GAP: usize = PAGE_SIZE;
/// Behind the gap: the region's part of the page index, for when the flat one could not be mapped.
const PAGE_PART_SIZE: usize = REGION_SIZE / PAGE_SIZE * 2;
const MAPPING_SIZE: usize = SHADOW_SIZE + GAP + PAGE_PART_SIZE;

/// Number of entries of the table of recent sites.
pub const RECENT_COUNT: usize = 1 << 16;

/// The two tables that `malloc` and `free` read, side by side so that one register reaches both.
#[repr(C, align(4096))]
pub struct Tables {
    /// See [`crate::index::sites`].
    pub recent: [AtomicU64; RECENT_COUNT],
    /// The region directory.
    pub directory: [AtomicUsize; REGION_COUNT],
}

/// Offset of the directory in [`Tables`].
pub const DIRECTORY_OFFSET: usize = core::mem::offset_of!(Tables, directory);

/// Zero pages of `.bss` until touched.
pub static TABLES: Tables = Tables {
    recent: [const { AtomicU64::new(0) }; RECENT_COUNT],
    directory: [const { AtomicUsize::new(0) }; REGION_COUNT],
};

/// One bit a region: its shadow could not be mapped. It is not tried again, since a limit rarely rises.
static FAILED: [AtomicU32; REGION_COUNT / 32] = [const { AtomicU32::new(0) }; REGION_COUNT / 32];

/// A region that has a shadow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    number: usize,
    biased: usize,
}

impl Region {
    /// The slot of an address of this region. The slot behind it is there too, also for the region's last address.
    #[must_use]
    pub fn slot(self, a: Avma) -> NonNull<AtomicU32> {
        debug_assert_eq!(a.0 >> REGION_SHIFT, self.number);
        let address = self.biased.wrapping_add((a.0 / shadow::GRANULE) * shadow::SLOT_SIZE);
        // SAFETY: the slot of an address of the region lies in its mapping, which is not at address 0.
        unsafe { NonNull::new_unchecked(address as *mut AtomicU32) }
    }

    /// First address.
    #[must_use]
    pub fn start(self) -> Avma {
        Avma(self.number << REGION_SHIFT)
    }

    /// The entries of the region's own part of the page index, for the pages of [`from`, `to`), which lie in it.
    #[must_use]
    pub fn page_entries(self, from: Avma, to: Avma) -> &'static [AtomicU16] {
        let part = self.slot(self.start()).as_ptr() as usize + SHADOW_SIZE + GAP;
        let page = |a: Avma| (a.0 - self.start().0).div_ceil(PAGE_SIZE).min(REGION_SIZE / PAGE_SIZE);
        // SAFETY: the part of the mapping behind the gap has an entry for each page of the region, aligned, and only used
        // as atomics; it is never given back.
        let all = unsafe { &*(part as *const [AtomicU16; REGION_SIZE / PAGE_SIZE]) };
        &all[page(from)..page(to)]
    }
}

/// End of the region of `a`.
#[must_use]
pub fn end_of_region(a: Avma) -> Avma {
    Avma((a.0 | (REGION_SIZE - 1)) + 1)
}

/// The region of `a`, if it has a shadow.
#[must_use]
#[inline]
pub fn find(a: Avma) -> Option<Region> {
    let number = a.0 >> REGION_SHIFT;
    match TABLES.directory.get(number)?.load(Ordering::Acquire) {
        0 => None,
        biased => Some(Region { number, biased }),
    }
}

/// The region of `a`, which gets a shadow if it has none; `None` if there is no address space for one.
pub fn find_or_create(a: Avma) -> Option<Region> {
    match find(a) {
        None if a < Avma::USER_END && !has_failed(a) => create(a),
        found => found,
    }
}

/// Whether the region of `a` was to get a shadow and there was no address space for it.
#[must_use]
pub fn has_failed(a: Avma) -> bool {
    let number = a.0 >> REGION_SHIFT;
    FAILED.get(number / 32).is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (number % 32)) != 0)
}

/// Asks the kernel for small pages behind the tables, of which a program touches little.
pub fn keep_pages_small() {
    memory::keep_pages_small(NonNull::from(&TABLES).cast(), size_of::<Tables>());
}

/// Calls `f` with each region with a shadow that has addresses in [`begin`, `end`), and with those that lie in it, until
/// it breaks.
pub fn for_each_in<B>(
    begin: Avma,
    end: Avma,
    mut f: impl FnMut(Region, Avma, Avma) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let end = end.min(Avma::USER_END);
    for number in begin.0 >> REGION_SHIFT..end.0.div_ceil(REGION_SIZE) {
        let start = Avma(number << REGION_SHIFT);
        if let Some(region) = find(start) {
            f(region, begin.max(start), end.min(Avma(start.0 + REGION_SIZE)))?;
        }
    }
    ControlFlow::Continue(())
}

#[cold]
fn create(a: Avma) -> Option<Region> {
    let number = a.0 >> REGION_SHIFT;
    let Some(mapping) = map_within_budget() else {
        FAILED[number / 32].fetch_or(1 << (number % 32), Ordering::Relaxed);
        return None;
    };
    memory::keep_pages_small(mapping, MAPPING_SIZE);
    let biased = (mapping.as_ptr() as usize).wrapping_sub(number * SHADOW_SIZE);
    let entry = &TABLES.directory[number];
    match entry.compare_exchange(0, biased, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(Region { number, biased }),
        Err(other) => {
            // SAFETY: the mapping is ours and nobody has seen it: another thread's is in the directory.
            unsafe { memory::unmap(mapping, MAPPING_SIZE) };
            Some(Region { number, biased: other })
        }
    }
}

/// A mapping for a region, as long as all of them leave three quarters of a limited address space to the program.
fn map_within_budget() -> Option<NonNull<u8>> {
    static SPENT: AtomicUsize = AtomicUsize::new(0);
    let spent = SPENT.fetch_add(MAPPING_SIZE, Ordering::Relaxed) + MAPPING_SIZE;
    if memory::address_space_limit().is_some_and(|limit| spent > limit / 4) {
        return None;
    }
    memory::map_zeroed(MAPPING_SIZE).ok()
}
