//! The index of what pools, and a `malloc` of the program's own, gave: objects that the C library's heap knows nothing of.
//!
//! They may start at any address, have any size, and lie in a heap block, in a static or in a mapping; one may lie in another, as
//! the objects of a pool whose memory is another pool's. So they have a shadow of their own, that no `malloc` touches: one
//! word for eight bytes, with site and size of the object that starts there, a bitmap that says which words count, and a
//! *summary* of it, which says where it may have a bit. Of two objects that start in the same eight bytes the later one is known.
//!
//! Whoever makes or ends an object owns its memory, so that no two threads write the same word at once; bits are
//! set and cleared atomically. Nothing takes a lock, and readers may run at any time. An object whose pool was emptied
//! without a call that we see lives on until one is made in its place, or the memory that holds it is given back.
//!
//! # Safety
//! A region is set once, to a mapping that is never given back; all of it is accessed as atomics only.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::index::regions::{REGION_SHIFT, REGION_SIZE, end_of_region};
use crate::index::sites::SiteIndex;
use crate::sys::memory;
use allocs_metadata::Heap;
use core::ops::{ControlFlow, Range};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// An object that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Object {
    /// Its first byte.
    pub base: Avma,
    /// The bytes that the program asked for.
    pub size: usize,
    /// Who allocated it.
    pub site: SiteIndex,
    /// The kind of its heap.
    pub heap: Heap,
}

impl Object {
    /// Whether `p` points into the object; one of size 0 still has its base.
    #[must_use]
    pub fn holds(&self, p: Avma) -> bool {
        p.is_in(self.base, self.size.max(1))
    }

    fn end(&self) -> Avma {
        Avma(self.base.0.saturating_add(self.size.max(1)))
    }
}

/// Bytes of memory that have one word.
const GRANULE: usize = 8;
const GRANULES: usize = REGION_SIZE / GRANULE;
/// Granules that have one word of the bitmap.
const LINE: usize = 64;
const LINES: usize = GRANULES / LINE;

/// The shadow of 64 MiB of memory.
#[repr(C)]
struct Region {
    /// What starts in each granule.
    words: [AtomicU64; GRANULES],
    /// A bit for each granule: something starts there.
    starts: [AtomicU64; LINES],
    /// A bit for each word of `starts`: it was once not 0.
    summary: [AtomicU64; LINES / LINE],
}

/// Number of entries of the directory: regions that may have a shadow.
const DIRECTORY_SIZE: usize = 4096;

/// Number of a region from 1 on, and its shadow. The number is set first, and stays; 0 is none.
struct Entry {
    number: AtomicUsize,
    region: AtomicUsize,
}

/// A hash table with open addressing: what has a shadow here may lie anywhere.
static DIRECTORY: [Entry; DIRECTORY_SIZE] =
    [const { Entry { number: AtomicUsize::new(0), region: AtomicUsize::new(0) } }; DIRECTORY_SIZE];

/// Whether there ever was an object.
static EXIST: AtomicBool = AtomicBool::new(false);
/// Whether one ever lay in another.
static NESTED: AtomicBool = AtomicBool::new(false);
/// Size of the longest object ever.
static LONGEST: AtomicUsize = AtomicUsize::new(0);

/// Most objects that a look-up passes over on its way to one that encloses them.
const MOST_PASSED: usize = 4096;

/// Whether there ever was an object. Nobody else pays for this index.
#[must_use]
#[inline]
pub fn exist() -> bool {
    EXIST.load(Ordering::Relaxed)
}

/// The innermost object that holds `p`.
#[must_use]
pub fn object_at(p: Avma) -> Option<Object> {
    if !exist() {
        return None;
    }
    let floor = Avma(p.0.saturating_sub(LONGEST.load(Ordering::Relaxed)));
    let mut at = p;
    for _ in 0..MOST_PASSED {
        let object = last_start(floor, at)?;
        if object.holds(p) {
            return Some(object);
        }
        if !NESTED.load(Ordering::Relaxed) && object.base <= p {
            return None;
        }
        at = Avma((object.base.0 & !(GRANULE - 1)).checked_sub(1)?);
    }
    None
}

/// The object that starts at `base`.
#[must_use]
pub fn object_at_base(base: Avma) -> Option<Object> {
    let region = find(base)?;
    region.object(base, granule(base)).filter(|object| object.base == base)
}

/// Enters an object. Those that it overlaps are over; one that it lies in stays. Without memory, or if it is too large to be
/// described, it stays unknown.
pub fn insert(object: &Object) {
    let Some(word) = Word::of(object) else { return };
    if object.end() > Avma::USER_END || object.base.is_null() {
        return;
    }
    if exist() {
        evict(object);
    }
    let Some(region) = find_or_create(object.base) else { return };
    LONGEST.fetch_max(object.size.max(1), Ordering::Relaxed);
    EXIST.store(true, Ordering::Relaxed);
    region.set(granule(object.base), word);
}

/// Changes the site of an object that is there.
pub fn set_site(object: &Object, site: SiteIndex) {
    if let Some(region) = find(object.base)
        && let Some(word) = Word::of(&Object { site, ..*object })
    {
        region.set(granule(object.base), word);
    }
}

/// Takes out the object that starts at `base` and returns it.
pub fn remove(base: Avma) -> Option<Object> {
    let object = object_at_base(base)?;
    find(base)?.clear(granule(base)..granule(base) + 1);
    Some(object)
}

/// Takes out all that starts in [`begin`, `end`): the memory is given back.
pub fn forget(begin: Avma, end: Avma) {
    let mut from = begin;
    while from < end {
        let to = end.min(end_of_region(from));
        if let Some(region) = find(from) {
            region.clear(granule(from)..granule(Avma(to.0 - 1)) + 1);
        }
        from = to;
    }
}

/// Whether an object ever started in [`begin`, `end`), as far as no later one hides it.
#[must_use]
pub fn ever_in(begin: Avma, end: Avma) -> bool {
    let mut from = begin;
    while exist() && from < end {
        let to = end.min(end_of_region(from));
        if find(from).is_some_and(|region| region.was_used(granule(from)..granule(Avma(to.0 - 1)) + 1)) {
            return true;
        }
        from = to;
    }
    false
}

/// Calls `f` with each object that starts in [`begin`, `end`), in address order, until it breaks.
pub fn for_each<B>(begin: Avma, end: Avma, mut f: impl FnMut(Object) -> ControlFlow<B>) -> ControlFlow<B> {
    if !exist() {
        return ControlFlow::Continue(());
    }
    let mut after = begin.0 >> REGION_SHIFT;
    loop {
        let numbers =
            DIRECTORY.iter().filter_map(|entry| entry.number.load(Ordering::Acquire).checked_sub(1));
        let Some(number) = numbers.filter(|&number| number >= after).min() else { break };
        let start = Avma(number << REGION_SHIFT);
        if start >= end {
            break;
        }
        if let Some(region) = find(start) {
            for line in 0..LINES {
                let mut bits = region.starts[line].load(Ordering::Acquire);
                while bits != 0 {
                    let at = line * LINE + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    if let Some(object) = region.object(start, at)
                        && object.base >= begin
                        && object.base < end
                    {
                        f(object)?;
                    }
                }
            }
        }
        after = number + 1;
    }
    ControlFlow::Continue(())
}

/// Ends what `new` overlaps.
fn evict(new: &Object) {
    // The last eight bytes may hold the start of the object behind.
    let last = Avma(new.end().0 & !(GRANULE - 1));
    forget(new.base, last.max(Avma(new.base.0 + 1)));
    if let Some(region) = find(last)
        && let Some(object) = region.object(last, granule(last))
        && object.base < new.end()
    {
        remove(object.base);
    }
    while let Some(object) = object_at(new.base) {
        if object.base < new.base && object.end() >= new.end() {
            NESTED.store(true, Ordering::Relaxed);
            return;
        }
        remove(object.base);
    }
}

/// The last object that starts in [`floor`, `p`].
fn last_start(floor: Avma, p: Avma) -> Option<Object> {
    let mut p = p;
    loop {
        let start = Avma(p.0 & !(REGION_SIZE - 1));
        if let Some(region) = find(p)
            && let Some(object) = region.last_start(start, granule(p))
        {
            return (object.base >= floor).then_some(object);
        }
        if start <= floor {
            return None;
        }
        p = Avma(start.0 - 1);
    }
}

/// Number of the granule of an address in its region.
fn granule(a: Avma) -> usize {
    a.0 % REGION_SIZE / GRANULE
}

/// What is said of an object where it starts: from the low bits, 3 of its address, 1 for its heap, 24 of its site, 36 of its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Word(u64);

impl Word {
    const HEAP_SHIFT: u32 = 3;
    const SITE_SHIFT: u32 = 4;
    const SITE_MASK: u64 = (1 << 24) - 1;
    const SIZE_SHIFT: u32 = 28;

    fn of(object: &Object) -> Option<Word> {
        let size = object.size as u64;
        let site = u64::from(object.site.0);
        if size >= 1 << (64 - Word::SIZE_SHIFT) || site > Word::SITE_MASK {
            return None;
        }
        let heap = u64::from(object.heap == Heap::Small) << Word::HEAP_SHIFT;
        let offset = (object.base.0 % GRANULE) as u64;
        Some(Word(offset | heap | site << Word::SITE_SHIFT | size << Word::SIZE_SHIFT))
    }

    /// The object that starts in the granule at `start`.
    fn object(self, start: Avma) -> Object {
        Object {
            base: Avma(start.0 + self.0 as usize % GRANULE),
            size: (self.0 >> Word::SIZE_SHIFT) as usize,
            site: SiteIndex((self.0 >> Word::SITE_SHIFT & Word::SITE_MASK) as u32),
            heap: if self.0 >> Word::HEAP_SHIFT & 1 != 0 { Heap::Small } else { Heap::Malloc },
        }
    }
}

impl Region {
    /// What starts in a granule. `a` is any address of the region.
    fn object(&self, a: Avma, granule: usize) -> Option<Object> {
        let bits = self.starts[granule / LINE].load(Ordering::Acquire);
        if bits & 1 << (granule % LINE) == 0 {
            return None;
        }
        let start = Avma((a.0 & !(REGION_SIZE - 1)) + granule * GRANULE);
        Some(Word(self.words[granule].load(Ordering::Acquire)).object(start))
    }

    fn set(&self, granule: usize, word: Word) {
        self.words[granule].store(word.0, Ordering::Release);
        let line = granule / LINE;
        self.starts[line].fetch_or(1 << (granule % LINE), Ordering::Release);
        let summary = &self.summary[line / LINE];
        if summary.load(Ordering::Relaxed) & 1 << (line % LINE) == 0 {
            summary.fetch_or(1 << (line % LINE), Ordering::Release);
        }
    }

    /// Whether something ever started in these granules: what ended leaves its word.
    fn was_used(&self, granules: Range<usize>) -> bool {
        (granules.start / LINE..granules.end.div_ceil(LINE)).any(|line| {
            let is_hinted = self.summary[line / LINE].load(Ordering::Relaxed) & 1 << (line % LINE) != 0;
            let own = granules.start.max(line * LINE)..granules.end.min((line + 1) * LINE);
            is_hinted && self.words[own].iter().any(|word| word.load(Ordering::Relaxed) != 0)
        })
    }

    /// Says that nothing starts in these granules.
    fn clear(&self, granules: Range<usize>) {
        let mut from = granules.start;
        while from < granules.end {
            let (line, first) = (from / LINE, from % LINE);
            let count = (LINE - first).min(granules.end - from);
            let mask = (u64::MAX >> (LINE - count)) << first;
            if self.starts[line].load(Ordering::Relaxed) & mask != 0 {
                self.starts[line].fetch_and(!mask, Ordering::Release);
            }
            from += count;
        }
    }

    /// The last object that starts at or before a granule.
    fn last_start(&self, start: Avma, granule: usize) -> Option<Object> {
        let line = granule / LINE;
        let bits = self.starts[line].load(Ordering::Acquire) & (u64::MAX >> (LINE - 1 - granule % LINE));
        if bits != 0 {
            return self.object(start, line * LINE + bits.ilog2() as usize);
        }
        let mut end = line;
        while end > 0 {
            let lines = (end - 1) / LINE;
            let below = u64::MAX >> (LINE - 1 - (end - 1) % LINE);
            let mut hints = self.summary[lines].load(Ordering::Acquire) & below;
            while hints != 0 {
                let line = lines * LINE + hints.ilog2() as usize;
                let bits = self.starts[line].load(Ordering::Acquire);
                if bits != 0 {
                    return self.object(start, line * LINE + bits.ilog2() as usize);
                }
                hints &= !(1 << hints.ilog2());
            }
            end = lines * LINE;
        }
        None
    }
}

fn find(a: Avma) -> Option<&'static Region> {
    let number = number_of(a);
    for entry in probe(number) {
        match entry.number.load(Ordering::Acquire) {
            0 => return None,
            found if found == number => return region_of(entry),
            _ => {}
        }
    }
    None
}

fn region_of(entry: &Entry) -> Option<&'static Region> {
    // SAFETY: NULL, or a mapping of a region's size, which is never given back; zeros are a region, and it is all atomics.
    unsafe { (entry.region.load(Ordering::Acquire) as *const Region).as_ref() }
}

fn find_or_create(a: Avma) -> Option<&'static Region> {
    find(a).or_else(|| create(a))
}

#[cold]
fn create(a: Avma) -> Option<&'static Region> {
    let number = number_of(a);
    let entry = probe(number).find(|entry| {
        let taken = entry.number.compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
        taken.is_ok() || taken == Err(number)
    })?;
    if let Some(region) = region_of(entry) {
        return Some(region);
    }
    let mapping = memory::map_zeroed(size_of::<Region>()).ok()?;
    memory::keep_pages_small(mapping, size_of::<Region>());
    let new = mapping.as_ptr() as usize;
    if entry.region.compare_exchange(0, new, Ordering::AcqRel, Ordering::Acquire).is_err() {
        // SAFETY: another thread's is in use; nobody has seen ours.
        unsafe { memory::unmap(NonNull::new_unchecked(new as *mut u8), size_of::<Region>()) };
    }
    region_of(entry)
}

fn number_of(a: Avma) -> usize {
    (a.0 >> REGION_SHIFT) + 1
}

/// The entries where a region may stand.
fn probe(number: usize) -> impl Iterator<Item = &'static Entry> {
    let first = number.wrapping_mul(0x9e37_79b9) % DIRECTORY_SIZE;
    (0..64).map(move |step| &DIRECTORY[(first + step) % DIRECTORY_SIZE])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    #[derive(Clone, Debug)]
    enum Step {
        Allocate { at: usize, size: usize },
        Free { which: usize },
        GiveBack { at: usize, size: usize },
        Look { at: usize },
    }

    const SPACE: usize = 1 << 16;

    fn steps(granule: usize) -> impl Strategy<Value = Vec<Step>> {
        let at = move || (0..SPACE / granule).prop_map(move |n| n * granule);
        let size = || prop_oneof![5 => 0usize..40, 3 => 0usize..600, 1 => 0usize..SPACE / 2];
        let step = prop_oneof![
            6 => (at(), size()).prop_map(|(at, size)| Step::Allocate { at, size }),
            2 => any::<usize>().prop_map(|which| Step::Free { which }),
            1 => (at(), size()).prop_map(|(at, size)| Step::GiveBack { at, size }),
            6 => (0..SPACE).prop_map(|at| Step::Look { at }),
        ];
        prop::collection::vec(step, 1..300)
    }

    /// Plays steps from `start` on and compares with a model: objects by base, of which one may lie in another.
    fn play(start: usize, steps: &[Step]) {
        forget(Avma(start), Avma(start + 2 * SPACE));
        let mut model: BTreeMap<usize, (usize, u32)> = BTreeMap::new();
        let end = |base: usize, size: usize| base + size.max(1);
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Allocate { at, size } => {
                    let (base, site) = (start + at, number as u32 + 1);
                    model.retain(|&other, &mut (other_size, _)| {
                        let is_apart = end(other, other_size) <= base || other >= end(base, size);
                        let encloses = other < base && end(other, other_size) >= end(base, size);
                        let is_same_granule = other / GRANULE == base / GRANULE;
                        (is_apart || encloses) && !is_same_granule
                    });
                    model.insert(base, (size, site));
                    let heap = if number % 2 == 0 { Heap::Malloc } else { Heap::Small };
                    insert(&Object { base: Avma(base), size, site: SiteIndex(site), heap });
                }
                Step::Free { which } => {
                    let Some(&base) = model.keys().nth(which % model.len().max(1)) else { continue };
                    let (size, _) = model.remove(&base).unwrap();
                    assert_eq!(remove(Avma(base)).map(|object| object.size), Some(size));
                    assert_eq!(remove(Avma(base)), None);
                }
                Step::GiveBack { at, size } => {
                    let from = (start + at) & !(GRANULE - 1);
                    let to = (from + size).next_multiple_of(GRANULE);
                    forget(Avma(from), Avma(to));
                    model.retain(|base, _| !(from..to).contains(base));
                }
                Step::Look { at } => {
                    let p = start + at;
                    let holding = model.range(..=p).rev().find(|&(&base, &(size, _))| p < end(base, size));
                    let found = object_at(Avma(p));
                    let expected = holding.map(|(&base, &(size, site))| (base, size, site));
                    assert_eq!(found.map(|it| (it.base.0, it.size, it.site.0)), expected, "{p:#x}");
                    if let Some(object) = found {
                        assert_eq!(object.heap == Heap::Malloc, object.site.0 % 2 == 1);
                        assert!(ever_in(object.base, Avma(object.base.0 + 1)));
                    }
                }
            }
        }
        let mut seen = Vec::new();
        let _: ControlFlow<()> = for_each(Avma(start), Avma(start + SPACE), |object| {
            seen.push((object.base.0, (object.size, object.site.0)));
            ControlFlow::Continue(())
        });
        assert_eq!(seen, model.into_iter().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn objects_are_found_as_in_a_model(steps in steps(8)) {
            // Over the boundary of two regions.
            play((0x1234 << REGION_SHIFT) - SPACE / 2, &steps);
        }

        #[test]
        fn objects_of_any_alignment_are_found(steps in steps(1)) {
            play(0x4321 << REGION_SHIFT, &steps);
        }
    }

    #[test]
    fn what_cannot_be_described_stays_unknown() {
        let object = |base, size| Object { base: Avma(base), size, site: SiteIndex(1), heap: Heap::Small };
        insert(&object(0x5555 << REGION_SHIFT, 1 << 36));
        insert(&object(Avma::USER_END.0 - 8, 16));
        insert(&object(0, 16));
        assert_eq!(object_at_base(Avma(0x5555 << REGION_SHIFT)), None);
        assert_eq!(object_at_base(Avma(Avma::USER_END.0 - 8)), None);
        assert!(!ever_in(Avma(0x5555 << REGION_SHIFT), Avma(0x5556 << REGION_SHIFT)));
    }
}
