//! Types in C's spelling: `struct point *[4]`.

use allocs_metadata::{Kind, TYPE_IS_UNION, TYPE_NAME_IS_TAG};

use super::make::{
    ATE_BOOLEAN, ATE_FLOAT, ATE_SIGNED, ATE_SIGNED_CHAR, ATE_UNSIGNED, ATE_UNSIGNED_CHAR, decimal,
};
use super::uniqtype::TypeRef;

/// Deepest nesting of pointers, arrays and functions that is spelled out.
const MAX_DEPTH: u32 = 40;
const ATE_COMPLEX_FLOAT: u8 = 3;

/// Most parts of a spelling; what is longer ends early. Function types with function types as parameters can be as long
/// as two to the power of their nesting.
const MAX_PARTS: u32 = 2000;

/// Hands the spelling to `out`, part by part.
pub fn spell(ty: TypeRef, out: &mut impl FnMut(&[u8])) {
    Speller { out, left: MAX_PARTS }.whole(ty, 0);
}

struct Speller<'a, F> {
    out: &'a mut F,
    left: u32,
}

impl<F: FnMut(&[u8])> Speller<'_, F> {
    fn out(&mut self, part: &[u8]) {
        if self.left > 0 {
            self.left -= 1;
            (self.out)(part);
        }
    }

    fn whole(&mut self, ty: TypeRef, depth: u32) {
        self.before(ty, depth);
        self.after(ty, depth);
    }

    /// What stands before the place of the name.
    fn before(&mut self, ty: TypeRef, depth: u32) {
        if depth > MAX_DEPTH || self.left == 0 {
            return self.out(b"...");
        }
        match (ty.kind(), ty.related(0)) {
            (Kind::Address, Some(pointee)) => {
                self.before(pointee, depth + 1);
                if !ends_with_star(pointee) {
                    self.out(b" ");
                }
                self.out(if binds_tighter(pointee) { b"(*" } else { b"*" });
            }
            (Kind::Array | Kind::Subprogram, Some(inner)) => self.before(inner, depth + 1),
            _ => self.name(ty),
        }
    }

    /// What stands behind it.
    fn after(&mut self, ty: TypeRef, depth: u32) {
        if depth > MAX_DEPTH || self.left == 0 {
            return;
        }
        match (ty.kind(), ty.related(0)) {
            (Kind::Address, Some(pointee)) => {
                if binds_tighter(pointee) {
                    self.out(b")");
                }
                self.after(pointee, depth + 1);
            }
            (Kind::Array, Some(element)) => {
                self.out(b"[");
                if let Some(n) = ty.array_length() {
                    self.out(decimal(u64::from(n), &mut [0; 20]));
                }
                self.out(b"]");
                self.after(element, depth + 1);
            }
            (Kind::Subprogram, Some(result)) => {
                self.out(b"(");
                self.parameters(ty, depth);
                self.out(b")");
                self.after(result, depth + 1);
            }
            _ => {}
        }
    }

    fn parameters(&mut self, ty: TypeRef, depth: u32) {
        let returned = (ty.word() >> 14 & 0x3ff) as usize;
        let variadic = ty.word() >> 24 & 1 != 0;
        let mut first = true;
        for index in returned..ty.related_count() {
            if !core::mem::take(&mut first) {
                self.out(b", ");
            }
            match ty.related(index) {
                Some(parameter) => self.whole(parameter, depth + 1),
                None => self.out(b"void *"),
            }
        }
        match (variadic, first) {
            (true, false) => self.out(b", ..."),
            (false, true) => self.out(b"void"),
            _ => {}
        }
    }

    fn name(&mut self, ty: TypeRef) {
        let tag = ty.flags() & TYPE_NAME_IS_TAG != 0;
        let prefix: &[u8] = match ty.kind() {
            Kind::Composite if tag && ty.flags() & TYPE_IS_UNION != 0 => b"union ",
            Kind::Composite if tag => b"struct ",
            Kind::Enumeration if tag => b"enum ",
            Kind::Base => return self.out(base(ty)),
            _ => b"",
        };
        self.out(prefix);
        self.out(ty.name().to_bytes());
    }
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

/// A base type in the words of C.
fn base(ty: TypeRef) -> &'static [u8] {
    let encoding = (ty.word() >> 4 & 63) as u8;
    match (encoding, ty.size().unwrap_or(0)) {
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
    }
}
