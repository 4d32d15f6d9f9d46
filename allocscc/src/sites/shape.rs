//! From the sums of a size to what the allocation holds: the table of "what a heap allocation's type is".

use rustc_hash::FxHashMap;

use super::facts::{Aggregate, FileFacts, TypeRef};
use super::heap_type::{Head, HeapType, is_character, is_record};
use super::sums::{Sum, Term, Unit};
use crate::c::types::{CHAR, UCHAR};

/// More branches than these that disagree say nothing.
const MOST_TYPES: usize = 4;
/// A constant below the strictest alignment of a scalar is there to round up, or for the end of a string.
const ROUNDING: u64 = 16;

/// The structs of a file of which more is known than their names.
pub(super) struct Aggregates<'f> {
    by_type: FxHashMap<&'f TypeRef, &'f Aggregate>,
}

impl<'f> Aggregates<'f> {
    pub(super) fn new(facts: &'f FileFacts) -> Self {
        Aggregates { by_type: facts.aggregates.iter().map(|aggregate| (&aggregate.ty, aggregate)).collect() }
    }

    /// What a pointer to this points to if nothing else is known of the size: a struct that ends in an array of open length is one
    /// struct.
    pub(super) fn pointed_to(&self, ty: TypeRef) -> HeapType {
        if self.tail(&ty).is_some() { HeapType::Flexible(ty) } else { HeapType::ArrayOf(ty) }
    }

    fn tail(&self, ty: &TypeRef) -> Option<&'f TypeRef> {
        self.by_type.get(ty)?.tail.as_ref()
    }

    /// The type of a member that an `offsetof` named.
    fn member(&self, ty: &TypeRef, path: &str) -> Option<&'f TypeRef> {
        self.by_type.get(ty)?.members.iter().find(|(name, _)| name == path).map(|(_, member)| member)
    }

    /// Whether a struct ends in these, or in pointers to these: `sizeof` may be one dereference short.
    fn is_tail_of(&self, element: &TypeRef, ty: &TypeRef) -> bool {
        self.tail(ty).is_some_and(|tail| match tail {
            TypeRef::Pointer(to) if is_record(element) => **to == *element,
            tail => is_same(tail, element),
        })
    }
}

/// Characters of either sign are one for this purpose.
fn is_same(left: &TypeRef, right: &TypeRef) -> bool {
    left == right || (is_character(left) && is_character(right))
}

/// What the branches of a size say together.
pub(super) fn of_branches(branches: &[Sum], aggregates: &Aggregates) -> Option<HeapType> {
    let mut types: Vec<HeapType> = Vec::new();
    for ty in branches.iter().filter_map(|sum| of_sum(sum, aggregates)) {
        if !types.contains(&ty) {
            types.push(ty);
        }
    }
    // A struct alone is what a struct with something behind it is when there is nothing behind it.
    let longer: Vec<TypeRef> = types
        .iter()
        .filter(|ty| !matches!(ty, HeapType::ArrayOf(_)))
        .filter_map(|ty| ty.first().cloned())
        .collect();
    types.retain(|ty| !matches!(ty, HeapType::ArrayOf(of) if longer.contains(of)));
    match types.len() {
        0 => None,
        1 => types.pop(),
        2..=MOST_TYPES => Some(HeapType::OneOf(types)),
        _ => Some(HeapType::Unknown),
    }
}

/// Whether a size is that of a string and nothing else is known of it.
pub(super) fn is_text(branches: &[Sum]) -> bool {
    branches.iter().flatten().any(|term| term.unit == Unit::Text)
}

fn of_sum(sum: &Sum, aggregates: &Aggregates) -> Option<HeapType> {
    let units = units(sum);
    let rest = Rest::of(sum);
    if let Some(offset) = units.iter().position(is_offset)
        && let Unit::OffsetOf(ty, path) = &units[offset].unit
    {
        let is_head = |term: &Term| !term.many && !is_offset(term);
        return Some(match units.iter().find(|term| is_head(term)) {
            // A struct that ends in another one of open length, and more.
            _ if units.len() > 2 => several(&units),
            Some(first) if units[0] == *first => several(&units),
            _ => behind_offset(ty, path, &units, aggregates),
        });
    }
    let sized: Vec<(&TypeRef, bool)> = units
        .iter()
        .filter_map(|term| match &term.unit {
            Unit::Sizeof(ty) => Some((ty, term.many)),
            _ => None,
        })
        .collect();
    match *sized.as_slice() {
        [] => None,
        // `(n + sizeof (S) / 4) * 4`: all of it is multiplied, the open tail too.
        [(ty, true)] if matches!(rest, Rest::Bytes | Rest::Text) && aggregates.tail(ty).is_some() => {
            Some(HeapType::Flexible(ty.clone()))
        }
        [(ty, true)] => Some(HeapType::ArrayOf(ty.clone())),
        [(ty, false)] => Some(one_and_rest(ty, rest, aggregates)),
        [one, other] => two(one, other, rest, aggregates),
        [..] => Some(several(&units)),
    }
}

/// What comes first, and many things behind it.
fn several(units: &[Term]) -> HeapType {
    let head = units.iter().find(|term| !term.many).or(units.first());
    let head = match head.map(|term| &term.unit) {
        Some(Unit::Sizeof(ty)) => Head::Whole(ty.clone()),
        Some(Unit::OffsetOf(ty, path)) => Head::UpTo(ty.clone(), path.clone()),
        _ => return HeapType::Unknown,
    };
    HeapType::Sequence { before: Vec::new(), head, element: TypeRef::Base(UCHAR) }
}

fn is_offset(term: &Term) -> bool {
    matches!(term.unit, Unit::OffsetOf(..))
}

/// The summands that name types, each type once: `sizeof (T) + n * sizeof (T)` is a number of T.
fn units(sum: &Sum) -> Vec<Term> {
    // `n + (sizeof (void *) - n % sizeof (void *))` is n, rounded up.
    let is_rounded = sum.iter().any(|term| term.negative && matches!(term.unit, Unit::Param | Unit::Other));
    let mut units: Vec<Term> = Vec::new();
    for term in sum.iter().filter(|term| !term.negative) {
        match &term.unit {
            Unit::Sizeof(ty) if is_rounded && !term.many && !is_record(ty) => continue,
            Unit::Sizeof(_) | Unit::OffsetOf(..) => {}
            _ => continue,
        }
        match units.iter_mut().find(|known| known.unit == term.unit) {
            Some(known) => known.many = true,
            None => units.push(term.clone()),
        }
    }
    units
}

/// What a size holds beside types.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// A small constant, or less than nothing.
    Rounding,
    Text,
    Bytes,
}

impl Rest {
    fn of(sum: &Sum) -> Rest {
        let mut rest = Rest::Nothing;
        for term in sum {
            let this = match term.unit {
                Unit::Sizeof(_) | Unit::OffsetOf(..) if term.negative => Rest::Rounding,
                Unit::Sizeof(_) | Unit::OffsetOf(..) | Unit::Const(0) => Rest::Nothing,
                _ if term.negative => Rest::Rounding,
                Unit::Const(value) if value < ROUNDING && !term.many => Rest::Rounding,
                Unit::Const(_) | Unit::Param | Unit::Quotient | Unit::Other => Rest::Bytes,
                Unit::Text => Rest::Text,
            };
            rest = match (rest, this) {
                (Rest::Text, _) | (_, Rest::Text) => Rest::Text,
                (Rest::Bytes, _) | (_, Rest::Bytes) => Rest::Bytes,
                (Rest::Nothing, other) => other,
                (known, _) => known,
            };
        }
        rest
    }
}

fn one_and_rest(ty: &TypeRef, rest: Rest, aggregates: &Aggregates) -> HeapType {
    if rest == Rest::Nothing || is_character(ty) {
        return HeapType::ArrayOf(ty.clone());
    }
    if aggregates.tail(ty).is_some() {
        return HeapType::Flexible(ty.clone());
    }
    let element = match rest {
        Rest::Text => CHAR,
        Rest::Bytes => UCHAR,
        Rest::Nothing | Rest::Rounding => return HeapType::ArrayOf(ty.clone()),
    };
    HeapType::Sequence { before: Vec::new(), head: Head::Whole(ty.clone()), element: TypeRef::Base(element) }
}

fn two(
    one: (&TypeRef, bool),
    other: (&TypeRef, bool),
    rest: Rest,
    aggregates: &Aggregates,
) -> Option<HeapType> {
    let (head, element) = match (one.1, other.1) {
        // Two arrays in one block: where the second begins is not known.
        (true, true) => return None,
        (true, false) => (other.0, one.0),
        (false, false) if aggregates.is_tail_of(one.0, other.0) => (other.0, one.0),
        _ => (one.0, other.0),
    };
    if aggregates.is_tail_of(element, head) {
        return Some(HeapType::Flexible(head.clone()));
    }
    // What else is there may lie behind the elements, or between.
    let bytes = TypeRef::Base(UCHAR);
    let element = if matches!(rest, Rest::Bytes | Rest::Text) { &bytes } else { element };
    Some(HeapType::Sequence { before: Vec::new(), head: Head::Whole(head.clone()), element: element.clone() })
}

/// `offsetof (S, m) + …`
fn behind_offset(ty: &TypeRef, path: &str, units: &[Term], aggregates: &Aggregates) -> HeapType {
    let element = units.iter().find_map(|term| match &term.unit {
        Unit::Sizeof(element) if element != ty => Some(element),
        _ => None,
    });
    let Some(element) = element else { return HeapType::Flexible(ty.clone()) };
    let is_member_element = match aggregates.member(ty, path) {
        Some(TypeRef::Array(member, _)) => is_same(member, element),
        Some(member) => is_same(member, element),
        None => false,
    };
    if is_member_element || aggregates.is_tail_of(element, ty) {
        return HeapType::Flexible(ty.clone());
    }
    HeapType::Sequence {
        before: Vec::new(),
        head: Head::UpTo(ty.clone(), path.to_owned()),
        element: element.clone(),
    }
}
