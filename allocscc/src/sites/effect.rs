//! What a call allocates, in terms of the function that it stands in.

use super::facts::{Behind, SizeExpr, TypeRef};
use super::functions::{Allocation, Gives, Kind};
use super::sums::Helpers;
use crate::c::types::CHAR;

/// The most kinds of blocks of one call that are kept apart.
const MOST_EFFECTS: usize = 4;
/// The largest size that is kept, in nodes.
const LARGEST_SIZE: usize = 96;
/// The most parts that are kept of a larger one.
const MOST_LEAVES: usize = 24;
/// Helper functions within each other are followed so deep.
const DEEPEST_CALL: u32 = 8;
/// A helper function that is not known and has more arguments says nothing of the size.
const MOST_ARGUMENTS: usize = 3;

/// The most headers of wrappers within each other.
const MOST_PARTS: usize = 4;

impl Behind {
    /// What lies before a place that is `own` behind the place that this is about.
    pub(super) fn then(&self, own: &Behind) -> Behind {
        match (self, own) {
            (Behind::Nothing, behind) | (behind, Behind::Nothing) => behind.clone(),
            (Behind::Parts(outer), Behind::Parts(inner)) if outer.len() + inner.len() <= MOST_PARTS => {
                Behind::Parts(outer.iter().chain(inner).cloned().collect())
            }
            _ => Behind::Something,
        }
    }

    /// The same with arguments in place of parameters.
    fn of_call(&self, arguments: &[SizeExpr]) -> Behind {
        let Behind::Parts(parts) = self else { return self.clone() };
        let mut known = Vec::new();
        for part in parts {
            match substitute(part, arguments) {
                SizeExpr::Const(0) => {}
                SizeExpr::Const(size) => {
                    let bytes = TypeRef::Array(Box::new(TypeRef::Base(CHAR)), Some(size));
                    known.push(SizeExpr::Sizeof(bytes));
                }
                part @ (SizeExpr::Sizeof(_) | SizeExpr::OffsetOf(..) | SizeExpr::Param(_)) => {
                    known.push(part)
                }
                _ => return Behind::Something,
            }
        }
        if known.is_empty() { Behind::Nothing } else { Behind::Parts(known) }
    }
}

/// What a call allocates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Effect {
    /// How many bytes.
    pub(super) size: SizeExpr,
    /// What becomes of an old block.
    pub(super) kind: Kind,
    /// Where the block is found.
    pub(super) gives: Gives,
    /// What lies in the block before what the caller gets.
    pub(super) behind: Behind,
    /// A 0 is written behind what the caller wants, as behind text.
    pub(super) is_ended: bool,
}

impl Effect {
    /// What a known function allocates, in its own parameters.
    pub(super) fn of_known(known: &Allocation) -> Effect {
        let factors = known.sizes.iter().map(|&index| SizeExpr::Param(index));
        let size = factors.reduce(|left, right| SizeExpr::Mul(Box::new(left), Box::new(right)));
        Effect {
            size: size.unwrap_or(SizeExpr::Opaque),
            kind: known.kind,
            gives: known.gives,
            behind: Behind::Nothing,
            is_ended: false,
        }
    }

    /// What a call with these arguments allocates, if this is what the callee does.
    pub(super) fn of_call(&self, arguments: &[SizeExpr]) -> Effect {
        Effect {
            size: bounded(substitute(&self.size, arguments)),
            behind: self.behind.of_call(arguments),
            ..self.clone()
        }
    }

    /// Adds it to what else a call or function allocates. Blocks with other headers stay apart.
    pub(super) fn add_to(self, effects: &mut Vec<Effect>) {
        let is_full = effects.len() >= MOST_EFFECTS;
        let is_alike = |known: &Effect| known.gives == self.gives && known.behind == self.behind;
        let alike = effects.iter().position(is_alike);
        match alike.or(is_full.then_some(MOST_EFFECTS - 1)) {
            Some(index) => effects[index].join(&self),
            None => effects.push(self),
        }
    }

    fn join(&mut self, other: &Effect) {
        self.size = bounded(either(&self.size, &other.size));
        self.kind = self.kind.or(other.kind);
        self.is_ended &= other.is_ended;
        if self.behind != other.behind {
            self.behind = Behind::Something;
        }
    }

    /// Whether the callers have a say in how much it is.
    pub(super) fn depends_on_parameters(&self) -> bool {
        self.size.depends_on_parameters()
    }

    /// Whether it is a product of several parameters of the function and nothing else.
    pub(super) fn is_product_of_parameters(&self) -> bool {
        self.size.is_product_of_parameters()
    }

    /// Whether a type is named anywhere in it.
    pub(super) fn mentions_type(&self) -> bool {
        leaves(&self.size).iter().any(|leaf| matches!(leaf, SizeExpr::Sizeof(_) | SizeExpr::OffsetOf(..)))
    }

    /// The same size as far as callers have a say in it: types and constants in it are those of a header, a minimum or a unit of
    /// rounding.
    pub(super) fn size_for_callers(&self) -> SizeExpr {
        without_types(&self.size)
    }

    /// The same in words that other files understand: without types, and with the values of helper functions of this file. What is
    /// written into the block stays here.
    pub(super) fn for_other_files(&self, file: usize, helpers: &Helpers) -> Effect {
        let size = without_calls(&self.size, file, helpers, DEEPEST_CALL);
        Effect { size: without_types(&size), is_ended: false, ..self.clone() }
    }
}

/// A size with what helper functions give in place of their calls.
fn without_calls(size: &SizeExpr, file: usize, helpers: &Helpers, calls: u32) -> SizeExpr {
    bounded(replace(size, &|part| {
        let SizeExpr::Call(name, arguments) = part else { return None };
        let arguments: Vec<SizeExpr> =
            arguments.iter().map(|argument| without_calls(argument, file, helpers, calls)).collect();
        Some(match (helpers.find(file, name), calls.checked_sub(1)) {
            (Some(value), Some(calls)) => {
                without_calls(&bounded(substitute(value, &arguments)), file, helpers, calls)
            }
            _ if arguments.len() <= MOST_ARGUMENTS => {
                SizeExpr::Mul(Box::new(SizeExpr::Alt(arguments)), Box::new(SizeExpr::Opaque))
            }
            _ => SizeExpr::Opaque,
        })
    }))
}

impl SizeExpr {
    /// Whether it is a number of some things of a size, neither of which is a constant.
    pub(super) fn is_product(&self) -> bool {
        let is_constant =
            |size: &SizeExpr| leaves(size).iter().all(|leaf| matches!(leaf, SizeExpr::Const(_)));
        match self {
            SizeExpr::Mul(left, right) => {
                (!is_constant(left) && !is_constant(right)) || left.is_product() || right.is_product()
            }
            size => parts(size).into_iter().any(SizeExpr::is_product),
        }
    }

    /// Whether it is a product and no factor of it is a constant.
    pub(super) fn is_product_of_variables(&self) -> bool {
        fn is_factor(size: &SizeExpr) -> bool {
            match size {
                SizeExpr::Mul(left, right) => is_factor(left) && is_factor(right),
                size => !leaves(size).iter().all(|leaf| matches!(leaf, SizeExpr::Const(_))),
            }
        }
        matches!(self, SizeExpr::Mul(left, right) if is_factor(left) && is_factor(right))
    }

    /// Whether it is a product of several parameters of the function and nothing else.
    fn is_product_of_parameters(&self) -> bool {
        fn is_factor(size: &SizeExpr) -> bool {
            matches!(size, SizeExpr::Param(_)) || size.is_product_of_parameters()
        }
        matches!(self, SizeExpr::Mul(left, right) if is_factor(left) && is_factor(right))
    }

    /// Whether it is one more than something, apart from the constant that it may be instead.
    pub(super) fn is_one_more(&self) -> bool {
        match self {
            SizeExpr::Const(_) => true,
            SizeExpr::Add(left, right) => [left, right].into_iter().any(|part| **part == SizeExpr::Const(1)),
            SizeExpr::Mul(size, one) if **one == SizeExpr::Const(1) => size.is_one_more(),
            SizeExpr::Alt(parts) => parts.iter().all(SizeExpr::is_one_more),
            _ => false,
        }
    }

    /// Whether a parameter of the function takes part in it.
    pub(crate) fn depends_on_parameters(&self) -> bool {
        leaves(self).iter().any(|leaf| matches!(leaf, SizeExpr::Param(_)))
    }
}

/// A size with 1 in place of types and constants. A helper function's value is what it is called with.
fn without_types(size: &SizeExpr) -> SizeExpr {
    replace(size, &|part| match part {
        SizeExpr::Sizeof(_) | SizeExpr::OffsetOf(..) | SizeExpr::Const(_) => Some(SizeExpr::Const(1)),
        SizeExpr::Call(_, arguments) => Some(SizeExpr::Alt(arguments.iter().map(without_types).collect())),
        _ => None,
    })
}

/// What a size is put together from.
fn parts(size: &SizeExpr) -> Vec<&SizeExpr> {
    match size {
        SizeExpr::Mul(left, right)
        | SizeExpr::Add(left, right)
        | SizeExpr::Sub(left, right)
        | SizeExpr::Div(left, right) => vec![left, right],
        SizeExpr::Alt(parts) | SizeExpr::Call(_, parts) => parts.iter().collect(),
        SizeExpr::Const(_)
        | SizeExpr::Sizeof(_)
        | SizeExpr::OffsetOf(..)
        | SizeExpr::Param(_)
        | SizeExpr::StringLength
        | SizeExpr::Opaque => Vec::new(),
    }
}

/// All parts that have no parts.
pub(crate) fn leaves(size: &SizeExpr) -> Vec<&SizeExpr> {
    let (mut found, mut next) = (Vec::new(), vec![size]);
    while let Some(size) = next.pop() {
        let parts = parts(size);
        if parts.is_empty() {
            found.push(size);
        }
        next.extend(parts);
    }
    found
}

/// The parameters in a size.
pub(crate) fn parameters(size: &SizeExpr) -> Vec<u32> {
    let index = |leaf: &SizeExpr| match leaf {
        SizeExpr::Param(index) => Some(*index),
        _ => None,
    };
    leaves(size).into_iter().filter_map(index).collect()
}

fn weight(size: &SizeExpr) -> usize {
    1 + parts(size).into_iter().map(weight).sum::<usize>()
}

/// A size with arguments in place of parameters.
pub(crate) fn substitute(size: &SizeExpr, arguments: &[SizeExpr]) -> SizeExpr {
    replace(size, &|part| match part {
        SizeExpr::Param(index) => Some(arguments.get(*index as usize).cloned().unwrap_or(SizeExpr::Opaque)),
        _ => None,
    })
}

/// A size with something else in place of the parts, whole ones first, that `by` gives something for.
fn replace(size: &SizeExpr, by: &impl Fn(&SizeExpr) -> Option<SizeExpr>) -> SizeExpr {
    if let Some(other) = by(size) {
        return other;
    }
    let part = |part: &SizeExpr| Box::new(replace(part, by));
    let all = |parts: &[SizeExpr]| parts.iter().map(|part| replace(part, by)).collect();
    match size {
        SizeExpr::Mul(left, right) => SizeExpr::Mul(part(left), part(right)),
        SizeExpr::Add(left, right) => SizeExpr::Add(part(left), part(right)),
        SizeExpr::Sub(left, right) => SizeExpr::Sub(part(left), part(right)),
        SizeExpr::Div(left, right) => SizeExpr::Div(part(left), part(right)),
        SizeExpr::Alt(parts) => SizeExpr::Alt(all(parts)),
        SizeExpr::Call(name, parts) => SizeExpr::Call(name.clone(), all(parts)),
        SizeExpr::Const(_)
        | SizeExpr::Sizeof(_)
        | SizeExpr::OffsetOf(..)
        | SizeExpr::Param(_)
        | SizeExpr::StringLength
        | SizeExpr::Opaque => size.clone(),
    }
}

/// One of two sizes.
fn either(left: &SizeExpr, right: &SizeExpr) -> SizeExpr {
    let alternatives = |size: &SizeExpr| match size {
        SizeExpr::Alt(parts) => parts.clone(),
        size => vec![size.clone()],
    };
    let mut all = alternatives(left);
    for part in alternatives(right) {
        if !all.contains(&part) {
            all.push(part);
        }
    }
    if all.len() == 1 { all.swap_remove(0) } else { SizeExpr::Alt(all) }
}

/// A size that is not too large to go on with. What is left of a large one is what it depends on: one of these, or their sum if it adds
/// up several types.
fn bounded(size: SizeExpr) -> SizeExpr {
    if weight(&size) <= LARGEST_SIZE {
        return size;
    }
    let mut telling: Vec<&SizeExpr> = Vec::new();
    for leaf in leaves(&size) {
        if !matches!(leaf, SizeExpr::Const(_) | SizeExpr::Opaque) && !telling.contains(&leaf) {
            telling.push(leaf);
        }
    }
    telling.truncate(MOST_LEAVES);
    let times = |leaf: &SizeExpr| SizeExpr::Mul(Box::new(leaf.clone()), Box::new(SizeExpr::Opaque));
    let telling = telling.into_iter().map(times);
    if mixes_types(&size) {
        let sum = telling.reduce(|left, right| SizeExpr::Add(Box::new(left), Box::new(right)));
        return sum.unwrap_or(SizeExpr::Opaque);
    }
    SizeExpr::Alt(telling.collect())
}

/// Whether some branch of a size names several types.
fn mixes_types(size: &SizeExpr) -> bool {
    if let SizeExpr::Alt(parts) = size {
        return parts.iter().any(mixes_types);
    }
    let leaves = leaves(size);
    let mut named = leaves.iter().filter_map(|leaf| match leaf {
        SizeExpr::Sizeof(ty) | SizeExpr::OffsetOf(ty, _) => Some(ty),
        _ => None,
    });
    named.next().is_some_and(|first| named.any(|other| other != first))
}
