//! Types: their names, their C spelling, and types made from others.
//!
//! # Safety
//! C programs pass NULL or types that the library gave out.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char, c_int, c_void};

use crate::allocators::{malloc, site_types};
use crate::avma::Avma;
use crate::index;
use crate::init;
use crate::modules::{self, dl};
use crate::types::make::{self, MAX_LIST};
use crate::types::named::{self, First};
use crate::types::{TypeRef, Uniqtype, link_time, precise, spell};

fn pointer_to(ty: Option<TypeRef>) -> *mut Uniqtype {
    ty.map_or(core::ptr::null_mut(), TypeRef::as_ptr)
}

/// Name of a type; NULL for NULL.
///
/// # Safety
/// `ty` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_uniqtype_name(ty: *const Uniqtype) -> *const c_char {
    // SAFETY: says the caller.
    unsafe { TypeRef::from_ptr(ty) }.map_or(core::ptr::null(), |ty| ty.name().as_ptr())
}

/// Spells a type as C does; NULL as nothing.
///
/// # Safety
/// `ty` is NULL or was given out by the library; `buffer` has `len` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn uniqtype_to_c(ty: *const Uniqtype, buffer: *mut c_char, len: usize) -> c_int {
    // SAFETY: says the caller.
    let ty = unsafe { TypeRef::from_ptr(ty) };
    let mut total = 0;
    let mut write = |part: &[u8]| {
        let n = part.len().min(len.saturating_sub(total + 1));
        if n > 0 && !buffer.is_null() {
            // SAFETY: total + n < len.
            unsafe { core::ptr::copy_nonoverlapping(part.as_ptr(), buffer.cast::<u8>().add(total), n) };
        }
        total += part.len();
    };
    if let Some(ty) = ty {
        spell::spell(ty, &mut write);
    }
    if len > 0 && !buffer.is_null() {
        // SAFETY: below `len`.
        unsafe { buffer.add(total.min(len - 1)).write(0) };
    }
    c_int::try_from(total).unwrap_or(c_int::MAX)
}

/// The array of `length` elements.
///
/// # Safety
/// `element` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_get_or_create_array_type(
    element: *const Uniqtype,
    length: u32,
) -> *mut Uniqtype {
    // SAFETY: says the caller.
    pointer_to(unsafe { TypeRef::from_ptr(element) }.and_then(|element| make::array(element, Some(length))))
}

/// The array without a bound.
///
/// # Safety
/// `element` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_get_or_create_flexible_array_type(
    element: *const Uniqtype,
) -> *mut Uniqtype {
    // SAFETY: says the caller.
    pointer_to(unsafe { TypeRef::from_ptr(element) }.and_then(|element| make::array(element, None)))
}

/// The pointer to a type.
///
/// # Safety
/// `pointee` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_get_or_create_address_type(pointee: *const Uniqtype) -> *mut Uniqtype {
    // SAFETY: says the caller.
    pointer_to(unsafe { TypeRef::from_ptr(pointee) }.and_then(make::pointer))
}

/// Types that a client passes as an array, in a fixed place.
struct List {
    types: [Option<TypeRef>; MAX_LIST],
    count: usize,
}

impl List {
    /// # Safety
    /// `types` has `count` entries, each NULL or given out by the library.
    unsafe fn read(types: *const *const Uniqtype, count: u32) -> Option<List> {
        let count = count as usize;
        let mut list = List { types: [None; MAX_LIST], count };
        for (index, place) in list.types.get_mut(..count)?.iter_mut().enumerate() {
            // SAFETY: says the caller.
            *place = unsafe { TypeRef::from_ptr(*types.add(index)) };
            (*place)?;
        }
        Some(list)
    }

    fn with<T>(&self, f: impl FnOnce(&[TypeRef]) -> Option<T>) -> Option<T> {
        let mut types = [self.types.first().copied().flatten().or_else(make::void)?; MAX_LIST];
        for (place, ty) in types.iter_mut().zip(self.types).take(self.count) {
            *place = ty?;
        }
        f(types.get(..self.count)?)
    }
}

/// The union of a list of types; behind `__liballocs_get_or_create_union_type` of the header.
///
/// # Safety
/// `members` has `count` entries, each NULL or given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_make_union_type(
    count: u32,
    members: *const *const Uniqtype,
) -> *mut Uniqtype {
    // SAFETY: says the caller.
    let list = unsafe { List::read(members, count) };
    pointer_to(list.and_then(|list| list.with(make::union)))
}

/// The function type of a result and arguments; behind `__liballocs_get_or_create_subprogram_type` of the header.
///
/// # Safety
/// `result` is NULL or was given out by the library; `arguments` has `count` such entries.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_make_subprogram_type(
    result: *const Uniqtype,
    count: u32,
    arguments: *const *const Uniqtype,
) -> *mut Uniqtype {
    // SAFETY: says the caller.
    let (result, list) = unsafe { (TypeRef::from_ptr(result), List::read(arguments, count)) };
    pointer_to(result.zip(list).and_then(|(result, list)| list.with(|list| make::function(result, list))))
}

/// Declares that a block holds objects of `ty` as well as what it holds already. 0 on success.
///
/// # Safety
/// `ty` is NULL or was given out by the library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_add_type_to_block(block: Avma, ty: *const Uniqtype) -> c_int {
    // SAFETY: says the caller.
    let added = unsafe { TypeRef::from_ptr(ty) };
    let changed = added.zip(index::block_at(block)).and_then(|(added, block)| {
        let array = precise::precise(make::array(added, None)?, block.size)?;
        let ty = match site_types::type_of(block.site) {
            Some(old) => make::union(&[precise::precise(old, block.size)?, array])?,
            None => array,
        };
        malloc::declare_type(&block, ty.as_ptr().cast());
        Some(())
    });
    if changed.is_some() { 0 } else { -1 }
}

/// The type of a name, among those that are known.
///
/// # Safety
/// `name` is NULL or a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __liballocs_typestr_to_uniqtype(name: *const c_char) -> *mut Uniqtype {
    if name.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: says the caller.
    let name = unsafe { CStr::from_ptr(name) };
    pointer_to(named::by_name(name.to_bytes(), First::Loaded))
}

/// Leads the file that holds an address to the types that it named when it was linked. Files call it before their own constructors; it may be
/// called again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __allocs_uniqtypes_loaded(address: Avma) {
    if init::ready() {
        link_time::file_opened(address);
    }
}

/// The address of the type that `dlsym` is asked for, or NULL if the symbol is not that of a type.
///
/// # Safety
/// `handle` is what `dlsym` takes; `caller` is the address behind the call of it.
pub unsafe fn of_symbol(handle: *mut c_void, symbol: &CStr, caller: Avma) -> *mut Uniqtype {
    const RTLD_DEFAULT: *mut c_void = core::ptr::null_mut();
    const RTLD_NEXT: *mut c_void = usize::MAX as *mut c_void;
    let first = match handle {
        RTLD_DEFAULT => None,
        RTLD_NEXT => modules::at(caller).map(First::Behind),
        // SAFETY: any other one is that of a loaded file, says the caller.
        handle => unsafe { dl::of_handle(handle) }.map(First::File),
    };
    pointer_to(named::by_symbol(symbol.to_bytes(), first.unwrap_or(First::Loaded)))
}
