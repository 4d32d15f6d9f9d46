//! The system call instruction.
//!
//! # Safety
//! The instruction itself clobbers only rax, rcx and r11. What the call does to memory is its caller's affair: each
//! wrapper in this directory states its own contract.
#![allow(unsafe_code)]

use super::Errno;
use core::arch::asm;

/// A system call number of x86-64 Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Call {
    /// `read(fd, buf, count)`.
    Read = 0,
    /// `write(fd, buf, count)`.
    Write = 1,
    /// `close(fd)`.
    Close = 3,
    /// `fstat(fd, stat)`.
    Fstat = 5,
    /// `mmap(addr, len, prot, flags, fd, offset)`.
    Mmap = 9,
    /// `mprotect(addr, len, prot)`.
    Mprotect = 10,
    /// `munmap(addr, len)`.
    Munmap = 11,
    /// `rt_sigprocmask(how, set, old, sigsetsize)`.
    RtSigprocmask = 14,
    /// `ioctl(fd, request, arg)`.
    Ioctl = 16,
    /// `pread64(fd, buf, count, offset)`.
    Pread64 = 17,
    /// `mremap(addr, old_len, len, flags, new_addr)`.
    Mremap = 25,
    /// `mincore(addr, len, vec)`.
    Mincore = 27,
    /// `madvise(addr, len, advice)`.
    Madvise = 28,
    /// `getpid()`.
    Getpid = 39,
    /// `kill(pid, sig)`.
    Kill = 62,
    /// `getcwd(buf, size)`.
    Getcwd = 79,
    /// `rename(old, new)`.
    Rename = 82,
    /// `unlink(path)`.
    Unlink = 87,
    /// `readlink(path, buf, size)`.
    Readlink = 89,
    /// `sigaltstack(new, old)`.
    Sigaltstack = 131,
    /// `gettid()`.
    Gettid = 186,
    /// `getdents64(fd, entries, count)`.
    Getdents64 = 217,
    /// `openat(dirfd, path, flags, mode)`.
    Openat = 257,
    /// `get_robust_list(tid, head, len)`.
    GetRobustList = 274,
    /// `prlimit64(pid, resource, new, old)`.
    Prlimit64 = 302,
    /// `process_vm_readv(pid, local, n, remote, n, flags)`.
    ProcessVmReadv = 310,
}

/// Makes a system call with up to six arguments; unused ones are 0.
///
/// # Safety
/// The arguments must satisfy the contract of `call`.
pub unsafe fn syscall(call: Call, args: [usize; 6]) -> Result<usize, Errno> {
    let returned: isize;
    // SAFETY: the registers are those of the kernel's calling convention; the caller vouches for the arguments.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") call as usize as isize => returned,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    Errno::check(returned)
}
