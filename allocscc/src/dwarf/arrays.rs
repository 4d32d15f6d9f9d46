//! Array bounds in every form that compilers write them.

use allocs_metadata::UNBOUNDED_LENGTH;
use gimli::{AttributeValue, constants as dw};

use super::units::{Die, Value};
use crate::graph::{NodeId, Type, TypeGraph};

/// Number of elements of one dimension; `None` for `[]`, `[0]`, variable length, and what 31 bits do not hold.
pub(crate) type Dimension = Option<u64>;

/// The dimension that a `DW_TAG_subrange_type` says, in a language whose arrays begin at `first` unless they say otherwise. A bound that is
/// an expression or a variable is a variable length.
pub(crate) fn dimension(die: &Die<'_>, first: i64) -> Dimension {
    let length = match die.attr_value(dw::DW_AT_count) {
        Some(count) => constant(&count)?,
        None => {
            let upper = constant(&die.attr_value(dw::DW_AT_upper_bound)?)?;
            upper.checked_sub(lower(die, first)?)?.checked_add(1)?
        }
    };
    u64::try_from(length).ok().filter(|&n| n != 0 && n < u64::from(UNBOUNDED_LENGTH))
}

/// The bounds of a subrange type that stands on its own.
pub(crate) fn bounds(die: &Die<'_>, first: i64) -> (i64, i64) {
    let upper = die.attr_value(dw::DW_AT_upper_bound).and_then(|v| constant(&v));
    (lower(die, first).unwrap_or(0), upper.unwrap_or(0))
}

fn lower(die: &Die<'_>, first: i64) -> Option<i64> {
    die.attr_value(dw::DW_AT_lower_bound).map_or(Some(first), |v| constant(&v))
}

/// A bound. The forms of fixed size have no sign, except that all ones is the -1 of an empty array.
fn constant(value: &Value<'_>) -> Option<i64> {
    match *value {
        AttributeValue::Sdata(n) => Some(n),
        AttributeValue::Data4(u32::MAX) => Some(-1),
        AttributeValue::Data8(u64::MAX) | AttributeValue::Udata(u64::MAX) => Some(-1),
        _ => value.udata_value().and_then(|n| i64::try_from(n).ok()),
    }
}

/// Sets `node` to the array of `element` with these dimensions, the outermost first. Without any it is unbounded.
pub(crate) fn build(graph: &mut TypeGraph, node: NodeId, element: NodeId, dimensions: &[Dimension]) {
    let array = |element, length| Type::Array { element, length, precise_empty: false };
    let (outermost, inner) = dimensions.split_first().unwrap_or((&None, &[]));
    let element = inner.iter().rev().fold(element, |element, &length| graph.add(array(element, length)));
    graph.set(node, array(element, *outermost));
}
