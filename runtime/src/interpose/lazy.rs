//! Functions of the C library that few programs call: each is looked up when it is first called.
//!
//! # Safety
//! A pointer holds NULL or what the look-up gave for that name, whose signature C fixes.
#![allow(unsafe_code)]

use crate::sys::lookup;
use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

/// A function that is looked up when it is first called.
#[derive(Debug)]
pub struct Lazy {
    name: &'static CStr,
    function: AtomicPtr<c_void>,
}

impl Lazy {
    /// The function of that name.
    pub const fn new(name: &'static CStr) -> Lazy {
        Lazy { name, function: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// The function as an `F`, or `None` if no file behind us has it.
    ///
    /// # Safety
    /// `F` is the type of pointers to a function of the C library of that name.
    pub unsafe fn get<F: Copy>(&self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let mut function = self.function.load(Ordering::Relaxed);
        if function.is_null() {
            [function] = lookup::next([self.name]);
            self.function.store(function, Ordering::Relaxed);
        }
        if function.is_null() {
            None
        } else {
            // SAFETY: not NULL, and of that type as the caller says.
            Some(unsafe { core::mem::transmute_copy::<*mut c_void, F>(&function) })
        }
    }
}
