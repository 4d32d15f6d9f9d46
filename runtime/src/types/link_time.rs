//! Types that programs name at link time (`extern struct uniqtype __uniqtype__point`).
//!
//! A file that was linked with such names has an object for each, and a note that leads to it ([`allocs_metadata::link_time`]). The objects of
//! the files that are there from the start become the types themselves, before any constructor but ours runs: their code may reach them
//! without asking the dynamic linker. A file that is opened later calls us before its own constructors. Since it may
//! be closed again, its objects become no types; the words through which its code reaches them are led to the types instead. Code that
//! reaches its own object directly finds a copy there.
//!
//! # Safety
//! Notes were made by the tool, and lead to objects of the same file with as much room as they say; what does not lie in the file
//! is passed over. Files that are there from the start stay for ever.
#![allow(unsafe_code)]

use core::ffi::CStr;
use core::ptr::NonNull;

use allocs_metadata::digest::Digest;
use allocs_metadata::link_time::{self, Note, SYMBOL_PREFIX};

use super::intern;
use super::named::{self, First};
use super::offers;
use super::scratch::Scratch;
use crate::avma::Avma;
use crate::modules;
use crate::sys::loaded::{self, PT_DYNAMIC, PT_GNU_RELRO, PT_LOAD, PT_NOTE};
use crate::sys::lookup::{self, Object};
use crate::sys::slots;

/// A loaded file with notes.
#[derive(Clone, Copy)]
struct File {
    bias: usize,
    start: Avma,
    end: Avma,
    dynamic: Avma,
    read_only: (Avma, usize),
}

/// Makes the types that the loaded files name. Called once, before their constructors run.
pub fn files_at_start() {
    let mut files = Scratch::default();
    // Without memory the types of some files have other addresses.
    let _ = loaded::each(|file| files.push(File::with_notes(file)?).is_none().then_some(()));
    // All are offered before one is made, since that makes others too.
    let mut offered = Scratch::default();
    for file in files.as_slice() {
        file.each_note(|symbol, own| file.offer(symbol, own, &mut offered));
    }
    for file in files.as_slice() {
        file.each_note(|symbol, own| file.make(symbol, own));
        file.lead_slots();
    }
}

/// Leads the file that holds an address to the types that it names: its constructors have not run yet.
pub fn file_opened(address: Avma) {
    let opened = loaded::each(|file| if file.holds(address) { Some(File::with_notes(file)) } else { None });
    if let Some(Some(file)) = opened {
        file.each_note(|symbol, own| file.make(symbol, own));
        file.lead_slots();
    }
}

impl File {
    /// `None` for one that has no notes about types, as most have none.
    fn with_notes(file: &loaded::File) -> Option<File> {
        let headers = file.headers();
        let of_kind = |kind| headers.iter().filter(move |header| header.kind == kind);
        if !of_kind(PT_NOTE).any(|header| notes(file, header).next().is_some()) {
            return None;
        }
        let read_only = of_kind(PT_GNU_RELRO).next();
        Some(File {
            bias: file.bias,
            start: of_kind(PT_LOAD).map(|header| file.avma(header.svma)).min()?,
            end: of_kind(PT_LOAD).map(|header| file.avma(header.svma.saturating_add(header.size))).max()?,
            dynamic: file.avma(of_kind(PT_DYNAMIC).next()?.svma),
            read_only: read_only
                .map_or((Avma::NULL, 0), |header| (file.avma(header.svma), header.size as usize)),
        })
    }

    /// Calls `f` for each object of the file, with the symbol of its type.
    fn each_note(&self, mut f: impl FnMut(&'static CStr, Object)) {
        let mut found: Scratch<(&'static CStr, Object)> = Scratch::default();
        let _ = loaded::each(|file| {
            if !file.holds(self.start) {
                return None;
            }
            for header in file.headers().iter().filter(|header| header.kind == PT_NOTE) {
                for note in notes(file, header) {
                    let place = Avma(file.avma(header.svma).0.wrapping_add_signed(note.object));
                    let room = note.room;
                    let is_inside =
                        place >= self.start && place.0.checked_add(room).is_some_and(|end| end <= self.end.0);
                    if is_inside && place.0.is_multiple_of(8) {
                        // SAFETY: a NUL stands behind the symbol, and the file stays loaded while it is looked at.
                        let symbol = unsafe { CStr::from_ptr(note.symbol.as_ptr().cast()) };
                        found.push((symbol, Object { place, size: room }))?;
                    }
                }
            }
            Some(())
        });
        found.as_slice().iter().for_each(|&(symbol, object)| f(symbol, object));
    }

    fn first(&self) -> First {
        modules::at(self.dynamic).map_or(First::Loaded, First::File)
    }

    /// Offers an object of it for its type, or the one that the whole process takes for it, unless there is one for that type.
    fn offer(&self, symbol: &'static CStr, own: Object, offered: &mut Scratch<(Digest, Avma)>) {
        let Some(digest) = named::digest_of_symbol(symbol.to_bytes(), self.first()) else { return };
        let known = offered.as_slice();
        if known.iter().any(|&(other, _)| other == digest) {
            return;
        }
        // An executable may have taken a copy of a library's object (`R_X86_64_COPY`).
        let used = lookup::object_in_use(symbol).filter(|object| object.place.0.is_multiple_of(8));
        let free = |object: &Object| !known.iter().any(|&(_, place)| place == object.place);
        if let Some(object) = used.filter(free).or_else(|| Some(own).filter(free))
            && offered.push((digest, object.place)).is_some()
            && let Some(place) = NonNull::new(object.place.pointer())
        {
            // SAFETY: the object is one for types, of a file that stays, and it was not offered before.
            unsafe { offers::offer(digest, place, object.size) };
        }
    }

    /// Makes the type of a symbol. If that is elsewhere, the file's own object says the same.
    fn make(&self, symbol: &'static CStr, own: Object) {
        if let Some(ty) = named::by_symbol(symbol.to_bytes(), self.first())
            && intern::find(|ty| (Avma::of(ty.as_ptr()) == own.place).then_some(())).is_none()
            && let Some(place) = NonNull::new(own.place.pointer())
        {
            // SAFETY: the object is one for types, and no type is there.
            unsafe { ty.mirror(place, own.size) };
        }
    }

    /// Leads the words that hold addresses of types' symbols to the types.
    fn lead_slots(&self) {
        let first = self.first();
        let lead = |symbol: &'static CStr, slot: slots::Slot| {
            if let Some(ty) = named::by_symbol(symbol.to_bytes(), first) {
                // SAFETY: none of the file's code has run.
                unsafe { slot.lead_to(Avma::of(ty.as_ptr()), self.read_only) };
            }
        };
        // SAFETY: the file stays loaded, since it is being opened, or was there from the start.
        unsafe { slots::of_symbols(self.bias, self.dynamic, SYMBOL_PREFIX.as_bytes(), lead) };
    }
}

/// The notes about types in a segment of notes; none if that is not in memory.
fn notes<'a>(file: &'a loaded::File, header: &loaded::Header) -> impl Iterator<Item = Note<'a>> {
    let end = header.svma.saturating_add(header.size);
    let is_loaded = file.headers().iter().any(|load| {
        load.kind == PT_LOAD && header.svma >= load.svma && end <= load.svma.saturating_add(load.size)
    });
    let size = if is_loaded { header.size as usize } else { 0 };
    // SAFETY: the bytes lie in a loaded segment; without any the address does not matter.
    let bytes =
        unsafe { core::slice::from_raw_parts(file.avma(header.svma).pointer::<u8>().cast_const(), size) };
    link_time::notes(bytes)
}
