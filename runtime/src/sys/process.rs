//! This process and its threads.
//!
//! # Safety
//! The calls here take no pointers, but for the one that copies memory, where the kernel itself checks every address.
#![allow(unsafe_code)]

use super::Errno;
use super::syscall::{Call, syscall};
use crate::avma::Avma;

/// A process id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Pid(pub u32);

/// A thread id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Tid(pub u32);

/// The calling process; asked of the kernel, so right after a fork too.
#[must_use]
pub fn pid() -> Pid {
    // SAFETY: no arguments; it cannot fail.
    Pid(unsafe { syscall(Call::Getpid, [0; 6]) }.unwrap_or(0) as u32)
}

/// The calling thread.
#[must_use]
pub fn tid() -> Tid {
    // SAFETY: no arguments; it cannot fail.
    Tid(unsafe { syscall(Call::Gettid, [0; 6]) }.unwrap_or(0) as u32)
}

/// Copies bytes from any address of this process, also an unmapped one, and says how many could be copied.
///
/// Some containers and valgrind do not allow the call: an error, so treat it as "not known".
pub fn read_memory(from: Avma, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the buffer has that many bytes.
    unsafe { copy(from, buffer.as_mut_ptr(), buffer.len()) }
}

/// The same for words: how many whole ones could be copied.
pub fn read_words(from: Avma, buffer: &mut [usize]) -> Result<usize, Errno> {
    // SAFETY: the buffer has that many bytes, and any bytes are words.
    let bytes = unsafe { copy(from, buffer.as_mut_ptr().cast(), size_of_val(buffer)) }?;
    Ok(bytes / size_of::<usize>())
}

/// # Safety
/// `len` bytes at `to` may be written.
unsafe fn copy(from: Avma, to: *mut u8, len: usize) -> Result<usize, Errno> {
    let (local, remote) = ([to as usize, len], [from.0, len]);
    let (local, remote) = (local.as_ptr() as usize, remote.as_ptr() as usize);
    // SAFETY: the kernel writes only what the caller allows and checks the source range itself.
    unsafe { syscall(Call::ProcessVmReadv, [pid().0 as usize, local, 1, remote, 1, 0]) }
}

/// Ends the process as `abort` does, without the C library.
pub fn abort() -> ! {
    const SIGABRT: usize = 6;
    // SAFETY: a signal to ourselves; the undefined instruction ends the process if SIGABRT is ignored.
    unsafe {
        let _ = syscall(Call::Kill, [pid().0 as usize, SIGABRT, 0, 0, 0, 0]);
        core::arch::asm!("ud2", options(noreturn));
    }
}
