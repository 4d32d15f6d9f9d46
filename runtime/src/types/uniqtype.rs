//! `struct uniqtype`, as C programs see it, and what else we know of a type.
//!
//! # Safety
//! A [`Uniqtype`] is only ever made by [`reserve`], or is an object that a program has for it ([`super::link_time`]): behind it lie
//! as many slots of `related` as its word says, and behind those the address of its [`Header`]. The last slot of a composite leads
//! to the names of its members. An object of a program that no type became has NULL there. Types and headers stay for ever, since
//! their memory comes from the private heap, or from a file that [`super::link_time`] keeps. All words are atomics, because several threads may
//! fill one type, each with the same words.
#![allow(unsafe_code)]

use allocs_metadata::digest::Digest;
use allocs_metadata::link_time::{HEAD_SIZE, SLOT_SIZE, room};
use allocs_metadata::{Kind, TypeRecord, UNBOUNDED_LENGTH, UNBOUNDED_SIZE};
use core::alloc::Layout;
use core::ffi::{CStr, c_char, c_void};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::offers;
use crate::private_heap;

/// The unique run-time representation of a type. Its layout is that of `uniqtype-defs.h`.
#[derive(Debug)]
#[repr(C)]
pub struct Uniqtype {
    /// The clients' word.
    cache_word: AtomicU64,
    /// `pos_maxoff`.
    size: AtomicU32,
    /// The bits of `un`.
    word: AtomicU32,
    make_precise: AtomicPtr<c_void>,
    related: [Related; 0],
}

/// One slot of `related`.
#[derive(Debug)]
#[repr(C)]
pub struct Related {
    /// A type, or the value of an enumerator, or the array of member names.
    word: AtomicU64,
    /// Offset and flags of a member.
    bits: AtomicU64,
}

/// What we know of a type besides.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    digest: Digest,
    name: AtomicPtr<c_char>,
    /// For an incomplete type: the definition that was chosen for it, or itself.
    definition: AtomicPtr<Uniqtype>,
    /// `TYPE_…` flags.
    flags: AtomicU32,
    /// All of this type and of the types that it refers to is filled in.
    complete: AtomicBool,
}

/// That of an object which is no type.
static NO_TYPE: Header = Header {
    digest: [0; 2],
    name: AtomicPtr::new(core::ptr::null_mut()),
    definition: AtomicPtr::new(core::ptr::null_mut()),
    flags: AtomicU32::new(0),
    complete: AtomicBool::new(false),
};

const _: () = assert!(size_of::<Uniqtype>() == HEAD_SIZE && align_of::<Uniqtype>() == 8);
const _: () = assert!(core::mem::offset_of!(Uniqtype, size) == 8);
const _: () = assert!(core::mem::offset_of!(Uniqtype, word) == 12);
const _: () = assert!(core::mem::offset_of!(Uniqtype, make_precise) == 16);
const _: () = assert!(core::mem::offset_of!(Uniqtype, related) == 24);
const _: () = assert!(size_of::<Related>() == SLOT_SIZE);

/// A type whose address was given out. Two are equal when they are at one address.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct TypeRef(&'static Uniqtype);

impl PartialEq for TypeRef {
    fn eq(&self, other: &TypeRef) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}
impl Eq for TypeRef {}

/// A member of a composite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its type.
    pub ty: TypeRef,
    /// Bytes from the start.
    pub offset: usize,
}

/// Low 56 bits of the second word of a member's slot.
const OFFSET_MASK: u64 = (1 << 56) - 1;
/// Number of slots that hold types, members or enumerators, as a word says it.
fn slots_of(word: u32) -> usize {
    let count = match Kind::of_word(word) {
        None | Some(Kind::Void) => 0,
        Some(Kind::Array | Kind::Base | Kind::Subrange) => 1,
        Some(Kind::Address) => 2,
        Some(Kind::Enumeration) => 1 + (word >> 6),
        Some(Kind::Composite) => word >> 4 & 0xf_ffff,
        Some(Kind::Subprogram) => (word >> 4 & 0x3ff) + (word >> 14 & 0x3ff),
    };
    count as usize
}

/// All slots, that of a composite's names among them.
fn all_slots_of(word: u32) -> usize {
    slots_of(word) + usize::from(Kind::of_word(word) == Some(Kind::Composite))
}

/// Bit of a composite's word: `not_simultaneous`.
pub const WORD_NOT_SIMULTANEOUS: u32 = 1 << 24;

impl TypeRef {
    /// The address for C.
    #[must_use]
    pub fn as_ptr(self) -> *mut Uniqtype {
        core::ptr::from_ref(self.0).cast_mut()
    }

    /// The type at an address that a client passed back; `None` for NULL.
    ///
    /// # Safety
    /// `address` is NULL, or one that the library gave out.
    #[must_use]
    pub unsafe fn from_ptr(address: *const Uniqtype) -> Option<TypeRef> {
        // SAFETY: what was given out stays for ever.
        unsafe { address.as_ref() }.map(TypeRef)
    }

    fn header(self) -> &'static Header {
        let place = self.slots().as_ptr_range().end.cast::<AtomicPtr<Header>>();
        // SAFETY: behind the slots there is the address of a header, which stays, or NULL.
        unsafe { (*place).load(Ordering::Acquire).as_ref() }.unwrap_or(&NO_TYPE)
    }

    fn slots(self) -> &'static [Related] {
        let first = core::ptr::from_ref(self.0).wrapping_add(1).cast::<Related>();
        // SAFETY: a type has as many slots as its word says.
        unsafe { core::slice::from_raw_parts(first, all_slots_of(self.word())) }
    }

    fn names(self) -> Option<&'static [AtomicPtr<c_char>]> {
        if self.kind() != Kind::Composite {
            return None;
        }
        let count = self.related_count();
        let first = self.slots().get(count)?.word.load(Ordering::Acquire) as *const AtomicPtr<c_char>;
        // SAFETY: the last slot of a composite leads to a name for each member, and a NULL.
        (!first.is_null()).then(|| unsafe { core::slice::from_raw_parts(first, count + 1) })
    }

    /// What identifies it in the whole world.
    #[must_use]
    pub fn digest(self) -> Digest {
        self.header().digest
    }

    /// Its name, with its NUL; empty for a type that is being filled in.
    #[must_use]
    pub fn name(self) -> &'static CStr {
        let name = self.header().name.load(Ordering::Acquire);
        if name.is_null() {
            return c"";
        }
        // SAFETY: names are NUL-terminated strings in metadata or in the private heap, both there for ever.
        unsafe { CStr::from_ptr(name) }
    }

    /// Size in bytes; `None` for unbounded.
    #[must_use]
    pub fn size(self) -> Option<usize> {
        match self.0.size.load(Ordering::Relaxed) {
            UNBOUNDED_SIZE => None,
            n => Some(n as usize),
        }
    }

    /// The bits of `un`.
    #[must_use]
    pub fn word(self) -> u32 {
        self.0.word.load(Ordering::Relaxed)
    }

    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        Kind::of_word(self.word()).unwrap_or(Kind::Void)
    }

    /// `TYPE_…` flags.
    #[must_use]
    pub fn flags(self) -> u32 {
        self.header().flags.load(Ordering::Relaxed)
    }

    /// Whether its length follows from the allocation that it types.
    #[must_use]
    pub fn makes_precise(self) -> bool {
        !self.0.make_precise.load(Ordering::Relaxed).is_null()
    }

    /// Length of an array; `None` for unbounded.
    #[must_use]
    pub fn array_length(self) -> Option<u32> {
        Some(self.word() >> 1).filter(|&n| n != UNBOUNDED_LENGTH)
    }

    /// The `index`th related type, for kinds whose slots are types.
    #[must_use]
    pub fn related(self, index: usize) -> Option<TypeRef> {
        if index >= self.related_count() || (self.kind() == Kind::Enumeration && index > 0) {
            return None;
        }
        let word = self.slots().get(index)?.word.load(Ordering::Acquire);
        // SAFETY: outside an enumeration's values, these slots hold NULL or types that were given out.
        unsafe { TypeRef::from_ptr(word as *const Uniqtype) }
    }

    /// Number of slots that hold types, members or enumerators.
    #[must_use]
    pub fn related_count(self) -> usize {
        slots_of(self.word())
    }

    /// The `index`th member of a composite.
    #[must_use]
    pub fn member(self, index: usize) -> Option<Member> {
        if self.kind() != Kind::Composite {
            return None;
        }
        let ty = self.related(index)?;
        let offset = (self.slots().get(index)?.bits.load(Ordering::Relaxed) & OFFSET_MASK) as usize;
        Some(Member { ty, offset })
    }

    /// The second word of a member's slot: offset and flags.
    #[must_use]
    pub fn member_bits(self, index: usize) -> u64 {
        self.slots().get(index).map_or(0, |slot| slot.bits.load(Ordering::Relaxed))
    }

    /// Name of the `index`th member of a composite.
    #[must_use]
    pub fn member_name(self, index: usize) -> *const c_char {
        self.names().and_then(|names| names.get(index)).map_or(c"".as_ptr(), |n| n.load(Ordering::Relaxed))
    }

    /// Whether all of it, and of what it refers to, is filled in.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.header().complete.load(Ordering::Acquire)
    }

    /// Says that all of it, and of what it refers to, is filled in.
    pub fn set_complete(self) {
        self.header().complete.store(true, Ordering::Release);
    }

    /// The definition that was chosen for this incomplete type.
    #[must_use]
    pub fn definition(self) -> Option<TypeRef> {
        // SAFETY: only types that were given out are stored.
        unsafe { TypeRef::from_ptr(self.header().definition.load(Ordering::Acquire)) }
    }

    /// Chooses a definition, unless one is chosen; gives the one chosen first.
    pub fn choose_definition(self, definition: TypeRef) -> TypeRef {
        let slot = &self.header().definition;
        let null = core::ptr::null_mut();
        match slot.compare_exchange(null, definition.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => definition,
            // SAFETY: only types that were given out are stored.
            Err(first) => unsafe { TypeRef::from_ptr(first) }.unwrap_or(definition),
        }
    }

    /// Whether a record describes a type that fits this block. Only hostile metadata has two of one digest that differ.
    #[must_use]
    pub fn fits(self, shape: &Shape) -> bool {
        self.word() == shape.word && self.related_count() == shape.related_count as usize
    }

    /// Writes the name, unless there is one.
    pub fn set_name(self, name: &'static CStr) {
        let null = core::ptr::null_mut();
        let _ = self.header().name.compare_exchange(
            null,
            name.as_ptr().cast_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }

    /// Writes a slot: a related type, or a member (with `bits`).
    pub fn set_related(self, index: usize, ty: Option<TypeRef>, bits: u64) {
        if let Some(slot) = self.slots().get(index) {
            slot.bits.store(bits, Ordering::Relaxed);
            slot.word.store(ty.map_or(0, |ty| ty.as_ptr() as u64), Ordering::Release);
        }
    }

    /// Writes the value of an enumerator.
    pub fn set_value(self, index: usize, value: u64) {
        if let Some(slot) = self.slots().get(index) {
            slot.word.store(value, Ordering::Relaxed);
        }
    }

    /// Writes the name of a member.
    pub fn set_member_name(self, index: usize, name: &'static CStr) {
        if let Some(slot) = self.names().and_then(|names| names.get(index)) {
            slot.store(name.as_ptr().cast_mut(), Ordering::Relaxed);
        }
    }

    /// Gives a member the name that `other` has for its member there.
    pub fn copy_member_name(self, index: usize, other: TypeRef) {
        if let Some(slot) = self.names().and_then(|names| names.get(index)) {
            slot.store(other.member_name(index).cast_mut(), Ordering::Relaxed);
        }
    }

    /// Makes an object of a program say what this type, which is complete, says, for code that cannot be led to the type itself.
    ///
    /// # Safety
    /// `place` is an object for a type, `room` bytes large, which nobody else writes.
    pub unsafe fn mirror(self, place: NonNull<u8>, room: usize) {
        let size = self::room(self.slots().len());
        if size <= room {
            // SAFETY: a type has so many bytes, and the object room for them.
            unsafe { core::ptr::copy_nonoverlapping(self.as_ptr().cast::<u8>(), place.as_ptr(), size) };
        }
    }

    /// Sets what makes it precise.
    pub fn set_make_precise(self, function: *mut c_void) {
        self.0.make_precise.store(function, Ordering::Relaxed);
    }
}

/// What the word of a base type says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits {
    /// `DW_ATE_…`.
    pub encoding: u8,
    /// Number of bits.
    pub len: u32,
    /// First bit, from the low bit of the storage unit.
    pub first: u32,
}

impl Bits {
    /// From the word of a base type of `size` bytes.
    #[must_use]
    pub fn of(word: u32, size: u32) -> Bits {
        let all = 8 * i64::from(size);
        let power = word >> 10 & 15;
        let delta = if power > 0 { 1i64 << (power - 1) } else { 0 };
        let rest = i64::from((word >> 14) as u8 as i8);
        let offset = i64::from((word as i32) >> 22);
        let first = if offset < 0 { all + offset } else { offset };
        Bits {
            encoding: (word >> 4 & 63) as u8,
            len: (all - delta - rest).max(0) as u32,
            first: first.max(0) as u32,
        }
    }
}

/// What a type has besides its name and its slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// What identifies it.
    pub digest: Digest,
    /// `pos_maxoff`.
    pub size: u32,
    /// The bits of `un`.
    pub word: u32,
    /// `TYPE_…` flags.
    pub flags: u32,
    /// Number of slots, without that of the member names.
    pub related_count: u32,
}

impl Shape {
    /// The shape that a record states.
    #[must_use]
    pub fn of(record: &TypeRecord) -> Shape {
        Shape {
            digest: record.digest,
            size: record.size,
            word: record.word,
            flags: record.flags,
            related_count: record.related_count,
        }
    }
}

/// Makes a type, its slots still empty: where a program has an object for it, or else in a block of our own. `None` without memory, or if
/// the word says another number of slots.
#[must_use]
pub fn reserve(shape: &Shape) -> Option<TypeRef> {
    let kind = Kind::of_word(shape.word)?;
    let count = shape.related_count as usize;
    if slots_of(shape.word) != count {
        return None;
    }
    let room = room(all_slots_of(shape.word));
    let header = private_heap::alloc_value(Header {
        digest: shape.digest,
        name: AtomicPtr::new(core::ptr::null_mut()),
        definition: AtomicPtr::new(core::ptr::null_mut()),
        flags: AtomicU32::new(shape.flags),
        complete: AtomicBool::new(false),
    })?;
    let names = if kind == Kind::Composite { Some(no_names(count)?) } else { None };
    let place = match offers::take(shape.digest, room) {
        Some(place) => place,
        None => private_heap::alloc(Layout::from_size_align(room, 8).ok()?)?,
    };
    let ty = Uniqtype {
        cache_word: AtomicU64::new(0),
        size: AtomicU32::new(shape.size),
        word: AtomicU32::new(shape.word),
        make_precise: AtomicPtr::new(core::ptr::null_mut()),
        related: [],
    };
    // SAFETY: the place is ours, for ever, and has room for the type, its slots and the header's address.
    let ty = TypeRef(unsafe {
        place.write_bytes(0, room);
        place.cast::<Uniqtype>().write(ty);
        place
            .add(room - 8)
            .cast::<AtomicPtr<Header>>()
            .write(AtomicPtr::new(core::ptr::from_ref(header).cast_mut()));
        place.cast::<Uniqtype>().as_ref()
    });
    if let (Some(names), Some(slot)) = (names, ty.slots().get(count)) {
        slot.word.store(names.as_ptr() as u64, Ordering::Release);
    }
    Some(ty)
}

/// As many empty names, and a NULL.
fn no_names(count: usize) -> Option<&'static [AtomicPtr<c_char>]> {
    let block = private_heap::alloc(Layout::array::<AtomicPtr<c_char>>(count + 1).ok()?)?;
    // SAFETY: the block is zeroed, has room for so many words, and stays.
    let names = unsafe { core::slice::from_raw_parts(block.cast::<AtomicPtr<c_char>>().as_ptr(), count + 1) };
    names[..count].iter().for_each(|name| name.store(c"".as_ptr().cast_mut(), Ordering::Relaxed));
    Some(names)
}
