//! A file's metadata together with the types of this process that its types are.
//!
//! # Safety
//! The table has one word a type, zeroed at first; a word is NULL or a type that was given out.
#![allow(unsafe_code)]

use allocs_metadata::{Metadata, TypeId};
use core::ops::Deref;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::uniqtype::{TypeRef, Uniqtype};
use crate::sys::memory;

/// The metadata of a file, and what its types were found to be. A look-up of a type is one load.
#[derive(Debug)]
pub struct TypedFile {
    metadata: Metadata<'static>,
    found: &'static [AtomicPtr<Uniqtype>],
}

impl TypedFile {
    /// Nothing is found yet. Without memory for the table every look-up goes the long way.
    #[must_use]
    pub fn new(metadata: Metadata<'static>) -> TypedFile {
        let count = metadata.types().len();
        let found = match memory::map_zeroed((count * size_of::<AtomicPtr<Uniqtype>>()).max(1)) {
            // SAFETY: the mapping has a zeroed word for each type and is never given back.
            Ok(start) => unsafe { core::slice::from_raw_parts(start.as_ptr().cast(), count) },
            Err(_) => &[],
        };
        TypedFile { metadata, found }
    }

    /// What a type was found to be.
    #[must_use]
    #[inline]
    pub fn found(&self, id: TypeId) -> Option<TypeRef> {
        let word = self.found.get(id.0 as usize)?.load(Ordering::Acquire);
        // SAFETY: NULL, or a type that was given out.
        unsafe { TypeRef::from_ptr(word) }
    }

    /// Keeps what a type was found to be; the answer is the same for every thread that looks.
    pub fn keep(&self, id: TypeId, ty: TypeRef) {
        if let Some(word) = self.found.get(id.0 as usize) {
            word.store(ty.as_ptr(), Ordering::Release);
        }
    }
}

impl Deref for TypedFile {
    type Target = Metadata<'static>;

    fn deref(&self) -> &Metadata<'static> {
        &self.metadata
    }
}
