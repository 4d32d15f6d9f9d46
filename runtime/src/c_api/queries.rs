//! Queries about an address.
//!
//! # Safety
//! C programs call these. An address that is asked about is never dereferenced; out pointers are NULL or the caller's.
#![allow(unsafe_code)]

use core::ffi::{c_char, c_void};
use core::fmt::{self, Write};

use super::allocators::{AllocatorObject, object};
use super::errors::{self, ErrorPtr};
use super::inner;
use super::misc::{__liballocs_allocsite_id, put};
use crate::allocators::{malloc, site_types};
use crate::avma::Avma;
use crate::index::{self, Block, SiteIndex, site};
use crate::query::{self, Place, malloc_in_use, place_of};
use crate::report;
use crate::types::{TypeRef, Uniqtype};
use crate::unwind::Caller;
use crate::unwind::entry::{entry, entry_with_six};

/// Asks about an address: most are those of heap blocks, which need not become a [`Place`].
#[inline]
fn ask<T>(
    obj: Avma,
    return_slot: Avma,
    rbp: Avma,
    of_block: impl FnOnce(Block) -> T,
    of_place: impl FnOnce(&Place) -> T,
) -> T {
    let caller = Caller { return_slot, rbp };
    match query::heap_block_at(obj, caller) {
        Some(block) => {
            report::handled_heap();
            of_block(block)
        }
        None => {
            let place = place_of(obj, caller);
            report::handled(&place);
            of_place(&place)
        }
    }
}

/// The type of a place, and the error where there is none.
fn ask_type(obj: Avma, return_slot: Avma, rbp: Avma) -> Option<(Place, TypeRef)> {
    let place = place_of(obj, Caller { return_slot, rbp });
    match place.ty() {
        Ok(ty) => {
            report::handled(&place);
            Some((place, ty))
        }
        Err(reason) => {
            report::aborted(reason);
            None
        }
    }
}

fn pointer_to(ty: Option<TypeRef>) -> *mut Uniqtype {
    ty.map_or(core::ptr::null_mut(), TypeRef::as_ptr)
}

entry!(alloc_get_allocator, __liballocs_alloc_get_allocator => get_allocator, "rsi", "rdx");
entry!(alloc_get_type, __liballocs_alloc_get_type, __liballocs_get_alloc_type, __liballocs_get_outermost_type
    => get_type, "rsi", "rdx");
entry!(alloc_get_precise_type, __liballocs_alloc_get_precise_type => get_precise_type, "rsi", "rdx");
entry!(alloc_get_base, __liballocs_alloc_get_base, __liballocs_get_alloc_base => get_base, "rsi", "rdx");
entry!(alloc_get_size, __liballocs_alloc_get_size, __liballocs_get_alloc_size => get_size, "rsi", "rdx");
entry!(alloc_get_site, __liballocs_alloc_get_site, __liballocs_get_alloc_site => get_site, "rsi", "rdx");
entry!(alloc_get_name, __liballocs_alloc_get_name => get_name, "rcx", "r8");
entry!(alloc_get_inner_type, __liballocs_alloc_get_inner_type, __liballocs_get_inner_type
    => get_inner_type, "rdx", "rcx");
entry_with_six!(alloc_get_info, __liballocs_alloc_get_info => get_info);
entry_with_six!(__liballocs_get_alloc_info => get_alloc_info);

extern "C" fn get_allocator(obj: Avma, return_slot: Avma, rbp: Avma) -> *const AllocatorObject {
    ask(
        obj,
        return_slot,
        rbp,
        |_| core::ptr::from_ref(object(malloc_in_use())),
        |place| place.allocator().map_or(core::ptr::null(), |allocator| object(allocator)),
    )
}

extern "C" fn get_type(obj: Avma, return_slot: Avma, rbp: Avma) -> *mut Uniqtype {
    if let Some(block) = query::heap_block_at(obj, Caller { return_slot, rbp })
        && let Some(ty) = site_types::type_of(block.site)
    {
        report::handled_heap();
        return ty.as_ptr();
    }
    pointer_to(ask_type(obj, return_slot, rbp).map(|(_, ty)| ty))
}

extern "C" fn get_precise_type(obj: Avma, return_slot: Avma, rbp: Avma) -> *mut Uniqtype {
    pointer_to(ask_type(obj, return_slot, rbp).and_then(|(place, _)| place.precise_ty().ok()))
}

extern "C" fn get_base(obj: Avma, return_slot: Avma, rbp: Avma) -> *mut c_void {
    ask(obj, return_slot, rbp, |block| block.base, Place::base).pointer()
}

extern "C" fn get_size(obj: Avma, return_slot: Avma, rbp: Avma) -> usize {
    ask(obj, return_slot, rbp, |block| block.size, Place::size)
}

extern "C" fn get_site(obj: Avma, return_slot: Avma, rbp: Avma) -> *const c_void {
    ask(obj, return_slot, rbp, |block| site(block.site).return_address(), Place::site).pointer()
}

extern "C" fn get_name(
    obj: Avma,
    buffer: *mut c_char,
    len: usize,
    return_slot: Avma,
    rbp: Avma,
) -> *const c_char {
    let place = place_of(obj, Caller { return_slot, rbp });
    report::handled(&place);
    // SAFETY: the caller's buffer has `len` bytes.
    let write = |name: &[u8]| unsafe { Text::new(buffer, len) }.map(|mut text| text.append(name));
    match place.name(write) {
        Some(Some(())) => buffer,
        _ => core::ptr::null(),
    }
}

/// A C string in a caller's buffer. What does not fit is cut off.
struct Text {
    end: *mut u8,
    room: usize,
}

impl Text {
    /// The empty string.
    ///
    /// # Safety
    /// `buffer` is NULL or has `len` bytes.
    unsafe fn new(buffer: *mut c_char, len: usize) -> Option<Text> {
        if buffer.is_null() || len == 0 {
            return None;
        }
        // SAFETY: the first of `len` bytes.
        unsafe { buffer.write(0) };
        Some(Text { end: buffer.cast(), room: len - 1 })
    }

    fn append(&mut self, text: &[u8]) {
        let n = text.len().min(self.room);
        // SAFETY: `room` bytes are left behind `end`, and one for the NUL.
        unsafe {
            core::ptr::copy_nonoverlapping(text.as_ptr(), self.end, n);
            self.end = self.end.add(n);
            self.end.write(0);
        }
        self.room -= n;
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text.as_bytes());
        Ok(())
    }
}

/// Writes file, line and function of an allocation site, as a census does.
///
/// # Safety
/// `buffer` is NULL or has `len` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn alloc_get_site_name(
    site: *const c_void,
    buffer: *mut c_char,
    len: usize,
) -> *const c_char {
    let index = SiteIndex(__liballocs_allocsite_id(Avma::of(site)));
    let Some(source) = site_types::source_of(index) else { return core::ptr::null() };
    // SAFETY: says the caller.
    let Some(mut text) = (unsafe { Text::new(buffer, len) }) else { return core::ptr::null() };
    text.append(source.file);
    // A `Text` takes everything.
    let _ = write!(text, ":{} ", source.line);
    text.append(source.function);
    buffer
}

/// `__liballocs_alloc_get_site_name`.
///
/// # Safety
/// As [`alloc_get_site_name`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_alloc_get_site_name(
    site: *const c_void,
    buffer: *mut c_char,
    len: usize,
) -> *const c_char {
    // SAFETY: says the caller.
    unsafe { alloc_get_site_name(site, buffer, len) }
}

extern "C" fn get_inner_type(obj: Avma, skip_at_bottom: u32, return_slot: Avma, rbp: Avma) -> *mut Uniqtype {
    let Some((place, ty)) = ask_type(obj, return_slot, rbp) else { return core::ptr::null_mut() };
    let offset = obj.0.wrapping_sub(place.base().0);
    pointer_to(inner::inner_type(ty, offset, skip_at_bottom as usize))
}

/// What a query of everything gives.
struct Info {
    place: Place,
    ty: Option<TypeRef>,
    error: ErrorPtr,
}

fn ask_all(obj: Avma, return_slot: Avma, rbp: Avma) -> Info {
    let place = place_of(obj, Caller { return_slot, rbp });
    match place.ty() {
        Ok(ty) => {
            report::handled(&place);
            Info { place, ty: Some(ty), error: errors::SUCCESS }
        }
        Err(reason) => {
            report::aborted(reason);
            Info { place, ty: None, error: errors::error(reason) }
        }
    }
}

#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn get_info(
    obj: Avma,
    _hint: *mut c_void,
    ty: *mut *mut Uniqtype,
    base: *mut *mut c_void,
    size: *mut usize,
    site: *mut *const c_void,
    return_slot: Avma,
    rbp: Avma,
) -> ErrorPtr {
    let info = ask_all(obj, return_slot, rbp);
    // SAFETY: out pointers are NULL or the caller's.
    unsafe {
        put(ty, pointer_to(info.ty));
        put(base, info.place.base().pointer());
        put(size, info.place.size());
        put(site, info.place.site().pointer());
    }
    info.error
}

#[allow(clippy::too_many_arguments)]
unsafe extern "C" fn get_alloc_info(
    obj: Avma,
    allocator: *mut *const AllocatorObject,
    start: *mut *const c_void,
    size: *mut usize,
    ty: *mut *mut Uniqtype,
    site: *mut *const c_void,
    return_slot: Avma,
    rbp: Avma,
) -> ErrorPtr {
    let info = ask_all(obj, return_slot, rbp);
    // SAFETY: out pointers are NULL or the caller's.
    unsafe {
        put(allocator, info.place.allocator().map_or(core::ptr::null(), |allocator| object(allocator)));
        put(start, info.place.base().pointer());
        put(size, info.place.size());
        put(ty, pointer_to(info.ty));
        put(site, info.place.site().pointer());
    }
    info.error
}

/// `alloc_set_type`.
///
/// # Safety
/// `ty` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn alloc_set_type(_big: *mut c_void, obj: Avma, ty: *mut Uniqtype) -> ErrorPtr {
    let Some(block) = index::block_at(obj) else { return errors::unsupported() };
    malloc::declare_type(&block, ty.cast());
    errors::SUCCESS
}

/// `__liballocs_alloc_set_type`.
///
/// # Safety
/// As [`alloc_set_type`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_alloc_set_type(
    big: *mut c_void,
    obj: Avma,
    ty: *mut Uniqtype,
) -> ErrorPtr {
    // SAFETY: says the caller.
    unsafe { alloc_set_type(big, obj, ty) }
}
