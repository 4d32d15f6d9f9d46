//! `struct uniqtype`, as C programs see it, and the private words that lie before it.
//!
//! # Safety
//! A [`Uniqtype`] is only ever made as part of a block by [`reserve`]: its [`Header`] lies directly before it, `capacity`
//! slots of `related` behind it, and, for a composite, as many names and their NULL behind those. Blocks come from the
//! private heap zeroed and are never freed. All words are atomics, because several threads may fill one block, each with
//! the same words.
#![allow(unsafe_code)]

use allocs_metadata::digest::Digest;
use allocs_metadata::{Kind, TypeRecord, UNBOUNDED_LENGTH, UNBOUNDED_SIZE};
use core::alloc::Layout;
use core::ffi::{CStr, c_char, c_void};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

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

/// What lies directly before a [`Uniqtype`]. An object that a program defines at link time has it, too.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    digest: Digest,
    name: AtomicPtr<c_char>,
    /// For an incomplete type: the definition that was chosen for it, or itself.
    definition: AtomicPtr<Uniqtype>,
    /// `TYPE_…` flags.
    flags: AtomicU32,
    /// Number of slots of `related`, without that of the member names.
    capacity: u32,
    /// All of this type and of the types that it refers to is filled in.
    complete: AtomicBool,
}

const HEADER_SIZE: usize = size_of::<Header>();
const _: () = assert!(size_of::<Uniqtype>() == 24 && align_of::<Uniqtype>() == 8);
const _: () = assert!(core::mem::offset_of!(Uniqtype, size) == 8);
const _: () = assert!(core::mem::offset_of!(Uniqtype, word) == 12);
const _: () = assert!(core::mem::offset_of!(Uniqtype, make_precise) == 16);
const _: () = assert!(core::mem::offset_of!(Uniqtype, related) == 24);
const _: () = assert!(size_of::<Related>() == 16 && HEADER_SIZE.is_multiple_of(8));

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
        let at = core::ptr::from_ref(self.0).cast::<u8>().wrapping_sub(HEADER_SIZE);
        // SAFETY: every block has its header directly before the type.
        unsafe { &*at.cast::<Header>() }
    }

    fn slots(self) -> &'static [Related] {
        let composite = usize::from(self.kind() == Kind::Composite);
        let count = self.header().capacity as usize + composite;
        let first = core::ptr::from_ref(self.0).wrapping_add(1).cast::<Related>();
        // SAFETY: a block has `capacity` slots behind the type, one more for a composite.
        unsafe { core::slice::from_raw_parts(first, count) }
    }

    fn names(self) -> Option<&'static [AtomicPtr<c_char>]> {
        if self.kind() != Kind::Composite {
            return None;
        }
        let count = self.header().capacity as usize + 1;
        let first = self.slots().as_ptr_range().end.cast::<AtomicPtr<c_char>>();
        // SAFETY: a composite's block has a name for each member, and the NULL, behind the slots.
        Some(unsafe { core::slice::from_raw_parts(first, count) })
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
        if index >= self.header().capacity as usize || (self.kind() == Kind::Enumeration && index > 0) {
            return None;
        }
        let word = self.slots().get(index)?.word.load(Ordering::Acquire);
        // SAFETY: outside an enumeration's values, slots below the capacity hold NULL or types that were given out.
        unsafe { TypeRef::from_ptr(word as *const Uniqtype) }
    }

    /// Number of slots that hold types, members or enumerators.
    #[must_use]
    pub fn related_count(self) -> usize {
        self.header().capacity as usize
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
        self.header().capacity == shape.related_count && Some(self.kind()) == Kind::of_word(shape.word)
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

/// Makes the block of a type, its slots still empty.
#[must_use]
pub fn reserve(shape: &Shape) -> Option<TypeRef> {
    let kind = Kind::of_word(shape.word)?;
    let count = shape.related_count as usize;
    let names = if kind == Kind::Composite { size_of::<Related>() + 8 * (count + 1) } else { 0 };
    let size = HEADER_SIZE + size_of::<Uniqtype>() + count * size_of::<Related>() + names;
    let block = private_heap::alloc(Layout::from_size_align(size, 16).ok()?)?;
    let header = Header {
        digest: shape.digest,
        name: AtomicPtr::new(core::ptr::null_mut()),
        definition: AtomicPtr::new(core::ptr::null_mut()),
        flags: AtomicU32::new(shape.flags),
        capacity: shape.related_count,
        complete: AtomicBool::new(false),
    };
    let ty = Uniqtype {
        cache_word: AtomicU64::new(0),
        size: AtomicU32::new(shape.size),
        word: AtomicU32::new(shape.word),
        make_precise: AtomicPtr::new(core::ptr::null_mut()),
        related: [],
    };
    // SAFETY: the block is new and has room for the header, the type and, zeroed, its slots.
    let ty = TypeRef(unsafe {
        block.cast::<Header>().write(header);
        let at: NonNull<Uniqtype> = block.add(HEADER_SIZE).cast();
        at.write(ty);
        at.as_ref()
    });
    if let Some(names) = ty.names() {
        for name in &names[..count] {
            name.store(c"".as_ptr().cast_mut(), Ordering::Relaxed);
        }
        let slot = &ty.slots()[count];
        slot.word.store(names.as_ptr() as u64, Ordering::Relaxed);
    }
    Some(ty)
}
