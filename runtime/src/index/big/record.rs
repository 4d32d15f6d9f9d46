//! The record of a big allocation, as C programs see it.

use crate::avma::Avma;
use crate::index::pages::PageNumber;
use core::ffi::c_void;
use core::num::NonZeroU16;
use core::ops::Range;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicUsize, Ordering};

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
    pub(super) parent: AtomicU16,
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

/// Number of records, the one that stands for none included.
pub(super) const COUNT: usize = 1 << 16;

pub(super) static RECORDS: [BigAllocation; COUNT] = [const { BigAllocation::new() }; COUNT];
pub(super) static KINDS: [AtomicU8; COUNT] = [const { AtomicU8::new(Kind::Free as u8) }; COUNT];

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

pub(super) const PROMOTED: u8 = Kind::Promoted as u8;
pub(super) const ENDING: u8 = Kind::Ending as u8;

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
    pub(super) const fn new() -> BigAllocation {
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

    pub(super) fn pages(&self) -> Range<PageNumber> {
        PageNumber::starting_in(self.begin(), self.end())
    }

    pub(super) fn set_range(&self, begin: Avma, end: Avma) {
        self.begin.store(begin.0, Ordering::Relaxed);
        self.end.store(end.0, Ordering::Relaxed);
    }

    pub(super) fn clear(&self) {
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

/// `id`, its parent, and so on. Bounded, because a record being reused could seem to be its own ancestor.
pub(super) fn ancestors(id: BigId) -> impl Iterator<Item = BigId> {
    const DEEPEST: usize = 64;
    core::iter::successors(Some(id), |id| id.record().parent()).take(DEEPEST)
}
