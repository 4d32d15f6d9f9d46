//! Size expressions as sums: what is added up, once or many times, in each branch.

use rustc_hash::FxHashMap;

use super::effect::leaves;
use super::facts::{FileFacts, SizeExpr, TypeRef};

/// What a summand is a size of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Sizeof(TypeRef),
    OffsetOf(TypeRef, String),
    /// The length of a string.
    Text,
    Const(u64),
    /// What depends on a parameter of the function.
    Param,
    /// A number of objects that is computed from a parameter that is a number of bytes.
    Quotient,
    Other,
}

/// How often a summand counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Count {
    /// A constant: this fraction, in lowest terms.
    Exactly(u64, u64),
    Any,
}

impl Count {
    pub(super) const ONCE: Count = Count::Exactly(1, 1);

    /// It is multiplied, by more than one as far as is known.
    pub(super) fn is_many(self) -> bool {
        self != Count::ONCE
    }

    fn by(self, times: u64, over: u64) -> Count {
        let Count::Exactly(above, below) = self else { return Count::Any };
        match (above.checked_mul(times), below.checked_mul(over)) {
            (Some(above), Some(below)) if above > 0 && below > 0 => {
                let common = common_divisor(above, below);
                Count::Exactly(above / common, below / common)
            }
            _ => Count::Any,
        }
    }
}

fn common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { common_divisor(right, left % right) }
}

/// A summand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Term {
    pub(super) unit: Unit,
    pub(super) count: Count,
    pub(super) negative: bool,
}

pub(super) type Sum = Vec<Term>;

const MOST_BRANCHES: usize = 16;
const MOST_TERMS: usize = 16;
const DEEPEST_CALL: u32 = 8;
/// Steps for one size; what takes longer counts as unknown.
const MOST_STEPS: u32 = 4000;

/// The size helpers of all files.
pub(super) struct Helpers<'f> {
    /// Static ones by file and name.
    own: FxHashMap<(usize, &'f str), &'f SizeExpr>,
    shared: FxHashMap<&'f str, &'f SizeExpr>,
}

impl<'f> Helpers<'f> {
    pub(super) fn new(files: &'f [FileFacts]) -> Self {
        let mut helpers = Helpers { own: FxHashMap::default(), shared: FxHashMap::default() };
        for (file, facts) in files.iter().enumerate() {
            for function in &facts.functions {
                let Some(value) = &function.value else { continue };
                helpers.own.insert((file, &function.name), value);
                if !function.is_static {
                    helpers.shared.entry(&function.name).or_insert(value);
                }
            }
        }
        helpers
    }

    /// What a function of this name that a file sees computes from its parameters.
    pub(super) fn find(&self, file: usize, name: &str) -> Option<&'f SizeExpr> {
        self.own.get(&(file, name)).or_else(|| self.shared.get(name)).copied()
    }

    /// The sums that a size may be.
    pub(super) fn sums(&self, file: usize, size: &SizeExpr) -> Vec<Sum> {
        let mut expansion = Expansion { helpers: self, file, steps: MOST_STEPS };
        expansion.sums(size, &[], DEEPEST_CALL).into_iter().map(without_gaps).collect()
    }
}

/// Without the `sizeof (T) - 1` that is there to align what lies behind an array: no T lies in it. `sizeof (T) - 1 + n` is
/// something else, a T whose last member is longer.
fn without_gaps(sum: Sum) -> Sum {
    let is_gap = |term: &Term| {
        let less_one = Term { unit: Unit::Const(1), count: term.count, negative: true };
        let is_so_often = !term.negative && term.count != Count::Any;
        is_so_often && matches!(term.unit, Unit::Sizeof(_)) && sum.contains(&less_one)
    };
    let is_array = |term: &Term| {
        !term.negative
            && term.count.is_many()
            && !is_gap(term)
            && matches!(&term.unit, Unit::Sizeof(ty) if !super::heap_type::is_character(ty))
    };
    if !sum.iter().any(is_array) {
        return sum;
    }
    sum.iter().filter(|term| !is_gap(term)).cloned().collect()
}

struct Expansion<'h, 'f> {
    helpers: &'h Helpers<'f>,
    file: usize,
    steps: u32,
}

fn one(unit: Unit) -> Vec<Sum> {
    vec![vec![Term { unit, count: Count::ONCE, negative: false }]]
}

fn has_type(sum: &Sum) -> bool {
    sum.iter().any(|term| matches!(term.unit, Unit::Sizeof(_) | Unit::OffsetOf(..)))
}

/// Whether a sum has the size of a type that a block can be of. `n * sizeof (char)` is a number of bytes for anything.
pub(super) fn names_type(sum: &Sum) -> bool {
    sum.iter().any(|term| match &term.unit {
        Unit::Sizeof(ty) => !super::heap_type::is_character(ty),
        Unit::OffsetOf(..) => true,
        Unit::Text | Unit::Const(_) | Unit::Param | Unit::Quotient | Unit::Other => false,
    })
}

/// Whether a parameter is added to what else is there. `n * sizeof (T)` has none: it is a number of T.
pub(super) fn adds_parameter(sum: &Sum) -> bool {
    sum.iter().any(|term| term.unit == Unit::Param)
}

/// Whether a sum is neither constant nor names a type.
pub(super) fn is_untyped(sum: &Sum) -> bool {
    let is_number = |term: &Term| matches!(term.unit, Unit::Param | Unit::Quotient | Unit::Other);
    !has_type(sum) && !has_text(sum) && sum.iter().any(is_number)
}

pub(super) fn has_text(sum: &Sum) -> bool {
    sum.iter().any(|term| term.unit == Unit::Text)
}

impl Expansion<'_, '_> {
    fn sums(&mut self, size: &SizeExpr, parameters: &[Vec<Sum>], calls: u32) -> Vec<Sum> {
        let Some(steps) = self.steps.checked_sub(1) else { return one(Unit::Other) };
        self.steps = steps;
        match size {
            SizeExpr::Const(value) => one(Unit::Const(*value)),
            SizeExpr::Sizeof(ty) => one(Unit::Sizeof(ty.clone())),
            SizeExpr::OffsetOf(ty, path) => one(Unit::OffsetOf(ty.clone(), path.clone())),
            SizeExpr::StringLength => one(Unit::Text),
            SizeExpr::Opaque => one(Unit::Other),
            SizeExpr::Param(index) => {
                parameters.get(*index as usize).cloned().unwrap_or_else(|| one(Unit::Param))
            }
            SizeExpr::Add(left, right) => self.pairs(left, right, parameters, calls, add),
            SizeExpr::Sub(left, right) => match without(left, right) {
                Some(rest) => self.sums(&rest, parameters, calls),
                None => self.pairs(left, right, parameters, calls, subtract),
            },
            SizeExpr::Mul(left, right) => {
                if let Some(rounded) = before_rounding(left, right).or_else(|| before_rounding(right, left)) {
                    return self.sums(rounded, parameters, calls);
                }
                let (left, right) =
                    (self.factors(left, parameters, calls), self.factors(right, parameters, calls));
                combined(&left, &right, multiply)
            }
            SizeExpr::Div(left, right) => self.pairs(left, right, parameters, calls, divide),
            SizeExpr::Alt(parts) => {
                let mut all: Vec<Sum> = Vec::new();
                for part in parts {
                    for sum in self.sums(part, parameters, calls) {
                        if !all.contains(&sum) {
                            all.push(sum);
                        }
                    }
                }
                all.truncate(MOST_BRANCHES);
                all
            }
            SizeExpr::Call(name, arguments) => self.call(name, arguments, parameters, calls),
        }
    }

    fn pairs(
        &mut self,
        left: &SizeExpr,
        right: &SizeExpr,
        parameters: &[Vec<Sum>],
        calls: u32,
        combine: fn(&Sum, &Sum) -> Sum,
    ) -> Vec<Sum> {
        let (left, right) = (self.sums(left, parameters, calls), self.sums(right, parameters, calls));
        combined(&left, &right, combine)
    }

    /// What may be a factor. One of several numbers is any number.
    fn factors(&mut self, size: &SizeExpr, parameters: &[Vec<Sum>], calls: u32) -> Vec<Sum> {
        let mut sums = self.sums(size, parameters, calls);
        if sums.len() > 1 {
            for sum in &mut sums {
                match constant(sum) {
                    Some(1) => sum[0].unit = Unit::Other,
                    Some(_) => sum[0].count = Count::Any,
                    None => {}
                }
            }
        }
        sums
    }

    fn call(&mut self, name: &str, arguments: &[SizeExpr], parameters: &[Vec<Sum>], calls: u32) -> Vec<Sum> {
        let arguments: Vec<Vec<Sum>> =
            arguments.iter().map(|argument| self.sums(argument, parameters, calls)).collect();
        match (self.helpers.find(self.file, name), calls.checked_sub(1)) {
            (Some(value), Some(calls)) => {
                let guarded = without_guard(value);
                self.sums(guarded.as_ref().unwrap_or(value), &arguments, calls)
            }
            _ => vec![unknown_helper(&arguments)],
        }
    }
}

/// A function without a body in sight, such as a checked product: the sizes that go in come out, many times. One that gets a
/// size alone rounds it.
fn unknown_helper(arguments: &[Vec<Sum>]) -> Sum {
    let is_small = arguments.len() <= 3;
    let typed = arguments.iter().flatten().find(|sum| is_small && has_type(sum));
    typed.map_or_else(
        || vec![Term { unit: Unit::Other, count: Count::ONCE, negative: false }],
        |sum| if arguments.len() > 1 { times(sum, None) } else { sum.clone() },
    )
}

/// Without the 0 that a function returns for a size of 0, or for one that is too large, beside what it makes of its parameters.
fn without_guard(value: &SizeExpr) -> Option<SizeExpr> {
    let SizeExpr::Alt(parts) = value else { return None };
    let rest: Vec<SizeExpr> = parts.iter().filter(|part| **part != SizeExpr::Const(0)).cloned().collect();
    let is_guarded = rest.len() < parts.len() && rest.iter().all(SizeExpr::depends_on_parameters);
    (is_guarded && !rest.is_empty()).then_some(SizeExpr::Alt(rest))
}

/// What is left of a sum when a summand is taken away again: `n * sizeof (T) + k - k`.
fn without(sum: &SizeExpr, summand: &SizeExpr) -> Option<SizeExpr> {
    // Of two things of which nothing more is known, one need not be the other. A constant may be a last member, or is there to round up.
    let is_known = |leaf: &&SizeExpr| !matches!(leaf, SizeExpr::Opaque | SizeExpr::StringLength);
    if matches!(summand, SizeExpr::Const(_)) || !leaves(summand).iter().all(is_known) {
        return None;
    }
    let add = |left, right| SizeExpr::Add(Box::new(left), Box::new(right));
    match sum {
        same if same == summand => Some(SizeExpr::Const(0)),
        SizeExpr::Add(rest, same) | SizeExpr::Add(same, rest) if **same == *summand => Some((**rest).clone()),
        SizeExpr::Add(left, right) => without(left, summand)
            .map(|rest| add(rest, (**right).clone()))
            .or_else(|| without(right, summand).map(|rest| add((**left).clone(), rest))),
        SizeExpr::Sub(left, right) => Some(SizeExpr::Sub(Box::new(without(left, summand)?), right.clone())),
        _ => None,
    }
}

/// What `(size + 7) / 8 * 8` rounds up.
fn before_rounding<'e>(quotient: &'e SizeExpr, unit: &SizeExpr) -> Option<&'e SizeExpr> {
    let (SizeExpr::Div(sum, divisor), SizeExpr::Const(unit)) = (quotient, unit) else { return None };
    let SizeExpr::Add(size, slack) = &**sum else { return None };
    let is_rounded =
        **divisor == SizeExpr::Const(*unit) && matches!(**slack, SizeExpr::Const(slack) if slack < *unit);
    is_rounded.then_some(size)
}

/// What each of some branches makes with each of some others.
fn combined(left: &[Sum], right: &[Sum], combine: fn(&Sum, &Sum) -> Sum) -> Vec<Sum> {
    let mut all = Vec::new();
    for one in left {
        for other in right {
            let mut sum = combine(one, other);
            sum.truncate(MOST_TERMS);
            if all.len() < MOST_BRANCHES && !all.contains(&sum) {
                all.push(sum);
            }
        }
    }
    all
}

fn add(left: &Sum, right: &Sum) -> Sum {
    match (constant(left), constant(right)) {
        (_, Some(0)) => left.clone(),
        (Some(0), _) => right.clone(),
        _ => left.iter().chain(right).cloned().collect(),
    }
}

fn subtract(left: &Sum, right: &Sum) -> Sum {
    let negated = right.iter().map(|term| Term { negative: !term.negative, ..term.clone() });
    left.iter().cloned().chain(negated).collect()
}

/// A sum times a constant, or times what is none.
fn times(sum: &Sum, factor: Option<u64>) -> Sum {
    counted(sum, |count| factor.map_or(Count::Any, |factor| count.by(factor, 1)))
}

fn counted(sum: &Sum, count: impl Fn(Count) -> Count) -> Sum {
    sum.iter().map(|term| Term { count: count(term.count), ..term.clone() }).collect()
}

/// The value of a sum that is a constant.
fn constant(sum: &Sum) -> Option<u64> {
    match sum.as_slice() {
        [Term { unit: Unit::Const(value), count: Count::ONCE, negative: false }] => Some(*value),
        _ => None,
    }
}

fn is_record_size(sum: &Sum) -> bool {
    sum.iter().any(|term| matches!(&term.unit, Unit::Sizeof(ty) if super::heap_type::is_record(ty)))
}

fn multiply(left: &Sum, right: &Sum) -> Sum {
    // `(n + sizeof (T) - 1) / sizeof (T) * sizeof (T)`: n, rounded up.
    let is_quotient = |sum: &Sum| sum.iter().any(|term| term.unit == Unit::Quotient);
    if (is_quotient(left) && has_type(right)) || (is_quotient(right) && has_type(left)) {
        return vec![Term { unit: Unit::Param, count: Count::ONCE, negative: false }];
    }
    // `sizeof (T) * sizeof (U)`: a struct says more than a scalar.
    let (main, factor) = match (has_type(left), has_type(right)) {
        (true, true) if is_record_size(right) && !is_record_size(left) => (right, left),
        (false, true) => (right, left),
        (false, false) if has_text(right) || constant(left) == Some(1) => (right, left),
        _ => (left, right),
    };
    times(main, constant(factor))
}

fn divide(left: &Sum, right: &Sum) -> Sum {
    // `sizeof a / sizeof *a` is a number of elements.
    if has_type(right) {
        let unit = if adds_parameter(left) { Unit::Quotient } else { Unit::Other };
        vec![Term { unit, count: Count::ONCE, negative: false }]
    } else {
        counted(left, |count| constant(right).map_or(Count::Any, |divisor| count.by(1, divisor)))
    }
}
