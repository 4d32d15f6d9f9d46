//! From the sums of a size to what the allocation holds: the table of "what a heap allocation's type is".

use rustc_hash::FxHashMap;

use super::facts::{Aggregate, FileFacts, TypeRef};
use super::heap_type::{Head, HeapType, is_character, is_record};
use super::sums::{Count, Sum, Term, Unit};
use crate::c::types::{CHAR, UCHAR};

/// More branches than these that disagree say nothing.
const MOST_TYPES: usize = 4;
/// A constant below the strictest alignment of a scalar is there to round up, or for the end of a string.
const ROUNDING: u64 = 16;

/// A larger constant is there for alignment only if it is a page at most.
const LARGEST_SLACK: u64 = 4096;

/// What a size says of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// It holds this.
    Holds(HeapType),
    /// It holds several things, and where one ends and the next begins is not known: no pointer to it tells more.
    Mixed,
}

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
            tail => is_as_large(tail, element),
        })
    }
}

/// Whether the size of the one is that of the other: it does for it. All pointers have one size, and so have characters of either sign.
fn is_as_large(left: &TypeRef, right: &TypeRef) -> bool {
    match (left, right) {
        (TypeRef::Pointer(_), TypeRef::Pointer(_)) => true,
        (TypeRef::Base(left), TypeRef::Base(right)) => left.size == right.size,
        _ => left == right || (is_character(left) && is_character(right)),
    }
}

/// What is known of a block beside its size.
pub(super) struct Context<'c> {
    pub(super) aggregates: &'c Aggregates<'c>,
    /// What the pointer that the block becomes points to.
    pub(super) receiver: Option<&'c TypeRef>,
    /// A wrapper keeps something in front of it.
    pub(super) is_behind: bool,
}

/// What the branches of a size say together.
pub(super) fn of_branches(branches: &[Sum], context: &Context) -> Option<Shape> {
    let mut types: Vec<HeapType> = Vec::new();
    for shape in branches.iter().filter_map(|sum| of_sum(sum, context)) {
        match shape {
            Shape::Holds(ty) if !types.contains(&ty) => types.push(ty),
            Shape::Holds(_) => {}
            Shape::Mixed => return Some(Shape::Mixed),
        }
    }
    // A struct alone is what a struct with something behind it is when there is nothing behind it.
    let longer: Vec<HeapType> =
        types.iter().filter(|ty| !matches!(ty, HeapType::ArrayOf(_))).cloned().collect();
    types.retain(
        |ty| !matches!(ty, HeapType::ArrayOf(of) if longer.iter().any(|longer| longer.starts_with(of))),
    );
    let ty = match types.len() {
        0 | 1 => types.pop()?,
        2..=MOST_TYPES => HeapType::OneOf(types),
        _ => HeapType::Unknown,
    };
    Some(Shape::Holds(ty))
}

/// Whether a size is that of a string and nothing else is known of it.
pub(super) fn is_text(branches: &[Sum]) -> bool {
    branches.iter().flatten().any(|term| term.unit == Unit::Text)
}

fn of_sum(sum: &Sum, context: &Context) -> Option<Shape> {
    let &Context { aggregates, receiver, is_behind } = context;
    let units = units(sum);
    let rest = Rest::of(sum);
    if let Some(offset) = units.iter().position(is_offset)
        && let Unit::OffsetOf(ty, path) = &units[offset].unit
    {
        let is_head = |term: &Term| !term.count.is_many() && !is_offset(term);
        return Some(match units.iter().find(|term| is_head(term)) {
            // A struct that ends in another one of open length, and more.
            _ if units.len() > 2 => several(&units, receiver),
            Some(first) if units[0] == *first => several(&units, receiver),
            _ => Shape::Holds(behind_offset(ty, path, &units, aggregates)),
        });
    }
    // Behind something, it would be one of many.
    if let Some(ty) = shortened(sum, &units).filter(|_| !is_behind) {
        return Some(Shape::Holds(HeapType::Flexible(ty.clone())));
    }
    let sized: Vec<(&TypeRef, Count)> = units
        .iter()
        .filter_map(|term| match &term.unit {
            Unit::Sizeof(ty) => Some((ty, term.count)),
            _ => None,
        })
        .collect();
    match *sized.as_slice() {
        [] => None,
        [(ty, Count::ONCE)] => Some(Shape::Holds(one_and_rest(ty, rest, aggregates))),
        [(ty, count)] => {
            let is_of_characters = receiver.is_some_and(is_character) && !is_record(ty) && !is_character(ty);
            match count {
                // `3 * sizeof (int) + 7`: room for a number in words.
                Count::Exactly(..) if is_of_characters && adds_anything(sum) => None,
                Count::Any if is_of_characters && adds_anything(sum) => Some(Shape::Mixed),
                _ => Some(many_and_rest(ty, count, rest, is_open(sum), aggregates)),
            }
        }
        [one, other] => Some(two(one, other, rest, context)),
        [..] => Some(several(&units, receiver)),
    }
}

/// Whether something beside types is added.
fn adds_anything(sum: &Sum) -> bool {
    sum.iter().any(|term| {
        !term.negative && !matches!(term.unit, Unit::Sizeof(_) | Unit::OffsetOf(..) | Unit::Const(0))
    })
}

/// `sizeof (S) - k + n`: the struct whose last member, an array, is taken away for another number of elements.
fn shortened<'u>(sum: &Sum, units: &'u [Term]) -> Option<&'u TypeRef> {
    let mut heads = units.iter().filter(|term| !term.count.is_many());
    let (Some(Term { unit: Unit::Sizeof(ty), .. }), None) = (heads.next(), heads.next()) else { return None };
    if !is_record(ty) || units.len() > 2 {
        return None;
    }
    let (mut taken, mut largest_added) = (0, 0);
    let mut has_number = units.len() == 2;
    for term in sum {
        match (&term.unit, term.negative) {
            (Unit::Const(value), true) => taken = value.saturating_add(taken),
            (Unit::Const(value), false) => largest_added = largest_added.max(*value),
            (Unit::Sizeof(member), true) if member != ty => taken = u64::MAX,
            (Unit::Param | Unit::Quotient | Unit::Other | Unit::Text, true) => return None,
            (Unit::Param | Unit::Quotient | Unit::Other | Unit::Text, false) => has_number = true,
            (Unit::Sizeof(_) | Unit::OffsetOf(..), _) => {}
        }
    }
    // `sizeof (S) + n + 15` less 1 is rounded up.
    (taken > 0 && taken >= largest_added && has_number).then_some(ty)
}

/// What comes first, and many things behind it. Of three sizeofs and more, none need be that of a header, unless a pointer says so.
fn several(units: &[Term], receiver: Option<&TypeRef>) -> Shape {
    let head = match units.iter().find(|term| !term.count.is_many()).map(|term| &term.unit) {
        Some(Unit::Sizeof(ty)) => Head::Whole(ty.clone()),
        Some(Unit::OffsetOf(ty, path)) => Head::UpTo(ty.clone(), path.clone()),
        _ => return Shape::Mixed,
    };
    if units.len() > 2 && matches!(&head, Head::Whole(ty) if receiver != Some(ty)) {
        return Shape::Mixed;
    }
    sequence(head, &TypeRef::Base(UCHAR))
}

fn sequence(head: Head, element: &TypeRef) -> Shape {
    Shape::Holds(HeapType::Sequence { before: Vec::new(), head, element: element.clone() })
}

/// So many of a type, as a type.
fn array(element: &TypeRef, count: Count) -> Option<TypeRef> {
    match count {
        Count::ONCE => Some(element.clone()),
        Count::Exactly(length, 1) => Some(TypeRef::Array(Box::new(element.clone()), Some(length))),
        Count::Exactly(..) | Count::Any => None,
    }
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
            Unit::Sizeof(ty) if is_rounded && !term.count.is_many() && !is_record(ty) => continue,
            Unit::Sizeof(_) | Unit::OffsetOf(..) => {}
            _ => continue,
        }
        match units.iter_mut().find(|known| known.unit == term.unit) {
            Some(known) => known.count = Count::Any,
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
                Unit::Const(value) if value < ROUNDING && !term.count.is_many() => Rest::Rounding,
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

/// Whether what a size holds beside types, or a part of it, is no constant that is there for alignment.
fn is_open(sum: &Sum) -> bool {
    sum.iter().filter(|term| !term.negative).any(|term| match (&term.unit, term.count) {
        (Unit::Sizeof(_) | Unit::OffsetOf(..), _) => false,
        (Unit::Const(value), Count::Exactly(above, below)) => !is_slack(value.saturating_mul(above) / below),
        _ => true,
    })
}

fn is_slack(size: u64) -> bool {
    size < ROUNDING || (size <= LARGEST_SLACK && (size.is_power_of_two() || (size + 1).is_power_of_two()))
}

/// An array, and what is behind it.
fn many_and_rest(ty: &TypeRef, count: Count, rest: Rest, is_open: bool, aggregates: &Aggregates) -> Shape {
    if is_character(ty) || !is_open {
        return Shape::Holds(HeapType::ArrayOf(ty.clone()));
    }
    // `(n + sizeof (S) / 4) * k`: all of it is multiplied, the open tail too.
    if aggregates.tail(ty).is_some() {
        return Shape::Holds(HeapType::Flexible(ty.clone()));
    }
    let element = TypeRef::Base(if rest == Rest::Text { CHAR } else { UCHAR });
    // Numbers may as well lie behind the bytes.
    let head = array(ty, count).filter(|_| is_record(ty));
    head.map_or(Shape::Mixed, |head| sequence(Head::Whole(head), &element))
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

fn two(one: (&TypeRef, Count), other: (&TypeRef, Count), rest: Rest, context: &Context) -> Shape {
    let &Context { aggregates, receiver, .. } = context;
    let (head, element) = match (one.1.is_many(), other.1.is_many()) {
        // Two arrays in one block: where the second begins is known only if the first has a constant length, and which
        // is the first only if a pointer says so.
        (true, true) => match array(one.0, one.1).filter(|_| receiver == Some(one.0)) {
            Some(first) => (first, other.0),
            None => return Shape::Mixed,
        },
        (true, false) => (other.0.clone(), one.0),
        (false, false) if aggregates.is_tail_of(one.0, other.0) => (other.0.clone(), one.0),
        _ => (one.0.clone(), other.0),
    };
    if aggregates.is_tail_of(element, &head) {
        return Shape::Holds(HeapType::Flexible(head));
    }
    // What else is there may lie behind the elements, or between.
    let bytes = TypeRef::Base(UCHAR);
    let element = if matches!(rest, Rest::Bytes | Rest::Text) { &bytes } else { element };
    sequence(Head::Whole(head), element)
}

/// `offsetof (S, m) + …`
fn behind_offset(ty: &TypeRef, path: &str, units: &[Term], aggregates: &Aggregates) -> HeapType {
    let element = units.iter().find_map(|term| match &term.unit {
        Unit::Sizeof(element) if element != ty => Some(element),
        _ => None,
    });
    let Some(element) = element else { return HeapType::Flexible(ty.clone()) };
    let is_member_element = match aggregates.member(ty, path) {
        Some(TypeRef::Array(member, _)) => is_as_large(member, element),
        Some(member) => is_as_large(member, element),
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
