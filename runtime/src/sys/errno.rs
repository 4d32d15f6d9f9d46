//! Error numbers of system calls.

/// An error number that the kernel returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Errno(pub i32);

impl Errno {
    /// Interrupted by a signal before anything was done.
    pub const EINTR: Errno = Errno(4);
    /// Out of memory.
    pub const ENOMEM: Errno = Errno(12);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(22);
    /// A file name is too long.
    pub const ENAMETOOLONG: Errno = Errno(36);

    /// Splits what a system call returned into its result or its error.
    pub(super) const fn check(returned: isize) -> Result<usize, Errno> {
        if returned < 0 && returned >= -4095 { Err(Errno(-returned as i32)) } else { Ok(returned as usize) }
    }
}
