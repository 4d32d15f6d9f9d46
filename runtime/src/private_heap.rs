//! Memory of our own: a lock-free bump allocator over anonymous mappings.
//!
//! Nothing is ever freed, so what it hands out is `'static`. It may be used from signal handlers, from any thread and
//! after a fork. Where the kernel gives no more memory it answers `None`, and the caller degrades.
//!
//! # Safety
//! A chunk is zeroed memory that only this file refers to. A piece of it is handed out once, because `next` only grows
//! and is moved by compare-and-exchange.
#![allow(unsafe_code)]

use crate::sys::memory;
use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Size of a chunk, header included. A request for more than half of it gets a mapping of its own.
const CHUNK_SIZE: usize = 64 * 1024;

static HEAP: PrivateHeap = PrivateHeap::new();

/// Zeroed memory for `layout`, or `None` when the kernel has no more.
pub fn alloc(layout: Layout) -> Option<NonNull<u8>> {
    HEAP.alloc(layout)
}

/// Moves `value` to where it stays for ever.
pub fn alloc_value<T>(value: T) -> Option<&'static T> {
    let place = alloc(Layout::new::<T>())?.cast::<T>();
    // SAFETY: the place is ours alone, aligned and large enough, and never freed.
    unsafe {
        place.write(value);
        Some(place.as_ref())
    }
}

/// Copies `values` to where they stay for ever.
pub fn alloc_slice<T: Copy>(values: &[T]) -> Option<&'static [T]> {
    let place = alloc(Layout::for_value(values))?.cast::<T>();
    // SAFETY: the place is ours alone, aligned and large enough for all values, and never freed.
    unsafe {
        core::ptr::copy_nonoverlapping(values.as_ptr(), place.as_ptr(), values.len());
        Some(core::slice::from_raw_parts(place.as_ptr(), values.len()))
    }
}

/// Zeroed bytes that stay for ever.
pub fn alloc_bytes(len: usize) -> Option<&'static mut [u8]> {
    let place = alloc(Layout::array::<u8>(len).ok()?)?;
    // SAFETY: the place is ours alone, zeroed, and never freed.
    Some(unsafe { core::slice::from_raw_parts_mut(place.as_ptr(), len) })
}

struct PrivateHeap {
    current: AtomicPtr<Chunk>,
}

/// Header of a chunk, at its start.
struct Chunk {
    /// Address of the first free byte.
    next: AtomicUsize,
    /// Address one past the last byte.
    end: usize,
}

impl PrivateHeap {
    const fn new() -> PrivateHeap {
        PrivateHeap { current: AtomicPtr::new(core::ptr::null_mut()) }
    }

    fn alloc(&self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.size() > CHUNK_SIZE / 2 || layout.align() > memory::PAGE_SIZE {
            return map_aligned(layout);
        }
        loop {
            let current = self.current.load(Ordering::Acquire);
            // SAFETY: a published chunk is initialised and never unmapped.
            if let Some(place) = unsafe { current.as_ref() }.and_then(|chunk| chunk.take(layout)) {
                return Some(place);
            }
            self.add_chunk(current)?;
        }
    }

    /// Puts a new chunk in the place of `full`, unless another thread did so first.
    fn add_chunk(&self, full: *mut Chunk) -> Option<()> {
        let start = memory::map_zeroed(CHUNK_SIZE).ok()?;
        let address = start.as_ptr() as usize;
        let chunk = start.cast::<Chunk>();
        let header =
            Chunk { next: AtomicUsize::new(address + size_of::<Chunk>()), end: address + CHUNK_SIZE };
        // SAFETY: the mapping is new, page-aligned and larger than the header.
        unsafe { chunk.write(header) };
        let raced =
            self.current.compare_exchange(full, chunk.as_ptr(), Ordering::AcqRel, Ordering::Acquire).is_err();
        if raced {
            // SAFETY: nobody else has seen this chunk.
            unsafe { memory::unmap(start, CHUNK_SIZE) };
        }
        Some(())
    }
}

impl Chunk {
    fn take(&self, layout: Layout) -> Option<NonNull<u8>> {
        let mut next = self.next.load(Ordering::Relaxed);
        loop {
            let start = next.next_multiple_of(layout.align());
            let after = start.checked_add(layout.size())?;
            if after > self.end {
                return None;
            }
            match self.next.compare_exchange_weak(next, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return NonNull::new(start as *mut u8),
                Err(now) => next = now,
            }
        }
    }
}

fn map_aligned(layout: Layout) -> Option<NonNull<u8>> {
    let slack = if layout.align() > memory::PAGE_SIZE { layout.align() } else { 0 };
    let start = memory::map_zeroed(layout.size().checked_add(slack)?).ok()?;
    NonNull::new((start.as_ptr() as usize).next_multiple_of(layout.align()) as *mut u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[test]
    fn pieces_of_all_threads_are_aligned_zeroed_and_disjoint() {
        let heap = PrivateHeap::new();
        let sizes = [0usize, 1, 7, 24, 100, 4096, 40_000, 100_000];
        let aligns = [1usize, 2, 8, 16, 64, 4096];
        let pieces: Vec<(usize, usize)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let heap = &heap;
                    scope.spawn(move || {
                        (0..500)
                            .map(|i| {
                                let layout =
                                    Layout::from_size_align(sizes[(i + thread) % 8], aligns[i % 6]).unwrap();
                                let place = heap.alloc(layout).unwrap();
                                let address = place.as_ptr() as usize;
                                assert_eq!(address % layout.align(), 0);
                                for offset in 0..layout.size() {
                                    // SAFETY: within the piece that we just got.
                                    unsafe {
                                        assert_eq!(place.add(offset).read(), 0);
                                        place.add(offset).write(0xff);
                                    }
                                }
                                (address, layout.size())
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let by_address: BTreeMap<usize, usize> = pieces.into_iter().filter(|piece| piece.1 > 0).collect();
        let mut end = 0;
        for (start, size) in by_address {
            assert!(start >= end, "{start:#x} overlaps the piece that ends at {end:#x}");
            end = start + size;
        }
    }
}
