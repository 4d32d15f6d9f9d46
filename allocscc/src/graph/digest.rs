//! The identity of a type: 128 bits that depend on its structure and names alone.
//!
//! The hash, and the digests of types that are built from others, are those of [`allocs_metadata::digest`], which the run-time
//! library shares. Here are those of structs, unions and enums.

use allocs_metadata::digest::{self, Digest, Digester, Tag};

use super::{CompositeKind, Naming, NodeId, Type};

/// Digest of what a type says itself, the types that it refers to left out (their number is in).
pub(crate) fn label(ty: &Type) -> Digest {
    let digester = match ty {
        Type::Void => Digester::new(Tag::Void),
        Type::Base { encoding, size, bit_size, bit_offset, spelling: _ } => {
            return digest::base(*encoding, *size, *bit_size, *bit_offset);
        }
        Type::Enumeration { naming, base: _, enumerators, incomplete } => {
            let start = naming_of(Digester::new(Tag::Enumeration), naming).word(u64::from(*incomplete));
            enumerators.iter().fold(start.word(enumerators.len() as u64), |d, (name, value)| {
                d.bytes(name.as_bytes()).word(value.cast_unsigned())
            })
        }
        Type::Composite { kind, naming, size, members, incomplete } => {
            let start = Digester::new(Tag::Composite).word(kind_number(*kind));
            let start = optional(naming_of(start, naming).word(u64::from(*incomplete)), *size);
            members.iter().fold(start.word(members.len() as u64), |d, m| {
                d.bytes(m.name.as_bytes()).word(m.offset).word(u64::from(m.may_be_invalid))
            })
        }
        Type::Array { element: _, length, precise_empty } => {
            optional(Digester::new(Tag::Array), *length).word(u64::from(*precise_empty))
        }
        Type::Pointer(_) => Digester::new(Tag::Pointer),
        Type::Function { result: _, parameters, variadic } => {
            Digester::new(Tag::Function).word(parameters.len() as u64).word(u64::from(*variadic))
        }
        Type::Subrange { host: _, min, max } => {
            Digester::new(Tag::Subrange).word(min.cast_unsigned()).word(max.cast_unsigned())
        }
    };
    digester.finish()
}

/// Digest of a type whose label is `label` and that refers to types with known digests.
pub(crate) fn of(ty: &Type, label: Digest, child: impl Fn(NodeId) -> Digest) -> Digest {
    match ty {
        Type::Void => digest::void(),
        Type::Base { .. } => label,
        Type::Pointer(pointee) => digest::pointer(child(*pointee)),
        Type::Array { element, length, .. } => {
            digest::array(child(*element), length.and_then(|n| u32::try_from(n).ok()))
        }
        Type::Function { result, parameters, variadic } => {
            digest::function(child(*result), parameters.iter().map(|&p| child(p)), *variadic)
        }
        Type::Subrange { host, min, max } => digest::subrange(child(*host), *min, *max),
        Type::Enumeration { .. } => with_children(Tag::Enumeration, label, ty, child),
        Type::Composite { .. } => with_children(Tag::Composite, label, ty, child),
    }
}

fn with_children(tag: Tag, label: Digest, ty: &Type, child: impl Fn(NodeId) -> Digest) -> Digest {
    let mut digester = Digester::new(tag).digest(label);
    ty.for_each_child(|c| digester = digester.digest(child(c)));
    digester.finish()
}

/// Whether a type has a digest of its own, as opposed to one that follows from those of the types that it refers to.
pub(crate) fn is_own(ty: &Type) -> bool {
    matches!(ty, Type::Composite { .. } | Type::Enumeration { .. })
}

/// `class` counts as `struct`: a declaration may say one and the definition the other.
fn kind_number(kind: CompositeKind) -> u64 {
    match kind {
        CompositeKind::Struct | CompositeKind::Class => 0,
        CompositeKind::Union => 1,
        CompositeKind::Synthetic => 2,
        CompositeKind::SyntheticUnion => 3,
    }
}

fn naming_of(digester: Digester, naming: &Naming) -> Digester {
    match naming {
        Naming::Tag(name) => digester.word(0).bytes(name.as_bytes()),
        Naming::Typedef(name) => digester.word(1).bytes(name.as_bytes()),
        Naming::Place { file, line, ordinal } => {
            digester.word(2).bytes(file.as_bytes()).word(*line).word(u64::from(*ordinal))
        }
        Naming::Made(name) => digester.word(3).bytes(name.as_bytes()),
    }
}

fn optional(digester: Digester, n: Option<u64>) -> Digester {
    digester.word(u64::from(n.is_some())).word(n.unwrap_or(0))
}
