//! Types in C's spelling: `struct point *[4]`.

use allocs_metadata::{Kind, TYPE_IS_UNION, TYPE_NAME_IS_TAG};

use super::make::{
    ATE_BOOLEAN, ATE_FLOAT, ATE_SIGNED, ATE_SIGNED_CHAR, ATE_UNSIGNED, ATE_UNSIGNED_CHAR, decimal,
};
use super::uniqtype::TypeRef;

/// Deepest nesting of pointers, arrays and functions that is spelled out.
const MAX_DEPTH: u32 = 40;
const ATE_COMPLEX_FLOAT: u8 = 3;

/// Hands the spelling to `out`, part by part.
pub fn spell(ty: TypeRef, out: &mut impl FnMut(&[u8])) {
    spell_at(ty, out, 0);
}

fn spell_at(ty: TypeRef, out: &mut impl FnMut(&[u8]), depth: u32) {
    before(ty, out, depth);
    after(ty, out, depth);
}

/// Whether what a pointer points to must be told from it by parentheses.
fn binds_tighter(ty: TypeRef) -> bool {
    matches!(ty.kind(), Kind::Array | Kind::Subprogram)
}

/// Whether what stands before the place of the name ends with a `*`.
fn ends_with_star(ty: TypeRef) -> bool {
    let mut ty = ty;
    for _ in 0..MAX_DEPTH {
        match ty.related(0) {
            Some(inner) if binds_tighter(ty) => ty = inner,
            _ => break,
        }
    }
    ty.kind() == Kind::Address
}

/// What stands before the place of the name.
fn before(ty: TypeRef, out: &mut impl FnMut(&[u8]), depth: u32) {
    if depth > MAX_DEPTH {
        return out(b"...");
    }
    match (ty.kind(), ty.related(0)) {
        (Kind::Address, Some(pointee)) => {
            before(pointee, out, depth + 1);
            if !ends_with_star(pointee) {
                out(b" ");
            }
            out(if binds_tighter(pointee) { b"(*" } else { b"*" });
        }
        (Kind::Array | Kind::Subprogram, Some(inner)) => before(inner, out, depth + 1),
        _ => name(ty, out),
    }
}

/// What stands behind it.
fn after(ty: TypeRef, out: &mut impl FnMut(&[u8]), depth: u32) {
    if depth > MAX_DEPTH {
        return;
    }
    match (ty.kind(), ty.related(0)) {
        (Kind::Address, Some(pointee)) => {
            if binds_tighter(pointee) {
                out(b")");
            }
            after(pointee, out, depth + 1);
        }
        (Kind::Array, Some(element)) => {
            out(b"[");
            if let Some(n) = ty.array_length() {
                out(decimal(u64::from(n), &mut [0; 20]));
            }
            out(b"]");
            after(element, out, depth + 1);
        }
        (Kind::Subprogram, Some(result)) => {
            out(b"(");
            parameters(ty, out, depth);
            out(b")");
            after(result, out, depth + 1);
        }
        _ => {}
    }
}

fn parameters(ty: TypeRef, out: &mut impl FnMut(&[u8]), depth: u32) {
    let returned = (ty.word() >> 14 & 0x3ff) as usize;
    let variadic = ty.word() >> 24 & 1 != 0;
    let mut first = true;
    for index in returned..ty.related_count() {
        if !core::mem::take(&mut first) {
            out(b", ");
        }
        match ty.related(index) {
            Some(parameter) => spell_at(parameter, out, depth + 1),
            None => out(b"void *"),
        }
    }
    match (variadic, first) {
        (true, false) => out(b", ..."),
        (false, true) => out(b"void"),
        _ => {}
    }
}

fn name(ty: TypeRef, out: &mut impl FnMut(&[u8])) {
    let tag = ty.flags() & TYPE_NAME_IS_TAG != 0;
    let prefix: &[u8] = match ty.kind() {
        Kind::Composite if tag && ty.flags() & TYPE_IS_UNION != 0 => b"union ",
        Kind::Composite if tag => b"struct ",
        Kind::Enumeration if tag => b"enum ",
        Kind::Base => return base(ty, out),
        _ => b"",
    };
    out(prefix);
    out(ty.name().to_bytes());
}

fn base(ty: TypeRef, out: &mut impl FnMut(&[u8])) {
    let encoding = (ty.word() >> 4 & 63) as u8;
    let spelling: &[u8] = match (encoding, ty.size().unwrap_or(0)) {
        (ATE_BOOLEAN, 1) => b"_Bool",
        (ATE_COMPLEX_FLOAT, 8) => b"float _Complex",
        (ATE_COMPLEX_FLOAT, 16) => b"double _Complex",
        (ATE_COMPLEX_FLOAT, 32) => b"long double _Complex",
        (ATE_FLOAT, 4) => b"float",
        (ATE_FLOAT, 8) => b"double",
        (ATE_FLOAT, 16) => b"long double",
        (ATE_SIGNED | ATE_SIGNED_CHAR, 1) => b"char",
        (ATE_UNSIGNED | ATE_UNSIGNED_CHAR, 1) => b"unsigned char",
        (ATE_SIGNED, 2) => b"short",
        (ATE_SIGNED, 4) => b"int",
        (ATE_SIGNED, 8) => b"long",
        (ATE_SIGNED, 16) => b"__int128",
        (ATE_UNSIGNED, 2) => b"unsigned short",
        (ATE_UNSIGNED, 4) => b"unsigned int",
        (ATE_UNSIGNED, 8) => b"unsigned long",
        (ATE_UNSIGNED, 16) => b"unsigned __int128",
        _ => ty.name().to_bytes(),
    };
    out(spelling);
}
