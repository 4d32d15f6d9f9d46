//! The environment variables that direct the library, read once at start.
//!
//! The values are copied, because programs change their environment (`setenv`, or by writing over it for a process
//! title) while other threads run.
//!
//! # Safety
//! `envp` is read only in [`read`], where the dynamic linker vouches for it. A copied value is NUL-terminated and
//! stays for ever.
#![allow(unsafe_code)]

use crate::private_heap;
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicPtr, Ordering};

/// A variable that the library knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Variable {
    /// `LIBALLOCS_DEBUG_LEVEL`: how much is logged.
    DebugLevel,
    /// `LIBALLOCS_ERR`: the file for the log and the exit summary.
    Err,
    /// `LIBALLOCS_SUMMARY`: print the exit summary in any case.
    Summary,
    /// `LIBALLOCS_CENSUS`: the file for the census.
    Census,
    /// `LIBALLOCS_CENSUS_SIGNAL`: also take a census on SIGUSR2.
    CensusSignal,
    /// `META_BASE`: directories with separate metadata.
    MetaBase,
}

const NAMES: [(&[u8], Variable); COUNT] = [
    (b"LIBALLOCS_DEBUG_LEVEL", Variable::DebugLevel),
    (b"LIBALLOCS_ERR", Variable::Err),
    (b"LIBALLOCS_SUMMARY", Variable::Summary),
    (b"LIBALLOCS_CENSUS", Variable::Census),
    (b"LIBALLOCS_CENSUS_SIGNAL", Variable::CensusSignal),
    (b"META_BASE", Variable::MetaBase),
];
const COUNT: usize = 6;

static VALUES: [AtomicPtr<c_char>; COUNT] = [const { AtomicPtr::new(core::ptr::null_mut()) }; COUNT];

/// The value that a variable had when the program started.
#[must_use]
pub fn get(variable: Variable) -> Option<&'static CStr> {
    let value = VALUES[variable as usize].load(Ordering::Acquire);
    // SAFETY: a value that was stored is a NUL-terminated copy that stays for ever.
    if value.is_null() { None } else { Some(unsafe { CStr::from_ptr(value) }) }
}

/// Whether a variable was set to something else than nothing or `0`.
#[must_use]
pub fn is_on(variable: Variable) -> bool {
    get(variable).is_some_and(|value| !matches!(value.to_bytes(), b"" | b"0"))
}

/// Copies the values of our variables.
///
/// # Safety
/// `envp` is NULL, or an array of pointers to NUL-terminated strings that ends with NULL, and nobody changes it
/// meanwhile.
pub unsafe fn read(mut envp: *const *const c_char) {
    if envp.is_null() {
        return;
    }
    loop {
        // SAFETY: the array goes on up to its NULL.
        let entry = unsafe { *envp };
        if entry.is_null() {
            return;
        }
        // SAFETY: an entry is a NUL-terminated string.
        keep(unsafe { CStr::from_ptr(entry) }.to_bytes_with_nul());
        envp = envp.wrapping_add(1);
    }
}

/// Keeps the value of `entry`, `NAME=value\0`, if it is one of ours. Of two of one name the first counts, as in `getenv`.
fn keep(entry: &[u8]) {
    let Some((variable, value)) = parse(entry) else { return };
    let slot = &VALUES[variable as usize];
    if slot.load(Ordering::Relaxed).is_null()
        && let Some(copy) = private_heap::alloc_slice(value)
    {
        slot.store(copy.as_ptr().cast::<c_char>().cast_mut(), Ordering::Release);
    }
}

fn parse(entry: &[u8]) -> Option<(Variable, &[u8])> {
    let equals = entry.iter().position(|&byte| byte == b'=')?;
    let (name, value) = (&entry[..equals], &entry[equals + 1..]);
    NAMES.iter().find(|(known, _)| *known == name).map(|&(_, variable)| (variable, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_ours() {
        let check = |entry: &'static [u8], expect: Option<(Variable, &'static [u8])>| {
            assert_eq!(parse(entry), expect, "{entry:?}");
        };
        check(b"LIBALLOCS_CENSUS=a=b\0", Some((Variable::Census, b"a=b\0")));
        check(b"LIBALLOCS_CENSUS_SIGNAL=1\0", Some((Variable::CensusSignal, b"1\0")));
        check(b"META_BASE=\0", Some((Variable::MetaBase, b"\0")));
        check(b"LIBALLOCS_CENSU=x\0", None);
        check(b"XLIBALLOCS_CENSUS=x\0", None);
        check(b"PATH\0", None);
        check(b"\0", None);
    }
}
