//! Types from metadata: one address for one digest, whichever file and thread asks first.
//!
//! A type and all that it refers to are filled in together, without locks, so that this works in a signal handler that
//! interrupted itself: (a) a block is reserved for each digest, (b) every thread that needs a type which is not complete
//! fills in all of its closure, writing the same words as any other, (c) having filled in the closure, it marks it
//! complete. Only complete types are given out.

use allocs_metadata::digest::{self, Digest};
use allocs_metadata::{
    Kind, Metadata, RelatedRecord, TYPE_INCOMPLETE, TYPE_MAKES_PRECISE, TYPE_NAME_IS_TAG, TypeId, TypeRecord,
    UNBOUNDED_LENGTH,
};
use core::ffi::CStr;

use super::file::TypedFile;
use super::scratch::{Scratch, WordSet};
use super::trie::Trie;
use super::uniqtype::{self, Bits, Shape, TypeRef};
use super::{make, precise};
use crate::modules;

/// All types of this process.
static TYPES: Trie = Trie::new();

/// The type of a digest, if it is complete.
#[must_use]
pub fn known(digest: Digest) -> Option<TypeRef> {
    TYPES.get(digest).filter(|ty| ty.is_complete())
}

/// The block of a digest, complete or not; `None` without memory, or if the digest is another's.
pub(super) fn block_of(shape: &Shape) -> Option<TypeRef> {
    TYPES.get_or_insert(shape.digest, || uniqtype::reserve(shape)).filter(|ty| ty.fits(shape))
}

/// The first complete type for which `f` gives something.
pub fn find<T>(mut f: impl FnMut(TypeRef) -> Option<T>) -> Option<T> {
    TYPES.find(|ty| if ty.is_complete() { f(ty) } else { None })
}

/// The type of this process that a file's type is. `None` if the metadata is broken or there is no memory.
#[must_use]
#[inline]
pub fn intern(file: &'static TypedFile, id: TypeId) -> Option<TypeRef> {
    file.found(id).or_else(|| find_or_make(file, id))
}

#[cold]
fn find_or_make(file: &'static TypedFile, id: TypeId) -> Option<TypeRef> {
    let root = locate(file, id)?;
    if !root.ty.is_complete() {
        fill_closure(root)?;
    }
    file.keep(id, root.ty);
    Some(root.ty)
}

/// The digest of a file's type, without the type.
#[must_use]
pub(super) fn digest_of(file: &'static TypedFile, id: TypeId) -> Option<Digest> {
    let record = file.ty(id)?;
    if record.flags & TYPE_INCOMPLETE != 0 {
        let definition = place_of_definition(file, record).and_then(|(file, id)| file.ty(id));
        return Some(definition.unwrap_or(record).digest);
    }
    Resolver { file, steps: MAX_STEPS }.digest(id)
}

/// A type's block, and the record that says what is in it.
#[derive(Clone, Copy)]
struct Located {
    ty: TypeRef,
    file: &'static TypedFile,
    id: TypeId,
}

fn fill_closure(root: Located) -> Option<()> {
    let mut closure = Scratch::default();
    let mut seen = WordSet::default();
    closure.push(root)?;
    seen.insert(root.ty.as_ptr() as usize)?;
    let mut next = 0;
    while let Some(&located) = closure.as_slice().get(next) {
        next += 1;
        fill(located, &mut |child| {
            if !child.ty.is_complete() && seen.insert(child.ty.as_ptr() as usize)? {
                closure.push(child)?;
            }
            Some(())
        })?;
    }
    closure.as_slice().iter().for_each(|located| located.ty.set_complete());
    Some(())
}

/// Writes all words of a type; `visit` gets each type that it refers to.
fn fill(this: Located, visit: &mut impl FnMut(Located) -> Option<()>) -> Option<()> {
    let Located { ty, file, id } = this;
    let record = file.ty(id)?;
    let related = file.related(record);
    ty.set_name(text(file, record.name));
    if record.flags & TYPE_MAKES_PRECISE != 0 {
        ty.set_make_precise(precise::callback());
    }
    let kind = ty.kind();
    for (index, slot) in related.iter().enumerate() {
        if kind == Kind::Enumeration && index > 0 {
            ty.set_value(index, slot.value);
            continue;
        }
        let child = match slot.ty {
            TypeId::NONE => None,
            child => {
                let child = locate(file, child)?;
                visit(child)?;
                Some(child.ty)
            }
        };
        if kind == Kind::Composite {
            ty.set_member_name(index, text(file, slot.name));
            ty.set_related(index, child.or_else(make::void), slot.value);
        } else if child.is_some() {
            ty.set_related(index, child, 0);
        }
    }
    if kind == Kind::Base && ty.related(0).is_none() {
        // One of an encoding without signedness has none.
        let _ = make::pair_with_other_signedness(ty);
    }
    Some(())
}

/// The block for a type of a file: of an incomplete type that of its definition, if there is one, and of a type made from
/// it that of the type made from the definition.
fn locate(file: &'static TypedFile, id: TypeId) -> Option<Located> {
    let record = file.ty(id)?;
    if record.flags & TYPE_INCOMPLETE != 0 {
        return locate_definition(file, id, record);
    }
    let mut shape = shape(file, record)?;
    shape.digest = Resolver { file, steps: MAX_STEPS }.digest(id)?;
    Some(Located { ty: block_of(&shape)?, file, id })
}

fn locate_definition(file: &'static TypedFile, id: TypeId, record: &TypeRecord) -> Option<Located> {
    let ty = block_of(&shape(file, record)?)?;
    let this = Located { ty, file, id };
    if let Some(chosen) = ty.definition()
        && chosen.is_complete()
    {
        return Some(Located { ty: chosen, ..this });
    }
    let found = only_definition(file, record).unwrap_or(this);
    let chosen = ty.choose_definition(found.ty);
    if chosen == found.ty { Some(found) } else { with_digest(chosen) }
}

/// Most types that are looked at for the digest of one.
const MAX_STEPS: u32 = 1000;

/// Computes the digests of types that are made from others, since one of these may be incomplete in its file.
struct Resolver {
    file: &'static TypedFile,
    steps: u32,
}

impl Resolver {
    fn digest(&mut self, id: TypeId) -> Option<Digest> {
        let record = self.file.ty(id)?;
        // What nests so deep keeps the digest that the file states.
        let Some(steps) = self.steps.checked_sub(1) else { return Some(record.digest) };
        self.steps = steps;
        let digest = match (Kind::of_word(record.word)?, self.file.related(record)) {
            (Kind::Composite | Kind::Enumeration, _) if record.flags & TYPE_INCOMPLETE != 0 => {
                locate_definition(self.file, id, record)?.ty.digest()
            }
            (Kind::Void, _) => digest::void(),
            (Kind::Base, _) => {
                let Bits { encoding, len, first } = Bits::of(record.word, record.size);
                digest::base(encoding, record.size, len, first)
            }
            (Kind::Address, [pointee, ..]) => digest::pointer(self.digest(pointee.ty)?),
            (Kind::Array, [element, ..]) => {
                let length = Some(record.word >> 1).filter(|&n| n != UNBOUNDED_LENGTH);
                digest::array(self.digest(element.ty)?, length)
            }
            (Kind::Subprogram, [result, parameters @ ..]) => {
                let result = self.digest(result.ty)?;
                let variadic = record.word >> 24 & 1 != 0;
                digest::function(result, parameters.iter().map_while(|p| self.digest(p.ty)), variadic)
            }
            _ => record.digest,
        };
        Some(digest)
    }
}

/// The only definition, in the loaded files, of a tag that this file only declares.
fn only_definition(file: &'static TypedFile, declared: &TypeRecord) -> Option<Located> {
    let (file, id) = place_of_definition(file, declared)?;
    Some(Located { ty: block_of(&shape(file, file.ty(id)?)?)?, file, id })
}

/// Where that definition is.
fn place_of_definition(
    file: &'static TypedFile,
    declared: &TypeRecord,
) -> Option<(&'static TypedFile, TypeId)> {
    let name = file.string(declared.name);
    let wanted = Kind::of_word(declared.word)?;
    if declared.flags & TYPE_NAME_IS_TAG == 0 {
        return None;
    }
    let mut found: Option<(&'static TypedFile, TypeId, Digest)> = None;
    let ambiguous = modules::each(|module| {
        let file = module.metadata?;
        file.types().iter().enumerate().find_map(|(index, record)| {
            let defines = record.flags & (TYPE_INCOMPLETE | TYPE_NAME_IS_TAG) == TYPE_NAME_IS_TAG
                && Kind::of_word(record.word) == Some(wanted)
                && file.string(record.name) == name;
            if !defines {
                return None;
            }
            match found {
                Some((.., other)) if other != record.digest => Some(()),
                _ => {
                    found = Some((file, TypeId(index as u32), record.digest));
                    None
                }
            }
        })
    });
    found.filter(|_| ambiguous.is_none()).map(|(file, id, _)| (file, id))
}

/// The record of a block that another thread chose.
fn with_digest(ty: TypeRef) -> Option<Located> {
    modules::each(|module| {
        let file = module.metadata?;
        let index = file.types().iter().position(|record| record.digest == ty.digest())?;
        Some(Located { ty, file, id: TypeId(index as u32) })
    })
}

/// What a record states, with at least the slots that its kind has for C programs.
fn shape(metadata: &Metadata<'_>, record: &TypeRecord) -> Option<Shape> {
    let related: &[RelatedRecord] = metadata.related(record);
    let least = match Kind::of_word(record.word)? {
        Kind::Address => 2,
        Kind::Array | Kind::Base | Kind::Enumeration | Kind::Subrange => 1,
        Kind::Void | Kind::Composite | Kind::Subprogram => 0,
    };
    Some(Shape { related_count: (related.len() as u32).max(least), ..Shape::of(record) })
}

/// A string of a file's metadata, which stays mapped.
#[allow(unsafe_code)]
pub fn text(metadata: &Metadata<'static>, s: allocs_metadata::StrRef) -> &'static CStr {
    // SAFETY: the byte behind a string of metadata is a NUL, and the metadata stays mapped for ever.
    unsafe { CStr::from_ptr(metadata.string(s).as_ptr().cast()) }
}
