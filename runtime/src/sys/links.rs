//! The dynamic linker's own list of files, as debuggers read it: `DT_DEBUG` of the program leads there. For a question that comes
//! from inside the program's own `dl_iterate_phdr`.
//!
//! # Safety
//! The structures are those of glibc's `<link.h>`. The dynamic linker has filled in the program's entry before any code
//! of ours runs. The files that were there from the start stand first in the list and stay; for one that comes behind them, the
//! caller must know that it is not being closed.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_int, c_ulong};

use super::loaded::{Header, PT_DYNAMIC};
use crate::avma::Avma;

/// `struct link_map`.
#[derive(Debug)]
#[repr(C)]
pub struct Link {
    /// What is added to an address in the file.
    pub bias: usize,
    /// The path that it was loaded from.
    pub name: *const c_char,
    /// Its dynamic section.
    pub dynamic: Avma,
    next: *const Link,
}

/// `struct r_debug`, as far as we read it.
#[repr(C)]
struct Debug {
    version: c_int,
    first: *const Link,
}

#[link(name = "c")]
unsafe extern "C" {
    fn getauxval(kind: c_ulong) -> c_ulong;
}

/// Calls `f` for each file of the list until it gives something.
///
/// # Safety
/// No file is being closed that `f` may come to.
pub unsafe fn each<T>(mut f: impl FnMut(&Link) -> Option<T>) -> Option<T> {
    // SAFETY: the list ends with NULL.
    let mut link = unsafe { debug()?.first.as_ref() };
    while let Some(this) = link {
        if let Some(found) = f(this) {
            return Some(found);
        }
        // SAFETY: as above.
        link = unsafe { this.next.as_ref() };
    }
    None
}

/// Where the program's dynamic section says that the list begins.
fn debug() -> Option<&'static Debug> {
    const AT_PHDR: c_ulong = 3;
    const AT_PHNUM: c_ulong = 5;
    const PT_PHDR: u32 = 6;
    const DT_DEBUG: usize = 21;
    // SAFETY: the kernel states where the program's headers are, and how many; they stay mapped.
    let headers: &[Header] = unsafe {
        let start = getauxval(AT_PHDR) as *const Header;
        core::slice::from_raw_parts(start.as_ref()?, getauxval(AT_PHNUM) as usize)
    };
    let own = headers.iter().find(|header| header.kind == PT_PHDR)?;
    let bias = (headers.as_ptr() as usize).wrapping_sub(own.svma as usize);
    let dynamic = headers.iter().find(|header| header.kind == PT_DYNAMIC)?;
    // SAFETY: the program stays.
    let mut entries = unsafe { entries(Avma(bias.wrapping_add(dynamic.svma as usize))) };
    let [_, debug] = entries.find(|&[tag, _]| tag == DT_DEBUG)?;
    // SAFETY: NULL or what the dynamic linker has put there.
    unsafe { (debug as *const Debug).as_ref() }
}

/// Tag and value of each entry of a dynamic section.
///
/// # Safety
/// It is that of a file that is loaded as long as the result is used.
pub unsafe fn entries(dynamic: Avma) -> impl Iterator<Item = [usize; 2]> {
    const DT_NULL: usize = 0;
    let mut entry = dynamic.pointer::<[usize; 2]>().cast_const();
    core::iter::from_fn(move || {
        // SAFETY: the section ends with a null entry, and nothing is read behind that.
        let [tag, value] = unsafe { entry.read() };
        (tag != DT_NULL).then(|| {
            // SAFETY: there is another entry behind this one.
            entry = unsafe { entry.add(1) };
            [tag, value]
        })
    })
}
