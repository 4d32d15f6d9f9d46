//! Files: opened, read and written without the C library's streams or `errno`.
//!
//! # Safety
//! Each system call gets pointers that come from references of the right length, and the kernel writes only behind
//! mutable ones.
#![allow(unsafe_code)]

use super::Errno;
use super::syscall::{Call, syscall};
use core::ffi::CStr;

const AT_FDCWD: usize = -100_isize as usize;
const O_WRONLY: usize = 1;
const O_CREAT: usize = 0o100;
const O_TRUNC: usize = 0o1000;
const O_APPEND: usize = 0o2000;
const O_CLOEXEC: usize = 0o2000000;

/// An open file, closed when dropped.
#[derive(Debug)]
pub struct Fd(i32);

impl Fd {
    /// Opens a file for reading.
    pub fn open(path: &CStr) -> Result<Fd, Errno> {
        open(path, O_CLOEXEC)
    }

    /// Makes a file, or empties the one there, for writing. The program's umask applies.
    pub fn create(path: &CStr) -> Result<Fd, Errno> {
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC)
    }

    /// Opens a file for writing at its end, and makes it if it is not there.
    pub fn append(path: &CStr) -> Result<Fd, Errno> {
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)
    }

    /// The file descriptor's number, which stays owned by `self`.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.0
    }

    /// Size of the file in bytes.
    pub fn size(&self) -> Result<u64, Errno> {
        Ok(self.status()?[6])
    }

    /// How many links the file has; of a directory, as a rule, two and one for each directory in it.
    pub fn links(&self) -> Result<u64, Errno> {
        Ok(self.status()?[2])
    }

    /// `struct stat`.
    fn status(&self) -> Result<[u64; 18], Errno> {
        let mut stat = [0u64; 18];
        // SAFETY: `struct stat` has 144 bytes, those of `stat`.
        unsafe { syscall(Call::Fstat, [self.0 as usize, stat.as_mut_ptr() as usize, 0, 0, 0, 0]) }?;
        Ok(stat)
    }

    /// Reads into `buffer` and says how many bytes came; 0 is the end of the file.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let (address, len) = (buffer.as_mut_ptr() as usize, buffer.len());
        // SAFETY: the kernel writes at most `len` bytes of the buffer.
        retry(|| unsafe { syscall(Call::Read, [self.0 as usize, address, len, 0, 0, 0]) })
    }

    /// Reads at `offset` of the file and says how many bytes came.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let (address, len) = (buffer.as_mut_ptr() as usize, buffer.len());
        // SAFETY: the kernel writes at most `len` bytes of the buffer.
        retry(|| unsafe { syscall(Call::Pread64, [self.0 as usize, address, len, offset as usize, 0, 0]) })
    }

    /// Writes all of `bytes`.
    pub fn write_all(&self, bytes: &[u8]) -> Result<(), Errno> {
        write_all(self.0, bytes)
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: the number is ours and is not used again.
        let _ = unsafe { syscall(Call::Close, [self.0 as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Writes all of `bytes` to the program's standard error.
pub fn write_stderr(bytes: &[u8]) -> Result<(), Errno> {
    write_all(2, bytes)
}

/// Gives a file a new name, in place of any file of that name.
pub fn rename(from: &CStr, to: &CStr) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated strings.
    unsafe { syscall(Call::Rename, [from.as_ptr() as usize, to.as_ptr() as usize, 0, 0, 0, 0]) }?;
    Ok(())
}

/// Removes a file.
pub fn unlink(path: &CStr) -> Result<(), Errno> {
    // SAFETY: the path is a NUL-terminated string.
    unsafe { syscall(Call::Unlink, [path.as_ptr() as usize, 0, 0, 0, 0, 0]) }?;
    Ok(())
}

/// What a symbolic link holds: the number of bytes put into `buffer`, which get no NUL.
pub fn readlink(path: &CStr, buffer: &mut [u8]) -> Result<usize, Errno> {
    let (address, len) = (buffer.as_mut_ptr() as usize, buffer.len());
    // SAFETY: the kernel writes at most `len` bytes of the buffer.
    unsafe { syscall(Call::Readlink, [path.as_ptr() as usize, address, len, 0, 0, 0]) }
}

/// The current directory: the number of bytes put into `buffer`, without the NUL that the kernel puts behind them.
pub fn current_dir(buffer: &mut [u8]) -> Result<usize, Errno> {
    let (address, len) = (buffer.as_mut_ptr() as usize, buffer.len());
    // SAFETY: the kernel writes at most `len` bytes of the buffer.
    let with_nul = unsafe { syscall(Call::Getcwd, [address, len, 0, 0, 0, 0]) }?;
    Ok(with_nul.saturating_sub(1))
}

/// Makes an `ioctl` whose argument is a structure.
///
/// # Safety
/// `request` must read and write at most the bytes of `T` and of what its fields point to, and leave it a valid `T`.
pub unsafe fn ioctl<T>(fd: &Fd, request: usize, argument: &mut T) -> Result<usize, Errno> {
    let address = core::ptr::from_mut(argument) as usize;
    // SAFETY: the caller vouches for the request.
    unsafe { syscall(Call::Ioctl, [fd.0 as usize, request, address, 0, 0, 0]) }
}

fn open(path: &CStr, flags: usize) -> Result<Fd, Errno> {
    // SAFETY: the path is a NUL-terminated string.
    let number =
        retry(|| unsafe { syscall(Call::Openat, [AT_FDCWD, path.as_ptr() as usize, flags, 0o666, 0, 0]) })?;
    Ok(Fd(number as i32))
}

fn write_all(number: i32, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let (address, len) = (bytes.as_ptr() as usize, bytes.len());
        // SAFETY: the kernel reads at most `len` bytes.
        let written = retry(|| unsafe { syscall(Call::Write, [number as usize, address, len, 0, 0, 0]) })?;
        bytes = &bytes[written.min(len)..];
    }
    Ok(())
}

fn retry(call: impl Fn() -> Result<usize, Errno>) -> Result<usize, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}
