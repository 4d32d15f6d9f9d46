//! A growing list in a mapping of its own, for work in places where there is no heap.
//!
//! # Safety
//! The mapping has room for `capacity` elements of which the first `len` are initialised; elements are `Copy`, so
//! none needs dropping, and zeroed memory is never read as an element.
#![allow(unsafe_code)]

use core::ptr::NonNull;

use crate::sys::memory::{self, PAGE_SIZE};

/// The list. Its memory goes back to the kernel when it is dropped.
#[derive(Debug)]
pub struct Scratch<T: Copy> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
}

impl<T: Copy> Default for Scratch<T> {
    fn default() -> Self {
        Scratch { start: NonNull::dangling(), len: 0, capacity: 0 }
    }
}

impl<T: Copy> Scratch<T> {
    /// Adds an element; `None` where the kernel has no more memory.
    pub fn push(&mut self, value: T) -> Option<()> {
        if self.len == self.capacity {
            self.grow()?;
        }
        // SAFETY: there is room for one more.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        Some(())
    }

    /// Makes it `len` copies of `value`.
    pub fn fill(&mut self, value: T, len: usize) -> Option<()> {
        self.len = 0;
        (0..len).try_for_each(|_| self.push(value))
    }

    /// Drops all elements but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Adds elements; `None` where the kernel has no more memory.
    pub fn extend(&mut self, values: &[T]) -> Option<()> {
        values.iter().try_for_each(|&value| self.push(value))
    }

    /// The elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: the first `len` elements are initialised.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The elements, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: the first `len` elements are initialised, and borrowed through `self`.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    #[cold]
    fn grow(&mut self) -> Option<()> {
        let bytes = (2 * self.capacity * size_of::<T>()).max(4 * PAGE_SIZE);
        let start = memory::map_zeroed(bytes).ok()?.cast::<T>();
        // SAFETY: the new mapping is larger and apart from the old one, which is given back, if it is one.
        unsafe {
            core::ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.len);
            self.unmap();
        }
        self.start = start;
        self.capacity = bytes / size_of::<T>();
        Some(())
    }

    /// # Safety
    /// Nothing refers to the mapping any more.
    unsafe fn unmap(&mut self) {
        if self.capacity > 0 {
            let bytes = (self.capacity * size_of::<T>()).next_multiple_of(PAGE_SIZE);
            // SAFETY: the mapping is ours alone.
            unsafe { memory::unmap(self.start.cast(), bytes) };
        }
    }
}

impl<T: Copy> Drop for Scratch<T> {
    fn drop(&mut self) {
        // SAFETY: `self` goes away.
        unsafe { self.unmap() };
    }
}

/// A set of non-zero words.
#[derive(Debug, Default)]
pub struct WordSet {
    slots: Scratch<usize>,
    len: usize,
}

impl WordSet {
    /// Adds a word; whether it is new. `None` where the kernel has no more memory.
    pub fn insert(&mut self, word: usize) -> Option<bool> {
        if 2 * (self.len + 1) > self.slots.as_slice().len() {
            self.grow()?;
        }
        let new = place(self.slots.as_mut_slice(), word)?;
        self.len += usize::from(new);
        Some(new)
    }

    fn grow(&mut self) -> Option<()> {
        let mut slots = Scratch::default();
        slots.fill(0, (2 * self.slots.as_slice().len()).max(256))?;
        for &word in self.slots.as_slice().iter().filter(|&&word| word != 0) {
            place(slots.as_mut_slice(), word)?;
        }
        self.slots = slots;
        Some(())
    }
}

/// Puts a word where a search for it ends; the number of slots is a power of two and one is free.
fn place(slots: &mut [usize], word: usize) -> Option<bool> {
    let mask = slots.len().wrapping_sub(1);
    let mut at = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    loop {
        let slot = slots.get_mut(at & mask)?;
        if *slot == word {
            return Some(false);
        }
        if *slot == 0 {
            *slot = word;
            return Some(true);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_word_set_is_a_set(words in prop::collection::vec(1usize..500, 0..2000)) {
            let mut set = WordSet::default();
            let mut model = HashSet::new();
            for word in words {
                prop_assert_eq!(set.insert(word), Some(model.insert(word)));
            }
        }
    }

    #[test]
    fn a_list_keeps_what_it_holds_while_it_grows() {
        let mut list = Scratch::default();
        for i in 0..10_000usize {
            list.push(i).unwrap();
        }
        assert_eq!(list.as_slice(), (0..10_000).collect::<Vec<_>>());
    }
}
