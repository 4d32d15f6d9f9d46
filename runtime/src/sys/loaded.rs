//! The loaded files, as the C library lists them: where each lies, and its program headers.
//!
//! # Safety
//! The structures are those of glibc's `<link.h>`; only glibc makes them. What they point to stays while the list is walked.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_int, c_void};

use crate::avma::Avma;

/// `struct dl_phdr_info`, as far as every glibc has it.
#[derive(Debug)]
#[repr(C)]
pub struct File {
    /// What is added to an address in the file.
    pub bias: usize,
    /// Path that it was loaded from; empty for the program itself.
    pub path: *const c_char,
    headers: *const Header,
    header_count: u16,
}

/// `Elf64_Phdr`.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    /// `p_type`.
    pub kind: u32,
    flags: u32,
    offset: u64,
    /// `p_vaddr`.
    pub svma: u64,
    physical: u64,
    file_size: u64,
    /// `p_memsz`.
    pub size: u64,
    align: u64,
}

const _: () = assert!(size_of::<Header>() == 56);

/// `p_type` of a segment that is loaded.
pub const PT_LOAD: u32 = 1;
/// `p_type` of the dynamic section.
pub const PT_DYNAMIC: u32 = 2;
/// `p_type` of notes.
pub const PT_NOTE: u32 = 4;
/// `p_type` of the part that is read-only once the file is linked into the process.
pub const PT_GNU_RELRO: u32 = 0x6474_e552;
/// `p_type` of the `.eh_frame_hdr`.
pub const PT_GNU_EH_FRAME: u32 = 0x6474_e550;

impl File {
    /// Its program headers.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        // SAFETY: the linker states the number of its headers.
        unsafe { core::slice::from_raw_parts(self.headers, self.header_count as usize) }
    }

    /// Address in memory of an address in the file.
    #[must_use]
    pub fn avma(&self, svma: u64) -> Avma {
        Avma(self.bias.wrapping_add(svma as usize))
    }

    /// Whether one of its segments holds an address.
    #[must_use]
    pub fn holds(&self, address: Avma) -> bool {
        let holds = |header: &Header| address.is_in(self.avma(header.svma), header.size as usize);
        self.headers().iter().any(|header| header.kind == PT_LOAD && holds(header))
    }
}

type Callback = unsafe extern "C" fn(*const File, usize, *mut c_void) -> c_int;

#[link(name = "c")]
unsafe extern "C" {
    /// Walks over the files of the caller's link-map list. A program may put its own function in the place of this one.
    fn dl_iterate_phdr(callback: Callback, data: *mut c_void) -> c_int;
}

/// Calls `f` for each loaded file, in load order, until it gives something.
///
/// Holds the lock of the list of loaded files meanwhile, so that none of them is unmapped. The lock is recursive: a signal
/// handler takes it where its own thread holds it. It is not that which is held while constructors run; another thread
/// holds it while it links a file into the list or out of it, or runs a callback of `dl_iterate_phdr`. The list is not read
/// without the lock, since `dlclose` frees its links.
pub fn each<T, F: FnMut(&File) -> Option<T>>(f: F) -> Option<T> {
    struct State<T, F> {
        f: F,
        result: Option<T>,
    }
    unsafe extern "C" fn callback<T, F: FnMut(&File) -> Option<T>>(
        file: *const File,
        _: usize,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: the linker passes the info of a loaded file, and `data` as it was given below.
        let (file, state) = unsafe { (&*file, &mut *data.cast::<State<T, F>>()) };
        state.result = (state.f)(file);
        c_int::from(state.result.is_some())
    }
    let mut state = State { f, result: None };
    // SAFETY: the callback gets the state that it expects.
    unsafe { dl_iterate_phdr(callback::<T, F>, (&raw mut state).cast()) };
    state.result
}
