//! The loaded files and their metadata.
//!
//! A file is looked at when its code allocates for the first time or the first query comes that concerns it, not when it is
//! loaded. Its metadata is mapped and stays mapped for ever, so that types and names outlive the file, and serves the same file
//! when it is loaded again. [`dl`] asks the
//! dynamic linker which file covers an address, [`elf`] finds the section in the file, [`open`] checks that it describes the
//! file in memory, [`symbols`] are those of the dynamic linker, for files without metadata.
//!
//! # Safety
//! A [`Module`] is never freed. The registry is a fixed array of lists that only grow at their heads, by
//! compare-and-exchange.
#![allow(unsafe_code)]

pub mod dl;
pub mod elf;
pub mod open;
pub mod symbols;

use core::ffi::CStr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crate::avma::Avma;
use crate::types::TypedFile;
use crate::types::scratch::Scratch;

/// An address as the file states it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub struct Svma(pub u64);

/// A loaded file.
#[derive(Debug)]
pub struct Module {
    /// Start of its first segment.
    pub start: Avma,
    /// End of its last segment.
    pub end: Avma,
    /// What is added to an address in the file.
    pub bias: usize,
    /// Its `.eh_frame_hdr`, or NULL.
    pub eh_frame_hdr: Avma,
    /// The loaded segment that holds its unwind rules; it is mapped only while the file is.
    pub unwind_segment: Option<(Avma, usize)>,
    /// Path that it was loaded from; empty for the program itself.
    loaded_from: &'static CStr,
    /// Its build-id; empty if it has none.
    pub build_id: &'static [u8],
    /// What allocscc wrote into it.
    pub metadata: Option<&'static TypedFile>,
    /// The generation in which it was last seen to be loaded.
    seen: AtomicU64,
    next: *const Module,
}

// SAFETY: all fields but `seen`, an atomic, are constant once the module is published; what they point to stays.
unsafe impl Sync for Module {}

impl Module {
    /// Address in the file of an address in memory.
    #[must_use]
    pub fn svma(&self, address: Avma) -> Svma {
        Svma(address.0.wrapping_sub(self.bias) as u64)
    }

    /// Address in memory of an address in the file.
    #[must_use]
    pub fn avma(&self, address: Svma) -> Avma {
        Avma((address.0 as usize).wrapping_add(self.bias))
    }

    /// Path of the file.
    #[must_use]
    pub fn path(&self) -> &'static CStr {
        if self.loaded_from.is_empty() { open::program_path() } else { self.loaded_from }
    }

    /// Whether it may be the file that is loaded now: what of it is in memory lies in the same places.
    fn lies_as(&self, loaded: &dl::Loaded) -> bool {
        self.start == loaded.start && self.end == loaded.end && self.bias == loaded.bias
    }

    /// Whether it is the file that is loaded now at its place.
    fn is(&self, loaded: &dl::Loaded) -> bool {
        // SAFETY: `loaded` was just found, and the program must not close a file that it asks about.
        unsafe { loaded.path() == self.loaded_from && open::build_id(loaded) == self.build_id }
    }
}

const BUCKETS: usize = 64;
static REGISTRY: [AtomicPtr<Module>; BUCKETS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; BUCKETS];

/// Counts the files that were unloaded. What was learned about an address in an older generation is checked again.
static GENERATION: AtomicU64 = AtomicU64::new(1);

/// The number of the present set of loaded files; it changes whenever one is unloaded.
#[must_use]
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Notes that files were unloaded.
pub fn unloaded() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// The loaded file that covers an address.
#[must_use]
pub fn at(address: Avma) -> Option<&'static Module> {
    of(&dl::loaded_at(address)?)
}

/// The loaded file with code at an address, for whoever may be asked while the program allocates: then it may hold a lock
/// that somebody waits for with that of the dynamic linker.
#[must_use]
pub fn at_without_lock(address: Avma) -> Option<&'static Module> {
    if dl::has_no_lock() { at(address) } else { last_seen_at(address).or_else(|| dl::mapped_at(address, of)) }
}

fn of(loaded: &dl::Loaded) -> Option<&'static Module> {
    let bucket = &REGISTRY[bucket_of(loaded.start)];
    let generation = generation();
    loop {
        let head = bucket.load(Ordering::Acquire);
        if let Some(module) = find(head, loaded, generation) {
            return Some(module);
        }
        let module = open::open(loaded, head, generation)?;
        let new = core::ptr::from_ref(module).cast_mut();
        if bucket.compare_exchange(head, new, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return Some(module);
        }
    }
}

/// The file that covered an address when the files were last looked at in this generation. It may be unloaded meanwhile.
#[must_use]
pub fn last_seen_at(address: Avma) -> Option<&'static Module> {
    registered().find(|module| {
        let covers = (module.start..module.end).contains(&address);
        covers && module.seen.load(Ordering::Relaxed) == generation()
    })
}

/// A file of this path and build-id that was looked at before, wherever it lay.
fn same_file(path: &CStr, build_id: &[u8]) -> Option<&'static Module> {
    if build_id.is_empty() {
        return None;
    }
    registered().find(|module| module.build_id == build_id && module.loaded_from == path)
}

/// All files that were ever looked at.
fn registered() -> impl Iterator<Item = &'static Module> {
    REGISTRY.iter().flat_map(|bucket| {
        // SAFETY: NULL, or a module, which is never freed.
        let as_module = |at: *const Module| unsafe { at.as_ref() };
        let first = as_module(bucket.load(Ordering::Acquire));
        core::iter::successors(first, move |module| as_module(module.next))
    })
}

/// Calls `f` for each loaded file, in load order, until it gives something. Looks at those, too, that no query concerned yet.
///
/// Takes the dynamic linker's lock, unlike [`at`]: see [`dl::each_loaded`]. Under it, only files that no query concerned yet
/// are opened, which another thread could close otherwise. `f` is called without it, since modules stay.
pub fn each<T>(f: impl FnMut(&'static Module) -> Option<T>) -> Option<T> {
    let mut modules: Scratch<&'static Module> = Scratch::default();
    // Without memory the first ones are all there are.
    let _ = dl::each_loaded(|loaded| modules.push(at(loaded.start)?).is_none().then_some(()));
    modules.as_slice().iter().copied().find_map(f)
}

fn find(mut module: *const Module, loaded: &dl::Loaded, generation: u64) -> Option<&'static Module> {
    loop {
        // SAFETY: modules are never freed.
        let this: &'static Module = unsafe { module.as_ref() }?;
        // Between a real `dlclose` and the note of it, another file may be loaded there already.
        if this.lies_as(loaded) {
            if this.seen.load(Ordering::Relaxed) == generation {
                return Some(this);
            }
            if this.is(loaded) {
                this.seen.store(generation, Ordering::Relaxed);
                return Some(this);
            }
        }
        module = this.next;
    }
}

fn bucket_of(start: Avma) -> usize {
    (start.0 >> 12) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_in_the_same_generation_is_not_taken_for_the_old_one() {
        dl::init();
        let here = Avma(bucket_of as fn(Avma) -> usize as usize);
        let module = at(here).unwrap();
        let loaded = dl::loaded_at(here).unwrap();
        let check = |loaded: dl::Loaded, expect: bool| {
            assert_eq!(find(module, &loaded, generation()).is_some(), expect, "{loaded:?}");
        };
        check(loaded, true);
        check(dl::Loaded { end: Avma(loaded.end.0 - 4096), ..loaded }, false);
        check(dl::Loaded { bias: loaded.bias.wrapping_add(4096), ..loaded }, false);
    }
}
