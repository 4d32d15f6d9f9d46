//! Types whose lengths follow from the allocation that they type.
//!
//! # Safety
//! [`callback`] is called by C programs, with types that the library gave out.
#![allow(unsafe_code)]

use allocs_metadata::Kind;
use core::ffi::c_void;

use super::make;
use super::uniqtype::{TypeRef, Uniqtype};

/// The type with the lengths that an allocation of `bytes` bytes gives it. A type that needs none is itself.
#[must_use]
pub fn precise(ty: TypeRef, bytes: usize) -> Option<TypeRef> {
    if !ty.makes_precise() {
        return Some(ty);
    }
    match ty.kind() {
        Kind::Array => {
            let element = ty.related(0)?;
            let size = element.size().filter(|&size| size > 0)?;
            make::array(element, Some(u32::try_from(bytes / size).ok()?))
        }
        Kind::Composite => {
            let tail = ty.member(ty.related_count().checked_sub(1)?)?;
            // A union's members lie on top of each other: each has all the bytes, and none the last word.
            if tail.offset == 0 || tail.ty.kind() != Kind::Array {
                return Some(ty);
            }
            let array = precise(tail.ty, bytes.saturating_sub(tail.offset))?;
            make::with_precise_tail(ty, array)
        }
        _ => Some(ty),
    }
}

/// What `make_precise` of an imprecise type holds.
#[must_use]
pub fn callback() -> *mut c_void {
    make_precise as *mut c_void
}

/// `make_precise_fn_t`.
extern "C" fn make_precise(
    this: *mut Uniqtype,
    _out: *mut Uniqtype,
    _out_len: u64,
    _obj: *mut c_void,
    _range_base: *mut c_void,
    range_size: u64,
    _ip: *mut c_void,
    _context: *mut c_void,
) -> *mut Uniqtype {
    // SAFETY: a client passes a type that it got from us.
    let ty = unsafe { TypeRef::from_ptr(this) };
    ty.and_then(|ty| precise(ty, range_size as usize)).map_or(core::ptr::null_mut(), TypeRef::as_ptr)
}
