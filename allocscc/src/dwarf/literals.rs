//! String literals as statics.

use gimli::constants as dw;

use super::statics::Static;
use crate::graph::Canonical;
use crate::image::literals::Literal;

/// Adds the literals to statics that are sorted by address. One inside a static that is known already (a string that
/// has a name of its own) is left out.
pub fn add(statics: &mut Vec<Static>, types: &mut Canonical, literals: &[Literal]) {
    let literals: Vec<Static> = literals
        .iter()
        .filter(|literal| !is_covered(statics, literal.svma.0))
        .filter_map(|literal| {
            let character = match literal.width {
                1 => types.base(dw::DW_ATE_signed_char, 1),
                2 => types.base(dw::DW_ATE_unsigned, 2),
                _ => types.base(dw::DW_ATE_signed, u32::try_from(literal.width).ok()?),
            };
            let ty = Some(types.array_of(character, literal.length));
            let size = literal.length.checked_mul(literal.width)?;
            Some(Static { svma: literal.svma.0, size, ty, name: String::new() })
        })
        .collect();
    statics.extend(literals);
    statics.sort_by_key(|s| s.svma);
}

fn is_covered(statics: &[Static], svma: u64) -> bool {
    let after = statics.partition_point(|s| s.svma <= svma);
    after > 0 && svma - statics[after - 1].svma < statics[after - 1].size
}
