//! Mappings of our own.
//!
//! # Safety
//! Every mapping made here is at an address that the kernel chooses, so it overlaps nothing. Those that give memory back
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
const MAP_PRIVATE: usize = 2;
const MAP_ANONYMOUS: usize = 0x20;
const MAP_NORESERVE: usize = 0x4000;
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

/// Makes whole pages of the program's writable as well as readable, or readable alone.
///
/// # Safety
/// They are pages of one loaded file, whose data they hold, and no other thread needs to write there meanwhile.
pub unsafe fn protect(start: Avma, len: usize, is_writable: bool) -> Result<(), Errno> {
    let protection = if is_writable { PROT_READ | PROT_WRITE } else { PROT_READ };
    // SAFETY: says the caller.
    unsafe { syscall(Call::Mprotect, [start.0, len, protection, 0, 0, 0]) }.map(drop)
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
