//! Where a census goes: the value of `LIBALLOCS_CENSUS`, `%p` in it replaced by the process id.
//!
//! # Safety
//! The pattern is stored once, as a pointer to a string that stays for ever.
#![allow(unsafe_code)]

use crate::private_heap;
use crate::sys::file;
use crate::sys::process::Pid;
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicPtr, Ordering};

/// The longest path that the kernel takes, with its NUL.
const LONGEST: usize = 4096;

static PATTERN: AtomicPtr<c_char> = AtomicPtr::new(core::ptr::null_mut());

/// A NUL-terminated path.
pub struct Path {
    bytes: [u8; LONGEST],
    len: usize,
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
    let mut path = Path::new();
    path.len = file::current_dir(&mut path.bytes).ok()?;
    let path = path.with_suffix(b"/")?.with_suffix(pattern.to_bytes())?;
    CStr::from_bytes_with_nul(private_heap::alloc_slice(path.as_c_str().to_bytes_with_nul())?).ok()
}

impl Path {
    const fn new() -> Path {
        Path { bytes: [0; LONGEST], len: 0 }
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
        let mut path = Path::new();
        let mut rest = pattern;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match after.split_first() {
                Some((b'p', after)) if byte == b'%' => {
                    path.push_number(pid.0)?;
                    rest = after;
                }
                _ => path.push(byte)?,
            }
        }
        Some(path)
    }

    /// The path with `suffix` behind it; `None` if that is too long.
    #[must_use]
    pub fn with_suffix(&self, suffix: &[u8]) -> Option<Path> {
        let mut path = Path { bytes: self.bytes, len: self.len };
        for &byte in suffix {
            path.push(byte)?;
        }
        Some(path)
    }

    /// The path as the kernel wants it.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        if self.len + 1 >= LONGEST {
            return None;
        }
        self.bytes[self.len] = byte;
        self.len += 1;
        Some(())
    }

    fn push_number(&mut self, number: u32) -> Option<()> {
        if number >= 10 {
            self.push_number(number / 10)?;
        }
        self.push(b'0' + (number % 10) as u8)
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
