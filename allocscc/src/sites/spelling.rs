//! Types of the source in C's spelling: `struct point *[4]`.

use super::facts::{BaseType, TagKind, TypeRef};
use super::heap_type::HeapType;
use crate::c::types::{BOOLEAN, COMPLEX_FLOAT, FLOAT, SIGNED, SIGNED_CHAR, UNSIGNED, UNSIGNED_CHAR};

/// A type as C spells it without a name.
#[must_use]
pub fn c_type(ty: &TypeRef) -> String {
    declaration(ty, String::new())
}

/// What an allocation holds.
#[must_use]
pub fn heap_type(ty: &HeapType) -> String {
    match ty {
        HeapType::ArrayOf(ty) | HeapType::Flexible(ty) => c_type(ty),
        HeapType::Sequence { before, head, element } => {
            let parts = before.iter().chain([head.ty(), element]);
            parts.map(c_type).collect::<Vec<_>>().join(" then ")
        }
        HeapType::OneOf(types) => types.iter().map(heap_type).collect::<Vec<_>>().join(" or "),
        HeapType::Unknown => String::new(),
    }
}

/// The declaration of something that is spelt `inner`.
fn declaration(ty: &TypeRef, inner: String) -> String {
    let behind = |text: String| named(&text, &inner);
    match ty {
        TypeRef::Void => behind("void".to_owned()),
        TypeRef::Base(base) => behind(
            base_name(*base).map_or_else(|| format!("arithmetic type of {} bytes", base.size), str::to_owned),
        ),
        TypeRef::Tagged { kind, tag, .. } => behind(format!("{} {tag}", keyword(*kind))),
        TypeRef::Anonymous { kind, typedef, .. } => {
            behind(typedef.clone().unwrap_or_else(|| format!("{} {{...}}", keyword(*kind))))
        }
        TypeRef::Pointer(to) if matches!(**to, TypeRef::Array(..) | TypeRef::Function { .. }) => {
            declaration(to, format!("(*{inner})"))
        }
        TypeRef::Pointer(to) => declaration(to, format!("*{inner}")),
        TypeRef::Array(element, length) => {
            let length = length.map(|length| length.to_string()).unwrap_or_default();
            declaration(element, format!("{inner}[{length}]"))
        }
        TypeRef::Function { result, parameters, variadic } => {
            let mut all: Vec<String> = parameters.iter().map(c_type).collect();
            match (variadic, all.is_empty()) {
                (true, false) => all.push("...".to_owned()),
                (false, true) => all.push("void".to_owned()),
                _ => {}
            }
            declaration(result, format!("{inner}({})", all.join(", ")))
        }
    }
}

/// A type's name and what stands around the place of the name that is declared: `int *`, `int[4]`, `int (*)[4]`.
#[must_use]
pub fn named(name: &str, inner: &str) -> String {
    let space = if inner.starts_with('*') || inner.starts_with("(*") { " " } else { "" };
    format!("{name}{space}{inner}")
}

fn keyword(kind: TagKind) -> &'static str {
    match kind {
        TagKind::Struct => "struct",
        TagKind::Union => "union",
        TagKind::Enum => "enum",
    }
}

/// An arithmetic type in the words of C, if they have it.
#[must_use]
pub fn base_name(base: BaseType) -> Option<&'static str> {
    Some(match (base.encoding, base.size) {
        (BOOLEAN, _) => "_Bool",
        (FLOAT, 4) => "float",
        (FLOAT, 8) => "double",
        (FLOAT, 16) => "long double",
        (COMPLEX_FLOAT, 8) => "float _Complex",
        (COMPLEX_FLOAT, 16) => "double _Complex",
        (COMPLEX_FLOAT, 32) => "long double _Complex",
        (SIGNED | SIGNED_CHAR, 1) => "char",
        (SIGNED, 2) => "short",
        (SIGNED, 4) => "int",
        (SIGNED, 8) => "long",
        (SIGNED, 16) => "__int128",
        (UNSIGNED | UNSIGNED_CHAR, 1) => "unsigned char",
        (UNSIGNED, 2) => "unsigned short",
        (UNSIGNED, 4) => "unsigned int",
        (UNSIGNED, 8) => "unsigned long",
        (UNSIGNED, 16) => "unsigned __int128",
        _ => return None,
    })
}
