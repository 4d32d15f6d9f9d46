//! Types of the metadata in C's spelling, as the census has them.

use allocs_metadata::{
    Kind, Metadata, TYPE_IS_UNION, TYPE_NAME_IS_TAG, TypeId, TypeRecord, UNBOUNDED_LENGTH,
};

use crate::sites::facts::BaseType;
use crate::sites::spelling::{self, base_name};

/// Deepest nesting of pointers, arrays and functions that is spelled out.
const MAX_DEPTH: u32 = 40;
/// Longest spelling; what is longer ends early. Function types with function types as parameters can be as long as two to
/// the power of their nesting.
const LONGEST: usize = 4000;

/// The spelling of a type; `None` if the metadata does not have it.
pub(super) fn c_type(m: &Metadata<'_>, id: TypeId) -> Option<String> {
    m.ty(id).map(|ty| declaration(m, ty, String::new(), 0))
}

/// The declaration of something that is spelt `inner`.
fn declaration(m: &Metadata<'_>, ty: &TypeRecord, inner: String, depth: u32) -> String {
    if depth > MAX_DEPTH || inner.len() > LONGEST {
        return format!("...{inner}");
    }
    let related = m.related(ty);
    let first = related.first().and_then(|slot| m.ty(slot.ty));
    match (Kind::of_word(ty.word), first) {
        (Some(Kind::Address), Some(to)) => {
            let binds_tighter = matches!(Kind::of_word(to.word), Some(Kind::Array | Kind::Subprogram));
            let inner = if binds_tighter { format!("(*{inner})") } else { format!("*{inner}") };
            declaration(m, to, inner, depth + 1)
        }
        (Some(Kind::Array), Some(element)) => {
            let length = ty.word >> 1;
            let length = if length == UNBOUNDED_LENGTH { String::new() } else { length.to_string() };
            declaration(m, element, format!("{inner}[{length}]"), depth + 1)
        }
        (Some(Kind::Subprogram), Some(result)) => {
            let parameters = related.get(1..).unwrap_or(&[]).iter();
            let spell = |id| m.ty(id).map(|ty| declaration(m, ty, String::new(), depth + 1));
            let mut all: Vec<String> =
                parameters.map(|slot| spell(slot.ty).unwrap_or_else(|| "void *".to_owned())).collect();
            match (ty.word >> 24 & 1 != 0, all.is_empty()) {
                (true, false) => all.push("...".to_owned()),
                (false, true) => all.push("void".to_owned()),
                _ => {}
            }
            declaration(m, result, format!("{inner}({})", all.join(", ")), depth + 1)
        }
        _ => spelling::named(&name(m, ty), &inner),
    }
}

fn name(m: &Metadata<'_>, ty: &TypeRecord) -> String {
    let kind = Kind::of_word(ty.word);
    let base = BaseType { encoding: (ty.word >> 4 & 63) as u8, size: ty.size };
    if kind == Some(Kind::Base)
        && let Some(name) = base_name(base)
    {
        return name.to_owned();
    }
    let has_tag = ty.flags & TYPE_NAME_IS_TAG != 0;
    let keyword = match kind {
        Some(Kind::Composite) if has_tag && ty.flags & TYPE_IS_UNION != 0 => "union ",
        Some(Kind::Composite) if has_tag => "struct ",
        Some(Kind::Enumeration) if has_tag => "enum ",
        _ => "",
    };
    format!("{keyword}{}", m.text(ty.name))
}
