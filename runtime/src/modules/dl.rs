//! What the dynamic linker knows: which loaded file covers an address.
//!
//! glibc 2.35 and later answer without a lock ([`_dl_find_object`](https://sourceware.org/glibc/manual/)); older ones through
//! `dl_iterate_phdr`, with the lock that [`each_loaded`] describes. Where that must not be taken, [`mapped_at`] asks the
//! kernel.
//!
//! # Safety
//! The structures are those of glibc's `<dlfcn.h>` and `<link.h>`. What they point to stays mapped while the file is loaded,
//! and a file that covers an address that the program just asked about is loaded.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use super::{Module, elf};
use crate::allocators::mmap;
use crate::avma::Avma;
use crate::modules;
use crate::sys::links::Link;
use crate::sys::loaded::{self, PT_GNU_EH_FRAME, PT_LOAD};
use crate::sys::memory::PAGE_SIZE;
use crate::sys::{lookup, process};
use crate::types::scratch::Scratch;

/// A loaded file as the dynamic linker sees it.
#[derive(Clone, Copy, Debug)]
pub struct Loaded {
    /// Start of its first segment.
    pub start: Avma,
    /// End of its last segment.
    pub end: Avma,
    /// What is added to an address in the file.
    pub bias: usize,
    /// Path that it was loaded from; empty for the program itself.
    pub path: *const c_char,
    /// Its `.eh_frame_hdr`, or NULL.
    pub eh_frame_hdr: Avma,
    /// What `dlsym` knows it by; NULL if it was found through `dl_iterate_phdr`.
    pub handle: *mut c_void,
}

impl Loaded {
    /// The path, as long as the file is loaded.
    ///
    /// # Safety
    /// The file is loaded while the result is used.
    #[must_use]
    pub unsafe fn path<'a>(&self) -> &'a CStr {
        // SAFETY: the dynamic linker keeps the name while the file is loaded.
        if self.path.is_null() { c"" } else { unsafe { CStr::from_ptr(self.path) } }
    }
}

#[repr(C)]
struct FoundObject {
    flags: u64,
    map_start: usize,
    map_end: usize,
    link_map: *const Link,
    eh_frame: usize,
    reserved: [u64; 7],
}

type FindObject = unsafe extern "C" fn(*const c_void, *mut FoundObject) -> c_int;

static FIND_OBJECT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Looks up what this glibc has. Called once, at start.
pub fn init() {
    FIND_OBJECT.store(lookup::in_use(c"_dl_find_object"), Ordering::Release);
}

/// The loaded file that covers an address.
#[must_use]
pub fn loaded_at(address: Avma) -> Option<Loaded> {
    let function = FIND_OBJECT.load(Ordering::Relaxed);
    if function.is_null() {
        return iterate(address);
    }
    // SAFETY: this symbol of glibc has this signature.
    let find = unsafe { core::mem::transmute::<*mut c_void, FindObject>(function) };
    let mut found = core::mem::MaybeUninit::<FoundObject>::uninit();
    // SAFETY: any address may be asked for; on success `found` is filled in, and the link map is that of a loaded file.
    unsafe {
        if find(address.pointer(), found.as_mut_ptr()) != 0 {
            return None;
        }
        let found = found.assume_init_ref();
        let map = found.link_map.as_ref()?;
        Some(Loaded {
            start: Avma(found.map_start),
            end: Avma(found.map_end),
            bias: map.bias,
            path: map.name,
            eh_frame_hdr: Avma(found.eh_frame),
            handle: found.link_map.cast_mut().cast(),
        })
    }
}

/// The loaded file that a handle of `dlopen` stands for.
///
/// # Safety
/// The handle is that of a file that is loaded.
#[must_use]
pub unsafe fn of_handle(handle: *mut c_void) -> Option<&'static Module> {
    // SAFETY: with glibc a handle is the address of the file's link map, whose dynamic section lies in the file.
    modules::at(unsafe { handle.cast::<Link>().as_ref() }?.dynamic)
}

/// Whether [`loaded_at`] answers without a lock.
#[must_use]
pub fn has_no_lock() -> bool {
    !FIND_OBJECT.load(Ordering::Relaxed).is_null()
}

/// Hands out the loaded file whose code is at an address, as the kernel's mappings and the file's headers in memory say it.
pub fn mapped_at<T>(address: Avma, f: impl FnOnce(&Loaded) -> Option<T>) -> Option<T> {
    let (mut name, mut start) = (Scratch::default(), Avma::NULL);
    mmap::find_mapping(|named| {
        // The mappings of a loaded file lie side by side; there may be others of it, as of its metadata.
        if named.mapping.offset == 0 && !named.name().is_empty() {
            start = named.mapping.start;
            name.truncate(0);
            // Without memory it is no path.
            let _ = name.extend(named.name());
        }
        address.is_in(named.mapping.start, named.mapping.size())
    })?;
    name.push(0)?;
    let mut page = Scratch::default();
    page.fill(0, PAGE_SIZE)?;
    // The kernel reads it, since the program may have mapped the file where it cannot be read.
    let size = process::read_memory(start, page.as_mut_slice()).ok()?;
    let segments = || elf::loaded::segments(page.as_slice().get(..size).unwrap_or(&[]));
    let loads = || segments().filter(|segment| segment.kind == PT_LOAD);
    let bias = start.0.wrapping_sub(loads().map(|load| load.svma & !4095).min()? as usize);
    let at = |svma: u64| Avma(bias.wrapping_add(svma as usize));
    let end = at(loads().map(|load| load.svma.saturating_add(load.memory_size)).max()?);
    let eh_frame = segments().find(|segment| segment.kind == PT_GNU_EH_FRAME);
    let loaded = Loaded {
        start,
        end,
        bias,
        path: name.as_slice().as_ptr().cast(),
        eh_frame_hdr: eh_frame.map_or(Avma::NULL, |segment| at(segment.svma)),
        handle: core::ptr::null_mut(),
    };
    if (start..end).contains(&address) { f(&loaded) } else { None }
}

/// Calls `f` for each loaded file, in load order, until it gives something.
///
/// Under the lock that [`loaded::each`] describes. With glibc 2.35 and later, three questions come here: that for a type by
/// name, the first one for a type that its file only declares, and a walk over the whole process.
pub fn each_loaded<T>(mut f: impl FnMut(Loaded) -> Option<T>) -> Option<T> {
    loaded::each(|file| describe(file).and_then(&mut f))
}

fn iterate(address: Avma) -> Option<Loaded> {
    each_loaded(|loaded| {
        let size = loaded.end.offset_from(loaded.start)?;
        address.is_in(loaded.start, size).then_some(loaded)
    })
}

fn describe(file: &loaded::File) -> Option<Loaded> {
    let headers = file.headers();
    let loads = || headers.iter().filter(|h| h.kind == PT_LOAD);
    let start = loads().map(|h| h.svma & !4095).min()?;
    let end = loads().map(|h| h.svma.saturating_add(h.size)).max()?;
    let eh_frame = headers.iter().find(|h| h.kind == PT_GNU_EH_FRAME);
    Some(Loaded {
        start: file.avma(start),
        end: file.avma(end),
        bias: file.bias,
        path: file.path,
        eh_frame_hdr: eh_frame.map_or(Avma::NULL, |h| file.avma(h.svma)),
        handle: core::ptr::null_mut(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_find_the_same_file() {
        init();
        assert!(has_no_lock());
        for address in
            [Avma(all_ways_find_the_same_file as fn() as usize), Avma::of(lookup::in_use(c"malloc"))]
        {
            let fast = loaded_at(address).unwrap();
            for other in [iterate(address).unwrap(), mapped_at(address, |&loaded| Some(loaded)).unwrap()] {
                assert_eq!((fast.start, fast.bias), (other.start, other.bias));
                assert_eq!(fast.eh_frame_hdr, other.eh_frame_hdr);
                assert!(fast.start <= address && address < fast.end && address < other.end);
            }
        }
        let program = Avma(all_ways_find_the_same_file as fn() as usize);
        // SAFETY: the name lives until the closure ends.
        let name = |loaded: &Loaded| unsafe { loaded.path() }.to_str().map(std::path::PathBuf::from).ok();
        assert_eq!(mapped_at(program, name), std::env::current_exe().ok());
        let local = 0u8;
        for nowhere in [Avma(8), Avma::of(&raw const local)] {
            assert!(loaded_at(nowhere).is_none() && iterate(nowhere).is_none());
            assert!(mapped_at(nowhere, |_| Some(())).is_none());
        }
    }
}
