//! Mappings of our own.
//!
//! # Safety
//! Every mapping made here is where nothing was before. Those that give memory back
//! are unsafe functions: the caller must own the range and keep no reference into it.
#![allow(unsafe_code)]

use super::Errno;
use super::file::Fd;
use super::syscall::{Call, syscall};
use crate::avma::Avma;
use core::ptr::NonNull;

/// Size of a page; x86-64 Linux has no other base size.
pub const PAGE_SIZE: usize = 4096;

const PROT_READ: usize = 1;
const PROT_WRITE: usize = 2;
const PROT_EXEC: usize = 4;
const MAP_PRIVATE: usize = 2;
const MAP_ANONYMOUS: usize = 0x20;
const MAP_NORESERVE: usize = 0x4000;
const MAP_FIXED_NOREPLACE: usize = 0x10_0000;
const MREMAP_MAYMOVE: usize = 1;
const MREMAP_FIXED: usize = 2;
const MADV_DONTNEED: usize = 4;
const MADV_NOHUGEPAGE: usize = 15;

/// Maps `len` zeroed bytes, readable and writable, that cost memory only where they are touched.
///
/// Fails under a limit on address space (`ulimit -v`), or where memory is never overcommitted.
pub fn map_zeroed(len: usize) -> Result<NonNull<u8>, Errno> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
    let address = unsafe { syscall(Call::Mmap, [0, len, PROT_READ | PROT_WRITE, flags, usize::MAX, 0]) }?;
    NonNull::new(address as *mut u8).ok_or(Errno::ENOMEM)
}

/// Maps `len` bytes of a file from `offset` on (a multiple of the page size), for reading.
///
/// The bytes may change, and touching them may raise SIGBUS, if somebody truncates the file in place.
pub fn map_file(fd: &Fd, offset: u64, len: usize) -> Result<NonNull<u8>, Errno> {
    // SAFETY: a new read-only mapping at an address of the kernel's choice touches nothing that exists.
    let address = unsafe {
        syscall(Call::Mmap, [0, len, PROT_READ, MAP_PRIVATE, fd.number() as usize, offset as usize])
    }?;
    NonNull::new(address as *mut u8).ok_or(Errno::ENOMEM)
}

/// Whether something is mapped at an address.
#[must_use]
pub fn is_mapped(a: Avma) -> bool {
    let mut residency = 0u8;
    let page = a.0 & !(PAGE_SIZE - 1);
    // SAFETY: the call writes one byte for the one page, and fails where nothing is mapped.
    unsafe { syscall(Call::Mincore, [page, PAGE_SIZE, (&raw mut residency) as usize, 0, 0, 0]) }.is_ok()
}

/// Maps `len` zeroed bytes, readable and writable, at `start` if nothing is there; `None` where something is.
#[must_use]
pub fn map_at(start: Avma, len: usize) -> Option<NonNull<u8>> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    // SAFETY: the flag forbids the kernel to replace what is there; one that does not know it takes the address as a wish.
    let found = unsafe { syscall(Call::Mmap, [start.0, len, PROT_READ | PROT_WRITE, flags, usize::MAX, 0]) };
    let found = NonNull::new(found.ok()? as *mut u8)?;
    if found.as_ptr() as usize == start.0 {
        return Some(found);
    }
    // SAFETY: the mapping is ours, and nobody has seen it.
    unsafe { unmap(found, len) };
    None
}

/// What may be done with pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// They can be read alone.
    Read,
    /// They can be written.
    Write,
    /// They can be run.
    Run,
}

/// Changes what may be done with whole pages, which can be read either way.
///
/// # Safety
/// Nobody needs the access that is taken away.
pub unsafe fn protect(start: Avma, len: usize, access: Access) -> Result<(), Errno> {
    let bits = match access {
        Access::Read => PROT_READ,
        Access::Write => PROT_READ | PROT_WRITE,
        Access::Run => PROT_READ | PROT_EXEC,
    };
    // SAFETY: says the caller.
    unsafe { syscall(Call::Mprotect, [start.0, len, bits, 0, 0, 0]) }.map(|_| ())
}

/// Puts other bytes over code. What is run there changes in one step: a copy of the pages, made ready elsewhere, takes their place. Where
/// any step fails, the pages are as they were; no page is writable and executable at a time, or not executable meanwhile.
///
/// # Safety
/// The bytes lie in pages that may be read and run, of a mapping that nobody unmaps or writes to meanwhile, and the code is right with the
/// new ones.
pub unsafe fn replace_code(at: Avma, bytes: &[u8]) -> Result<(), Errno> {
    let start = Avma(at.0 & !(PAGE_SIZE - 1));
    let offset = at.0 - start.0;
    let len = (offset + bytes.len()).next_multiple_of(PAGE_SIZE);
    let copy = map_zeroed(len)?;
    // SAFETY: the copy is ours and as long as the pages, which can be read; the new bytes lie in it.
    unsafe {
        copy.as_ptr().copy_from_nonoverlapping(start.pointer(), len);
        copy.as_ptr().add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
    }
    // SAFETY: nobody else knows the copy.
    let ready = unsafe { protect(Avma::of(copy.as_ptr()), len, Access::Run) };
    let moved = ready.and_then(|()| {
        let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        // SAFETY: what is replaced has the same bytes but for those that the caller vouches for. The kernel refuses what it cannot do,
        // as for want of mappings, before it takes the old pages away.
        unsafe { syscall(Call::Mremap, [copy.as_ptr() as usize, len, len, flags, start.0, 0]) }
    });
    if moved.is_err() {
        // SAFETY: the copy is ours, and is where it was.
        unsafe { unmap(copy, len) };
    }
    moved.map(drop)
}

/// Gives back a mapping.
///
/// # Safety
/// The caller owns the whole pages [`start`, `start + len`) and nothing refers to them any more.
pub unsafe fn unmap(start: NonNull<u8>, len: usize) {
    // SAFETY: the caller owns the range. The call fails only for a range that no mapping can have.
    let _ = unsafe { syscall(Call::Munmap, [start.as_ptr() as usize, len, 0, 0, 0, 0]) };
}

/// Gives back the memory behind whole pages of a mapping; they read as zero afterwards.
///
/// # Safety
/// The caller owns the pages, which are private and anonymous, and zero is a valid content for whoever reads them.
pub unsafe fn discard(start: NonNull<u8>, len: usize) {
    // SAFETY: the caller owns the range and allows its content to become zero.
    let _ = unsafe { syscall(Call::Madvise, [start.as_ptr() as usize, len, MADV_DONTNEED, 0, 0, 0]) };
}

/// Asks the kernel not to back sparse tables with huge pages, where one touched byte would cost 2 MiB.
pub fn keep_pages_small(start: NonNull<u8>, len: usize) {
    let first_page = start.as_ptr() as usize & !(PAGE_SIZE - 1);
    let len = start.as_ptr() as usize + len - first_page;
    // SAFETY: the advice changes no content; the kernel refuses it where it has no huge pages, which is as good.
    let _ = unsafe { syscall(Call::Madvise, [first_page, len, MADV_NOHUGEPAGE, 0, 0, 0]) };
}

/// The limit on this process's address space (`ulimit -v`), or `None` if there is none.
#[must_use]
pub fn address_space_limit() -> Option<usize> {
    const RLIMIT_AS: usize = 9;
    const RLIM_INFINITY: usize = usize::MAX;
    let mut limit = [RLIM_INFINITY; 2];
    // SAFETY: `struct rlimit64` has 16 bytes, those of `limit`.
    let _ = unsafe { syscall(Call::Prlimit64, [0, RLIMIT_AS, 0, limit.as_mut_ptr() as usize, 0, 0]) };
    Some(limit[0]).filter(|&soft| soft != RLIM_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::{c_int, c_ulong};

    unsafe extern "C" {
        fn prctl(option: c_int, ...) -> c_int;
    }

    /// Makes a system call fail in this thread for the rest of its life, as a security policy does.
    fn forbid(call: Call) {
        const PR_SET_NO_NEW_PRIVS: c_int = 38;
        const PR_SET_SECCOMP: c_int = 22;
        const SECCOMP_MODE_FILTER: c_ulong = 2;
        /// `struct sock_filter`.
        #[repr(C)]
        struct Instruction(u16, u8, u8, u32);
        /// `struct sock_fprog`.
        #[repr(C)]
        struct Program(u16, *const Instruction);
        let filter = [
            // Load the number of the call; unless it is this one, skip an instruction; EPERM; allowed.
            Instruction(0x20, 0, 0, 0),
            Instruction(0x15, 0, 1, call as usize as u32),
            Instruction(0x06, 0, 0, 0x0005_0001),
            Instruction(0x06, 0, 0, 0x7fff_0000),
        ];
        let program = Program(4, filter.as_ptr());
        // SAFETY: the arguments are of the types that the calls want, and the filter is copied.
        unsafe {
            assert_eq!(prctl(PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong), 0);
            assert_eq!(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program), 0);
        }
    }

    /// Two pages of `ret`, which can be run.
    fn code() -> Avma {
        let pages = map_zeroed(2 * PAGE_SIZE).unwrap();
        // SAFETY: the pages are ours.
        unsafe {
            pages.as_ptr().write_bytes(0xc3, 2 * PAGE_SIZE);
            protect(Avma::of(pages.as_ptr()), 2 * PAGE_SIZE, Access::Run).unwrap();
        }
        Avma::of(pages.as_ptr())
    }

    fn bytes(code: Avma) -> &'static [u8] {
        // SAFETY: the pages of `code` can be read, and stay.
        unsafe { core::slice::from_raw_parts(code.pointer(), 2 * PAGE_SIZE) }
    }

    fn run(code: Avma) -> u32 {
        // SAFETY: it is the code of a function that returns.
        unsafe { core::mem::transmute::<usize, extern "C" fn() -> u32>(code.0)() }
    }

    #[test]
    fn code_is_replaced_across_pages_and_nothing_beside_it() {
        let code = code();
        let at = Avma(code.0 + PAGE_SIZE - 3);
        // mov eax, 42
        let new = [0xb8, 42, 0, 0, 0];
        // SAFETY: nobody else knows the pages.
        unsafe { replace_code(at, &new) }.unwrap();
        assert_eq!(run(at), 42);
        let (before, behind) = (PAGE_SIZE - 3, PAGE_SIZE + 2);
        assert_eq!(bytes(code)[before..behind], new);
        assert!(bytes(code)[..before].iter().chain(&bytes(code)[behind..]).all(|&byte| byte == 0xc3));
    }

    #[test]
    fn code_that_cannot_be_replaced_stays_and_can_be_run() {
        for call in [Call::Mmap, Call::Mprotect, Call::Mremap] {
            let code = code();
            let replaced = std::thread::spawn(move || {
                forbid(call);
                // SAFETY: nobody else knows the pages.
                unsafe { replace_code(code, &[0xcc; 5]) }
            });
            assert!(replaced.join().unwrap().is_err(), "{call:?}");
            assert!(bytes(code).iter().all(|&byte| byte == 0xc3), "{call:?}");
            run(code);
        }
    }
}
