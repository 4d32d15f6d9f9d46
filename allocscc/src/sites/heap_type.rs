//! What a heap allocation holds, types by name.

use super::facts::{TagKind, TypeRef};

/// What an allocation holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HeapType {
    /// Any number of these, one included.
    ArrayOf(TypeRef),
    /// One struct whose last member goes on to the end of the allocation.
    Flexible(TypeRef),
    /// A header and any number of elements behind it.
    Sequence {
        /// What wrappers keep in front of it, the outermost first.
        before: Vec<TypeRef>,
        /// What comes first.
        head: Head,
        /// What follows.
        element: TypeRef,
    },
    /// One of these: the branches disagree.
    OneOf(Vec<HeapType>),
    /// Nothing is known.
    Unknown,
}

/// What comes first in a [`HeapType::Sequence`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Head {
    /// A whole object.
    Whole(TypeRef),
    /// A struct up to this member, by its path.
    UpTo(TypeRef, String),
}

impl Head {
    /// The type that the head is, or is cut from.
    #[must_use]
    pub fn ty(&self) -> &TypeRef {
        match self {
            Head::Whole(ty) | Head::UpTo(ty, _) => ty,
        }
    }
}

impl HeapType {
    /// What is one or the other.
    pub(super) fn one_of(one: HeapType, other: HeapType) -> HeapType {
        let parts = |ty| match ty {
            HeapType::OneOf(types) => types,
            ty => vec![ty],
        };
        let mut all = parts(one);
        for part in parts(other) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        if all.contains(&HeapType::Unknown) {
            return HeapType::Unknown;
        }
        if all.len() == 1 { all.swap_remove(0) } else { HeapType::OneOf(all) }
    }

    /// The type at the start of the allocation.
    #[must_use]
    pub fn first(&self) -> Option<&TypeRef> {
        match self {
            HeapType::ArrayOf(ty) | HeapType::Flexible(ty) => Some(ty),
            HeapType::Sequence { before, head, .. } => Some(before.first().unwrap_or(head.ty())),
            HeapType::OneOf(_) | HeapType::Unknown => None,
        }
    }

    /// Whether it starts with this, or with an array of this behind which something else is.
    #[must_use]
    pub fn starts_with(&self, ty: &TypeRef) -> bool {
        match (self, self.first()) {
            (HeapType::Sequence { .. }, Some(TypeRef::Array(element, _))) if **element == *ty => true,
            (_, first) => first == Some(ty),
        }
    }

    /// Whether a struct or union takes part.
    #[must_use]
    pub fn has_record(&self) -> bool {
        match self {
            HeapType::ArrayOf(ty) | HeapType::Flexible(ty) => is_record(ty),
            HeapType::Sequence { head, element, .. } => is_record(head.ty()) || is_record(element),
            HeapType::OneOf(types) => types.iter().any(HeapType::has_record),
            HeapType::Unknown => false,
        }
    }

    /// Whether it is a buffer of characters or bytes.
    #[must_use]
    pub fn is_buffer(&self) -> bool {
        matches!(self, HeapType::ArrayOf(ty) if is_character(ty))
    }
}

/// Whether a type is a struct or union, or an array of them.
#[must_use]
pub fn is_record(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Tagged { kind, .. } | TypeRef::Anonymous { kind, .. } => *kind != TagKind::Enum,
        TypeRef::Array(element, _) => is_record(element),
        TypeRef::Void | TypeRef::Base(_) | TypeRef::Pointer(_) | TypeRef::Function { .. } => false,
    }
}

/// Whether a type is a character or byte, or an array of them.
#[must_use]
pub fn is_character(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Base(base) => base.size == 1 && base.encoding != crate::c::types::BOOLEAN,
        TypeRef::Array(element, _) => is_character(element),
        _ => false,
    }
}

/// Whether allocations can be made of a type: it has a size.
#[must_use]
pub fn is_complete(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Void | TypeRef::Function { .. } => false,
        TypeRef::Tagged { place, .. } => place.line != 0,
        TypeRef::Array(element, _) => is_complete(element),
        TypeRef::Base(_) | TypeRef::Anonymous { .. } | TypeRef::Pointer(_) => true,
    }
}
