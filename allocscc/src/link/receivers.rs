//! What a call allocates of which no source says anything: what the debug information says of its result.
//!
//! A variable that receives the result says it if it is a pointer to a complete type, and nothing speaks against it: the size that the code
//! passes, where it can be seen, is one of such objects, and the function does not allocate for others. Else it is unknown.

use allocs_metadata::{Evidence, SITE_IS_BUFFER};
use object::read::elf::ElfFile64;
use rustc_hash::FxHashMap;

use crate::dwarf::alloc_types;
use crate::dwarf::cfa::CfaRules;
use crate::dwarf::receivers::{Receiver, Receivers};
use crate::dwarf::scopes::Scopes;
use crate::dwarf::statics::Static;
use crate::dwarf::types::MergedTypes;
use crate::dwarf::units::Units;
use crate::graph::{Canonical, CompositeKind, NodeId, Type};
use crate::image::calls::Svma;
use crate::image::function_code::FunctionCode;
use crate::image::linear::{self, Linear};
use crate::image::result;
use crate::sites::functions::{Allocation, Gives, Kind};

/// What debug information says of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// What the block holds.
    pub node: NodeId,
    /// How it is known.
    pub evidence: Evidence,
    /// The flags of the site.
    pub flags: u8,
}

/// The results of calls, and the variables that receive them.
pub struct Results<'a, 'data> {
    code: FunctionCode<'data>,
    receivers: Receivers,
    alloc_types: FxHashMap<u64, NodeId>,
    rules: &'a CfaRules,
    statics: &'a [Static],
}

impl<'a, 'data> Results<'a, 'data> {
    /// Reads what is known of the results of the `calls`, given by return address in ascending order. What is broken costs answers.
    #[must_use]
    pub fn read(
        file: &ElfFile64<'data>,
        units: &Units<'_>,
        merged: &MergedTypes,
        rules: &'a CfaRules,
        statics: &'a [Static],
        calls: &[Svma],
    ) -> Self {
        // What is wrong with the debug information was said when it was read for the first time.
        let mut faults = Vec::new();
        let scopes = Scopes::read(units);
        let receivers = Receivers::read(units, &scopes, merged, rules, calls, &mut faults);
        let alloc_types = alloc_types::read(units, merged, &mut faults);
        Results { code: FunctionCode::of(file), receivers, alloc_types, rules, statics }
    }

    /// What a call of an allocation function gives, if it can be told.
    pub fn claim(&self, return_svma: Svma, callee: &Allocation, types: &mut Canonical) -> Option<Claim> {
        if callee.kind == Kind::Text && callee.gives == Gives::Result {
            let node = types.characters();
            return Some(Claim { node, evidence: Evidence::Receiver, flags: SITE_IS_BUFFER });
        }
        if callee.gives != Gives::Result {
            return None;
        }
        let size = self.size(return_svma, callee);
        if let Some(&object) = self.alloc_types.get(&return_svma.0) {
            return array(object, size, types).map(|node| Claim::of(node, object, types));
        }
        let receivers = self.all_receivers(return_svma, types);
        let mut claims = receivers.iter().filter_map(|&receiver| {
            let node = holds(receiver, size, types)?;
            Some((receiver.pointee, Claim::of(node, receiver.pointee, types)))
        });
        let (object, first) = claims.next()?;
        let is_one = claims.collect::<Vec<_>>().iter().all(|(_, claim)| *claim == first);
        // What goes to a `void *` or to a pointer to a struct may well be looked at as characters or integers.
        let may_be_looked_at = !is_struct(object, types)
            && receivers.iter().any(|receiver| match types.get(receiver.pointee) {
                Type::Void => !receiver.may_be_wrapper,
                _ => is_struct(receiver.pointee, types),
            });
        (is_one && !may_be_looked_at).then_some(first)
    }

    /// The variables that receive the result of a call, if they point to objects.
    #[must_use]
    pub fn receivers(&self, return_svma: Svma, types: &Canonical) -> Vec<Receiver> {
        let mut receivers = self.all_receivers(return_svma, types);
        receivers.retain(|receiver| is_object(receiver.pointee, types));
        receivers
    }

    fn all_receivers(&self, return_svma: Svma, types: &Canonical) -> Vec<Receiver> {
        let Some(body) = self.code.around(Svma(return_svma.0 - 1)) else { return Vec::new() };
        let kept = result::behind(&body, return_svma);
        self.receivers.of(return_svma, &kept, self.rules, self.statics, types)
    }

    /// The size that a call asks for.
    #[must_use]
    pub fn size(&self, return_svma: Svma, callee: &Allocation) -> Linear {
        let body = self.code.around(Svma(return_svma.0 - 1));
        let Some(arguments) = body.and_then(|body| linear::before(&body, return_svma)) else {
            return Linear::ANY;
        };
        let sizes = callee.sizes.iter().map(|&size| arguments.get(size as usize).copied());
        sizes.map(|size| size.unwrap_or(Linear::ANY)).reduce(Linear::times).unwrap_or(Linear::ANY)
    }
}

impl Claim {
    fn of(node: NodeId, object: NodeId, types: &Canonical) -> Claim {
        let flags = if is_character(object, types) { SITE_IS_BUFFER } else { 0 };
        Claim { node, evidence: Evidence::Dwarf, flags }
    }
}

/// What a block of this size holds that the receiver points to.
fn holds(receiver: Receiver, size: Linear, types: &mut Canonical) -> Option<NodeId> {
    let object = receiver.pointee;
    if receiver.may_be_wrapper && !names_its_object(object, size, types) {
        return None;
    }
    array(object, size, types)
}

/// Whether the size is so much that of the object, or of some structs, that the function itself says what it allocates, and not its caller.
fn names_its_object(object: NodeId, size: Linear, types: &Canonical) -> bool {
    let Some(of_one) = types.size_of(object).and_then(|n| i64::try_from(n).ok()) else { return false };
    match size.factor {
        0 => size.constant == of_one && !is_character(object, types),
        n => n == of_one && n > 1 && is_struct(object, types),
    }
}

/// The array of objects that a block of this size is, or the one object that ends in an array of open length.
///
/// Of structs it is one, or a number that the program works out: a constant that is some times the size of a struct may as well be
/// the size of a larger one that begins with it.
fn array(object: NodeId, size: Linear, types: &mut Canonical) -> Option<NodeId> {
    if !is_object(object, types) {
        return None;
    }
    let of_one = types.size_of(object).and_then(|n| i64::try_from(n).ok()).filter(|&n| n > 0)?;
    let is_multiple = size.factor % of_one == 0 && size.constant % of_one == 0;
    if has_open_end(object, types) {
        return match size {
            Linear { factor: 0, constant } if constant == of_one => Some(types.unbounded_array_of(object)),
            Linear { constant, .. } if constant >= of_one => Some(object),
            _ => None,
        };
    }
    let may_be_larger = is_struct(object, types)
        && match size.factor {
            0 => size.constant != of_one,
            // Structs of one byte have any size.
            factor => factor != of_one || factor == 1,
        };
    let is_some = size != Linear { factor: 0, constant: 0 };
    (is_multiple && is_some && !may_be_larger).then(|| types.unbounded_array_of(object))
}

/// Whether objects of a type exist, as they do not of `void`, functions and what is only declared.
fn is_object(ty: NodeId, types: &Canonical) -> bool {
    types.size_of(ty).is_some_and(|size| size != 0)
}

fn is_struct(ty: NodeId, types: &Canonical) -> bool {
    matches!(types.get(ty), Type::Composite { .. })
}

fn is_character(ty: NodeId, types: &Canonical) -> bool {
    use gimli::constants as dw;
    matches!(types.get(ty), Type::Base { encoding, size: 1, .. }
        if [dw::DW_ATE_signed_char, dw::DW_ATE_unsigned_char].contains(&gimli::DwAte(*encoding)))
}

/// Whether a struct ends in an array of open length.
fn has_open_end(ty: NodeId, types: &Canonical) -> bool {
    let Type::Composite { kind: CompositeKind::Struct | CompositeKind::Class, members, .. } = types.get(ty)
    else {
        return false;
    };
    members.last().is_some_and(|last| matches!(types.get(last.ty), Type::Array { length: None, .. }))
}
