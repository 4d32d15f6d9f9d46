//! Addresses in the memory of this process.

use core::ffi::c_void;

/// An actual virtual memory address, as opposed to the address that a file states for it. Any bits at all: it need not
/// be mapped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Avma(pub usize);

impl Avma {
    /// The null pointer.
    pub const NULL: Avma = Avma(0);
    /// End of what a program on x86-64 with four-level page tables can map.
    pub const USER_END: Avma = Avma(1 << 47);

    /// The address that a pointer holds.
    #[must_use]
    pub fn of<T: ?Sized>(pointer: *const T) -> Avma {
        Avma(pointer.cast::<c_void>() as usize)
    }

    /// The address as a pointer.
    #[must_use]
    pub const fn pointer<T>(self) -> *mut T {
        self.0 as *mut T
    }

    /// Whether this is the null pointer.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// `self + bytes`, or `None` past the end of the address space.
    #[must_use]
    pub const fn checked_add(self, bytes: usize) -> Option<Avma> {
        match self.0.checked_add(bytes) {
            Some(sum) => Some(Avma(sum)),
            None => None,
        }
    }

    /// Distance from `base` up to `self`, or `None` if `self` lies below.
    #[must_use]
    pub const fn offset_from(self, base: Avma) -> Option<usize> {
        self.0.checked_sub(base.0)
    }

    /// Whether `self` lies in [`start`, `start + len`); `start + len` may wrap around to 0.
    #[must_use]
    pub const fn is_in(self, start: Avma, len: usize) -> bool {
        self.0.wrapping_sub(start.0) < len
    }
}
