//! Where a census goes: the value of `LIBALLOCS_CENSUS`, `%p` in it replaced by the process id.
//!
//! # Safety
//! The pattern is stored once, as a pointer to a string that stays for ever.
#![allow(unsafe_code)]

use crate::private_heap;
use crate::sys::file;
use crate::sys::process::Pid;
use crate::types::scratch::Scratch;
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicPtr, Ordering};

/// The longest path that the kernel takes, with its NUL.
const LONGEST: usize = 4096;

static PATTERN: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());

/// A path with its NUL. Its bytes are not on the stack, which may be a small thread's or a signal handler's.
pub struct Path {
    bytes: Scratch<u8>,
}

/// Notes the pattern, made absolute, because the program may change its directory.
pub fn set_pattern(pattern: &'static CStr) {
    let absolute = absolute(pattern).unwrap_or(pattern);
    PATTERN.store(absolute.as_ptr().cast_mut(), Ordering::Release);
}

fn absolute(pattern: &CStr) -> Option<&'static CStr> {
    if pattern.to_bytes().starts_with(b"/") {
        return None;
    }
    let mut directory = [0; LONGEST];
    let len = file::current_dir(&mut directory).ok()?;
    let path = Path::of(&directory[..len])?.with_suffix(b"/")?.with_suffix(pattern.to_bytes())?;
    CStr::from_bytes_with_nul(private_heap::alloc_slice(path.as_c_str().to_bytes_with_nul())?).ok()
}

impl Path {
    fn of(bytes: &[u8]) -> Option<Path> {
        let mut path = Path { bytes: Scratch::default() };
        path.bytes.push(0)?;
        path.push(bytes)?;
        Some(path)
    }

    /// The file for a census of this process; `None` if its name is too long.
    #[must_use]
    pub fn of_census(pid: Pid) -> Option<Path> {
        let pattern = PATTERN.load(Ordering::Acquire);
        if pattern.is_null() {
            return None;
        }
        // SAFETY: a NUL-terminated string that stays for ever.
        Path::expand(unsafe { CStr::from_ptr(pattern) }.to_bytes(), pid)
    }

    fn expand(pattern: &[u8], pid: Pid) -> Option<Path> {
        let mut path = Path::of(b"")?;
        let mut rest = pattern;
        while let Some(at) = rest.windows(2).position(|two| two == b"%p") {
            path.push(&rest[..at])?;
            path.push_number(pid.0)?;
            rest = &rest[at + 2..];
        }
        path.push(rest)?;
        Some(path)
    }

    /// The path with `suffix` behind it; `None` if that is too long.
    #[must_use]
    pub fn with_suffix(&self, suffix: &[u8]) -> Option<Path> {
        let mut path = Path::of(self.as_c_str().to_bytes())?;
        path.push(suffix)?;
        Some(path)
    }

    /// The path as the kernel wants it.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_with_nul(self.bytes.as_slice()).unwrap_or(c"")
    }

    /// Puts `bytes` before the NUL.
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let nul = self.bytes.as_slice().len() - 1;
        if nul + bytes.len() >= LONGEST {
            return None;
        }
        bytes.iter().try_for_each(|_| self.bytes.push(0))?;
        self.bytes.as_mut_slice()[nul..][..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn push_number(&mut self, number: u32) -> Option<()> {
        if number >= 10 {
            self.push_number(number / 10)?;
        }
        self.push(&[b'0' + (number % 10) as u8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_id_takes_the_place_of_each_percent_p() {
        let check = |pattern: &str, expect: &CStr| {
            let path = Path::expand(pattern.as_bytes(), Pid(1203)).unwrap();
            assert_eq!(path.as_c_str(), expect);
        };
        check("/tmp/census", c"/tmp/census");
        check("%p/a.%p%q%", c"1203/a.1203%q%");
        check("%%p", c"%1203");
        assert!(Path::expand(&[b'a'; LONGEST], Pid(1)).is_none());
    }
}
