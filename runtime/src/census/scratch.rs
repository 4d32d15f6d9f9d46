//! An array in a mapping of its own, for the time of one census.
//!
//! # Safety
//! The mapping has room for `capacity` values, of which the first `len` are initialised. It belongs to the array alone.
#![allow(unsafe_code)]

use crate::sys::memory;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

/// An array of up to a fixed number of values.
pub struct Scratch<T: Copy> {
    start: NonNull<u8>,
    capacity: usize,
    len: usize,
    values: PhantomData<T>,
}

impl<T: Copy> Scratch<T> {
    /// An empty array, or `None` when there is no memory.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Option<Scratch<T>> {
        const { assert!(align_of::<T>() <= memory::PAGE_SIZE) };
        let start = memory::map_zeroed(capacity.checked_mul(size_of::<T>())?.max(1)).ok()?;
        Some(Scratch { start, capacity, len: 0, values: PhantomData })
    }

    /// Adds a value, unless the array is full.
    pub fn push(&mut self, value: T) {
        if self.len < self.capacity {
            // SAFETY: there is room for one more, aligned, since a mapping is page-aligned.
            unsafe { self.start.cast::<T>().add(self.len).write(value) };
            self.len += 1;
        }
    }

    /// Keeps the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The values.
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` values are initialised.
        unsafe { core::slice::from_raw_parts(self.start.cast::<T>().as_ptr(), self.len) }
    }

    /// The values, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as above, and nothing else refers to them.
        unsafe { core::slice::from_raw_parts_mut(self.start.cast::<T>().as_ptr(), self.len) }
    }
}

impl<T: Copy> Deref for Scratch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T: Copy> Drop for Scratch<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is the array's, made with this length, and nothing refers to it any more.
        unsafe { memory::unmap(self.start, (self.capacity * size_of::<T>()).max(1)) };
    }
}
