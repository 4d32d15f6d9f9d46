//! What the kernel puts above the first frame: `argv`, `envp`, the auxiliary vector, and their strings.
//!
//! Programs overwrite the strings and move the vectors (`setenv`, process titles), so the places are noted at start.
//!
//! # Safety
//! The area is part of the main thread's stack: mapped, readable and writable, for as long as the process lives. It is read
//! byte by byte or word by word, since the program may change it meanwhile.
#![allow(unsafe_code)]

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::avma::Avma;
use crate::types::{TypeRef, make};

/// The boundaries of the parts, in this order.
struct Area {
    argv: AtomicUsize,
    envp: AtomicUsize,
    auxv: AtomicUsize,
    auxv_end: AtomicUsize,
    strings: AtomicUsize,
    file_name: AtomicUsize,
    end: AtomicUsize,
}

static AREA: Area = Area {
    argv: AtomicUsize::new(0),
    envp: AtomicUsize::new(0),
    auxv: AtomicUsize::new(0),
    auxv_end: AtomicUsize::new(0),
    strings: AtomicUsize::new(0),
    file_name: AtomicUsize::new(0),
    end: AtomicUsize::new(0),
};

const AT_NULL: usize = 0;
const AT_EXECFN: usize = 31;

/// What an address of the area belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// Start.
    pub base: Avma,
    /// Size in bytes.
    pub size: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Pointers,
    Words,
    String,
}

impl Item {
    /// Its type.
    #[must_use]
    pub fn ty(&self) -> Option<TypeRef> {
        let element = match self.kind {
            Kind::Pointers => make::pointer(make::char()?)?,
            Kind::Words => make::base(make::ATE_UNSIGNED, 8)?,
            Kind::String => make::char()?,
        };
        make::array(element, Some(u32::try_from(self.size / element.size()?).ok()?))
    }
}

/// Notes where the area is.
///
/// # Safety
/// `argv` is the vector that the kernel made.
pub unsafe fn init(argv: *const *const c_char) {
    let mut at = Avma::of(argv);
    // SAFETY: argv goes on to its NULL, envp follows and goes on to its NULL, the auxiliary vector follows and
    // goes on to AT_NULL.
    unsafe {
        let first_string = read(at);
        AREA.argv.store(at.0, Ordering::Relaxed);
        while next(&mut at) != 0 {}
        AREA.envp.store(at.0, Ordering::Relaxed);
        let first_variable = read(at);
        while next(&mut at) != 0 {}
        AREA.auxv.store(at.0, Ordering::Relaxed);
        let mut name = 0;
        loop {
            let (tag, value) = (next(&mut at), next(&mut at));
            match tag {
                AT_NULL => break,
                AT_EXECFN => name = value,
                _ => {}
            }
        }
        AREA.auxv_end.store(at.0, Ordering::Relaxed);
        // The file's name is the last string.
        let strings = [first_string, first_variable, name].into_iter().filter(|&s| s != 0).min();
        if let Some(strings) = strings.filter(|&s| s >= at.0 && s <= name) {
            AREA.strings.store(strings, Ordering::Relaxed);
            let mut end = name;
            while Avma(end).pointer::<u8>().read_volatile() != 0 {
                end += 1;
            }
            AREA.file_name.store(name, Ordering::Relaxed);
            AREA.end.store(end + 1, Ordering::Relaxed);
        } else {
            AREA.strings.store(at.0, Ordering::Relaxed);
            AREA.end.store(at.0, Ordering::Relaxed);
        }
    }
}

/// Copies the name that the program was started by. It may be relative to a directory that was left meanwhile.
#[must_use]
pub fn file_name(buffer: &mut [u8]) -> Option<&CStr> {
    let start = Avma(AREA.file_name.load(Ordering::Relaxed));
    let size = Avma(AREA.end.load(Ordering::Relaxed)).offset_from(start)?;
    let copy = buffer.get_mut(..size)?;
    for (i, byte) in copy.iter_mut().enumerate() {
        // SAFETY: the byte is part of the area.
        *byte = unsafe { start.pointer::<u8>().add(i).read_volatile() };
    }
    CStr::from_bytes_with_nul(copy).ok()
}

/// Start of the area, if it lies above `sp`, with nothing but the main thread's stack between. The word before `argv` is its
/// length.
#[must_use]
pub fn first_after(sp: Avma) -> Option<Avma> {
    let start = Avma(AREA.argv.load(Ordering::Relaxed).saturating_sub(8));
    (sp < start).then_some(start)
}

/// What an address of the area belongs to.
#[must_use]
pub fn item_at(p: Avma) -> Option<Item> {
    let of = |bound: &AtomicUsize| Avma(bound.load(Ordering::Relaxed));
    let (argv, end) = (of(&AREA.argv), of(&AREA.end));
    if p < argv || p >= end {
        return None;
    }
    let (envp, auxv, auxv_end, strings) =
        (of(&AREA.envp), of(&AREA.auxv), of(&AREA.auxv_end), of(&AREA.strings));
    let item = |base: Avma, end: Avma, kind| Some(Item { base, size: end.0 - base.0, kind });
    if p < envp {
        item(argv, envp, Kind::Pointers)
    } else if p < auxv {
        item(envp, auxv, Kind::Pointers)
    } else if p < auxv_end {
        item(auxv, auxv_end, Kind::Words)
    } else if p >= strings {
        // SAFETY: the bytes between `strings` and `end` are in the area.
        let is_end = |at: usize| unsafe { Avma(at).pointer::<u8>().read_volatile() } == 0;
        let start = (strings.0..p.0).rev().find(|&at| is_end(at)).map_or(strings.0, |at| at + 1);
        let last = (p.0..end.0).find(|&at| is_end(at)).unwrap_or(end.0 - 1);
        item(Avma(start), Avma(last + 1), Kind::String)
    } else {
        None
    }
}

/// # Safety
/// A word of the area.
unsafe fn read(at: Avma) -> usize {
    // SAFETY: says the caller.
    unsafe { at.pointer::<usize>().read_volatile() }
}

/// # Safety
/// As [`read`].
unsafe fn next(at: &mut Avma) -> usize {
    // SAFETY: says the caller.
    let word = unsafe { read(*at) };
    at.0 += 8;
    word
}
