//! The slots of a region: marks and sizes of its blocks.
//!
//! A block occupies two slots, those of its base and of the sixteen bytes behind: every malloc that we stand in front of
//! returns blocks of at least 32 bytes on 16-byte boundaries (`interpose` sees to it). The size is stored before the
//! mark, so whoever sees the mark sees the size. Slots of a freed block keep their size; only marks are cleared.
//!
//! # Safety
//! A [`Region`] gives valid, aligned slots, which are accessed as atomics only; the one scan that is written in assembly
//! reads whole cache lines of slots, aligned as the mapping is.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::LARGE;
use crate::index::regions::Region;
use crate::index::sites::SiteIndex;
use crate::sys::memory::PAGE_SIZE;
use core::arch::asm;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU32, Ordering};

/// Bytes of heap that have one slot.
pub const GRANULE: usize = 16;
/// Bytes of a slot.
pub const SLOT_SIZE: usize = 4;
/// Bytes of heap whose slots share a cache line.
const LINE: usize = 64 / SLOT_SIZE * GRANULE;

/// Bit of a slot that says "a block starts here". No size has it.
pub const START: u32 = 1 << 31;

/// The slot of a block's base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Mark(u32);

impl Mark {
    /// The mark of a block that `site` allocated.
    #[must_use]
    pub fn of(site: SiteIndex) -> Mark {
        Mark(START | site.0)
    }

    /// The bits as stored.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Who allocated the block.
    #[must_use]
    pub fn site(self) -> SiteIndex {
        SiteIndex(self.0 & !START)
    }
}

/// The slot behind a block's base: 30 bits of size; or, with bit 30, 16 bits of the size of a small block that has a record all the
/// same, or that a pool divides, which bit 29 says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Size(u32);

impl Size {
    const RECORDED: u32 = 1 << 30;
    const SATURATED: u32 = Size::RECORDED - 1;
    const DIVIDED: u32 = 1 << 29;
    /// The size of a small block.
    const SMALL: u32 = LARGE as u32 - 1;

    /// The slot for a size, which saturates near 1 GiB.
    #[must_use]
    pub fn of(size: usize) -> Size {
        Size(if size < Size::SATURATED as usize { size as u32 } else { Size::SATURATED })
    }

    /// The slot for a small block that has a record.
    #[must_use]
    pub fn recorded(self) -> Size {
        Size(self.0 | Size::RECORDED)
    }

    /// The slot for a small block that a pool divides.
    #[must_use]
    pub fn divided(self) -> Size {
        Size(self.0 | Size::RECORDED | Size::DIVIDED)
    }

    /// The size, or `None` if it did not fit: then the block's record has it.
    #[must_use]
    pub fn exact(self) -> Option<usize> {
        if self.0 == Size::SATURATED { None } else { Some(self.at_least()) }
    }

    /// The size, or near 1 GiB if it is more.
    #[must_use]
    pub fn at_least(self) -> usize {
        let mask = if self.is_recorded() { Size::SMALL } else { Size::SATURATED };
        (self.0 & mask) as usize
    }

    /// Whether the block may have a record. The fast path of `free` asks the same.
    #[must_use]
    pub fn may_have_record(self) -> bool {
        self.0 as usize >= LARGE
    }

    /// Whether it is that of a small block that may have a record.
    #[must_use]
    pub fn is_recorded(self) -> bool {
        self.0 & Size::RECORDED != 0
    }

    /// Whether it is that of a small block that a pool divides.
    #[must_use]
    pub fn is_divided(self) -> bool {
        self.is_recorded() && self.0 & Size::DIVIDED != 0
    }
}

/// The mark at `base`, if a block starts there.
#[must_use]
pub fn mark(region: Region, base: Avma) -> Option<Mark> {
    let bits = mark_slot(region, base).load(Ordering::Acquire);
    if bits & START != 0 { Some(Mark(bits)) } else { None }
}

/// The size that goes with the mark at `base`.
#[must_use]
pub fn size(region: Region, base: Avma) -> Size {
    Size(size_slot(region, base).load(Ordering::Relaxed))
}

/// Stores the size of the block at `base`, before its mark.
pub fn set_size(region: Region, base: Avma, size: Size) {
    size_slot(region, base).store(size.0, Ordering::Relaxed);
}

/// Changes the size of the block at `base`, if it still is `from`.
pub fn exchange_size(region: Region, base: Avma, from: Size, to: Size) -> bool {
    size_slot(region, base).compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// Marks the start of a block.
pub fn set_mark(region: Region, base: Avma, mark: Mark) {
    mark_slot(region, base).store(mark.0, Ordering::Release);
}

/// Ends a block.
pub fn clear_mark(region: Region, base: Avma) {
    mark_slot(region, base).store(0, Ordering::Release);
}

/// The last marked address at or before `p` and in its page.
#[must_use]
#[inline]
pub fn last_mark_in_page(region: Region, p: Avma) -> Option<Avma> {
    let first_line = p.0 & !(PAGE_SIZE - 1);
    let mut line = p.0 & !(LINE - 1);
    let up_to_p = u32::MAX >> (31 - (p.0 - line) / GRANULE);
    let mut marks = marks_of_line(region, Avma(line)) & up_to_p;
    while marks == 0 {
        if line == first_line {
            return None;
        }
        line -= LINE;
        marks = marks_of_line(region, Avma(line));
    }
    Some(Avma(line + marks.ilog2() as usize * GRANULE))
}

/// Calls `f` with each marked address in [`from`, `to`), which lie in `region`, in order, until it breaks.
pub fn for_each_mark<B>(
    region: Region,
    from: Avma,
    to: Avma,
    mut f: impl FnMut(Avma) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut line = from.0 & !(LINE - 1);
    while line < to.0 {
        let mut marks = marks_of_line(region, Avma(line));
        while marks != 0 {
            let address = Avma(line + marks.trailing_zeros() as usize * GRANULE);
            if address >= from && address < to {
                f(address)?;
            }
            marks &= marks - 1;
        }
        line += LINE;
    }
    ControlFlow::Continue(())
}

fn mark_slot(region: Region, base: Avma) -> &'static AtomicU32 {
    // SAFETY: a region's mapping is never given back, and its slots are only accessed atomically.
    unsafe { region.slot(base).as_ref() }
}

fn size_slot(region: Region, base: Avma) -> &'static AtomicU32 {
    // SAFETY: as above; behind each slot there is another.
    unsafe { region.slot(base).add(1).as_ref() }
}

/// One bit for each slot of the line of `line`, set where a block starts.
fn marks_of_line(region: Region, line: Avma) -> u32 {
    let slots = region.slot(line).as_ptr();
    let marks: u32;
    // SAFETY: the 64 bytes belong to the region's mapping and are 64-byte aligned, as `line` is LINE-aligned. Packing with
    // signed saturation keeps the sign of each slot, which is its start bit. Other threads may store to the slots
    // meanwhile: each aligned four bytes are read whole, as with an atomic load.
    unsafe {
        asm!(
            "movdqa {a}, xmmword ptr [{slots}]",
            "packssdw {a}, xmmword ptr [{slots} + 16]",
            "movdqa {b}, xmmword ptr [{slots} + 32]",
            "packssdw {b}, xmmword ptr [{slots} + 48]",
            "packsswb {a}, {b}",
            "pmovmskb {marks:e}, {a}",
            slots = in(reg) slots,
            marks = out(reg) marks,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            options(nostack, readonly, preserves_flags),
        );
    }
    marks
}
