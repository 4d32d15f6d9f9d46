//! Arrays of variable length: where the words are that say where each lies and how long it is, and over which code.
//!
//! A place that is said of a whole block (gcc without optimisation) holds nothing yet before the array is made. So it counts
//! from the only instruction that stores it to where a jump leads past that: C allows none into the scope of such an array.
//! Of a location list the compiler says itself where it holds.

use std::ops::Range;

use gimli::{AttributeValue, X86_64, constants as dw};

use super::error::Result;
use super::locals::Local;
use super::location;
use super::scopes::{Scopes, Variable};
use super::types::MergedTypes;
use super::units::{Die, DieRef, UnitIndex, Units, Value};
use crate::graph::{NodeId, Type};
use crate::image::calls::Svma;
use crate::image::stores;

/// An array of variable length and the code over which it is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vla {
    /// The code.
    pub code: Range<u64>,
    /// Distance up to the CFA from the word that holds its address.
    pub address_below_cfa: u32,
    /// Distance up to the CFA from the word that says how many elements it has.
    pub count_below_cfa: u32,
    /// What to add to that word: 1 for the index of the last element.
    pub count_bias: u32,
    /// Size of an element in bytes.
    pub element_size: u32,
    /// Its name.
    pub name: String,
    /// Its type, the unbounded array.
    pub ty: NodeId,
}

impl Vla {
    /// The part of its life in some code.
    pub(super) fn cut(&self, code: &Range<u64>) -> Option<Vla> {
        let code = location::intersection(&self.code, code)?;
        Some(Vla { code, ..self.clone() })
    }
}

/// How far arrays of arrays, typedefs and qualifiers are followed.
const LONGEST_CHAIN: usize = 16;

/// The array of variable length that a variable is, for each piece of code with other places. None if it is no such
/// array, or if its words or the size of its elements cannot be told.
pub(super) fn read<'a>(
    units: &Units<'a>,
    scopes: &Scopes<'a>,
    merged: &MergedTypes,
    local: &Local<'a, '_>,
) -> Result<Vec<Vla>> {
    let Local { variable, scope, location, .. } = *local;
    // Each copy of an inlined function has words of its own, and there is one type for all.
    if scopes.is_inlined(scope) {
        return Ok(Vec::new());
    }
    let Some(array) = Array::of(units, merged, variable)? else { return Ok(Vec::new()) };
    let function = &scopes.function(scopes.scope(scope).function).ranges;
    let words = Words { units, local, function };
    let addresses = words.find(location, true)?;
    let counts = match array.count {
        Count::Expression(value) => words.find(&value, true)?,
        Count::Variable(value) => words.find(&value, false)?,
    };
    let both = addresses.iter().flat_map(|address| counts.iter().map(move |count| (address, count)));
    let vla = |(address, count): (&Word, &Word)| {
        Some(Vla {
            code: location::intersection(&address.code, &count.code)?,
            address_below_cfa: address.below_cfa,
            count_below_cfa: count.below_cfa,
            count_bias: array.count_bias,
            element_size: array.element_size,
            name: variable.name.clone().into_owned(),
            ty: array.ty,
        })
    };
    Ok(both.filter_map(vla).collect())
}

struct Array<'a> {
    ty: NodeId,
    element_size: u32,
    count: Count<'a>,
    count_bias: u32,
}

enum Count<'a> {
    /// An expression that loads it.
    Expression(Value<'a>),
    /// The location of a variable that the compiler made for it.
    Variable(Value<'a>),
}

impl<'a> Array<'a> {
    /// The type of a variable, if it is an array whose outermost length varies and no other does.
    fn of(units: &Units<'a>, merged: &MergedTypes, variable: &Variable<'a>) -> Result<Option<Array<'a>>> {
        let Some(ty) = variable.ty.and_then(|die| merged.node(die)) else { return Ok(None) };
        let &Type::Array { element, length: None, .. } = merged.types.get(ty) else { return Ok(None) };
        let size = merged.types.size_of(element).and_then(|size| u32::try_from(size).ok());
        let Some(element_size) = size.filter(|&size| size > 0) else { return Ok(None) };
        let Some((at, bound)) = variable.ty.map(|die| outermost_bound(units, die)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let attribute = |name, bias| Some((bound.attr_value(name)?, bias));
        let said = attribute(dw::DW_AT_upper_bound, 1).or_else(|| attribute(dw::DW_AT_count, 0));
        let Some((value, count_bias)) = said else { return Ok(None) };
        let count = match value {
            AttributeValue::Exprloc(_) => Count::Expression(value),
            _ => match word_variable(units, merged, at, variable.unit, &value)? {
                Some(location) => Count::Variable(location),
                None => return Ok(None),
            },
        };
        Ok(Some(Array { ty, element_size, count, count_bias }))
    }
}

/// The outermost dimension of the array that a DIE is, through typedefs and qualifiers; and where the array's DIE is.
fn outermost_bound<'a>(units: &Units<'a>, mut at: DieRef) -> Result<Option<(DieRef, Die<'a>)>> {
    for _ in 0..LONGEST_CHAIN {
        let die = units.die(at)?;
        if die.tag() == dw::DW_TAG_array_type {
            let unit = units.get(at.unit);
            let mut entries =
                unit.get().unit.entries_raw(Some(at.offset)).map_err(unit.error_at(at.offset))?;
            let mut child = Die::default();
            entries.read_entry(&mut child).map_err(unit.error_at(at.offset))?;
            let depth = child.depth();
            let is_there = entries.read_entry(&mut child).map_err(unit.error_at(at.offset))?;
            let is_bound = is_there && child.depth() > depth && child.tag() == dw::DW_TAG_subrange_type;
            return Ok(is_bound.then_some((at, child)));
        }
        let Some(next) = units.follow(at.unit, &die, dw::DW_AT_type) else { break };
        at = next;
    }
    Ok(None)
}

/// The location of the variable of eight bytes that a bound refers to, if it is in that unit.
fn word_variable<'a>(
    units: &Units<'a>,
    merged: &MergedTypes,
    from: DieRef,
    unit: UnitIndex,
    value: &Value<'a>,
) -> Result<Option<Value<'a>>> {
    let Some(at) = units.resolve(from.unit, value) else { return Ok(None) };
    let die = units.die(at)?;
    let ty = units.follow(at.unit, &die, dw::DW_AT_type).and_then(|ty| merged.node(ty));
    let is_word = ty.is_some_and(|ty| merged.types.size_of(ty) == Some(8));
    Ok(die.attr_value(dw::DW_AT_location).filter(|_| is_word && at.unit == unit))
}

/// A word of the frame, and the code over which it is set.
struct Word {
    code: Range<u64>,
    below_cfa: u32,
}

struct Words<'a, 'u> {
    units: &'u Units<'a>,
    local: &'u Local<'a, 'u>,
    function: &'u [Range<u64>],
}

impl<'a> Words<'a, '_> {
    /// The words that a location says, or from which it loads.
    fn find(&self, location: &Value<'a>, is_loaded: bool) -> Result<Vec<Word>> {
        let places = if is_loaded { Local::word_distances } else { Local::distances };
        let found = places(self.local, location)?;
        let below = |(code, distance): (Range<u64>, i64)| {
            let below_cfa = u32::try_from(distance.checked_neg()?).ok().filter(|&n| n >= 8)?;
            if location::is_list(location) {
                return Some(Word { code, below_cfa });
            }
            let held = self.held_over(below_cfa, code.end)?;
            Some(Word { code: location::intersection(&held, &code)?, below_cfa })
        };
        Ok(found.into_iter().filter_map(below).collect())
    }

    /// The code over which the word holds what the function stores there.
    fn held_over(&self, below_cfa: u32, end: u64) -> Option<Range<u64>> {
        let [code] = self.function else { return None };
        let from_rbp = self.local.rules.cfa_above(X86_64::RBP, code)?.checked_sub(below_cfa.into())?;
        let bytes = self.units.file().bytes_at(code)?;
        let held = stores::held_over(bytes, Svma(code.start), from_rbp, Svma(end))?;
        Some(held.start.0..held.end.0)
    }
}
