//! What a call allocates of which no source says anything: what the debug information says of its result.
//!
//! A variable that receives the result says it if it is a pointer to a complete type, and nothing speaks against it: the size that the code
//! passes, where it can be seen, is one of such objects, and the function does not allocate for others. Else it is unknown.
//!
//! In C++ a pointer to a class may point to an object of another one that is derived from it. What the object is, its constructor says
//! ([`crate::dwarf::constructors`]), and what a container asks for, its allocator ([`crate::dwarf::allocators`]).

use allocs_metadata::{Evidence, SITE_IS_BUFFER};
use anyhow::Result;
use gimli::constants as dw;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::dwarf::cfa::CfaRules;
use crate::dwarf::constructors::Constructors;
use crate::dwarf::receivers::{Receiver, Receivers};
use crate::dwarf::scopes::Scopes;
use crate::dwarf::statics::Static;
use crate::dwarf::types::MergedTypes;
use crate::dwarf::units::Units;
use crate::dwarf::{alloc_types, allocators};
use crate::graph::names::Names;
use crate::graph::{Canonical, CompositeKind, Member, Naming, NodeId, Type};
use crate::image::branches::Branches;
use crate::image::calls::{self, CallInstruction, Svma};
use crate::image::function_code::FunctionCode;
use crate::image::linear::{self, Linear};
use crate::image::result;
use crate::sites::functions::{Allocation, Gives, Kind};

/// Size of the number in front of an array whose objects are destroyed one by one. Objects that are aligned to more have more in front.
const COUNT_SIZE: i64 = 8;

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
    /// The types of the objects that allocators of C++ give.
    allocators: FxHashMap<Svma, NodeId>,
    /// The calls of constructors, and their classes.
    constructor_calls: FxHashMap<Svma, NodeId>,
    classes: Classes,
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
        let constructors = Constructors::read(units, &scopes, merged);
        let receivers = Receivers::read(units, &scopes, merged, rules, &constructors, calls, &mut faults);
        let alloc_types = alloc_types::read(units, merged, &mut faults);
        let mut results = Results {
            code: FunctionCode::of(file),
            receivers,
            alloc_types,
            allocators: FxHashMap::default(),
            constructor_calls: FxHashMap::default(),
            classes: Classes::default(),
            rules,
            statics,
        };
        if units.iter().any(|(_, unit)| unit.is_cplusplus()) {
            results.allocators = allocators::read(units, &scopes, merged, calls);
            results.constructor_calls = constructor_calls(file, &constructors).unwrap_or_default();
            results.classes = Classes::of(&merged.types);
        }
        results
    }

    /// What a call of an allocation function gives, if it can be told.
    pub fn claim(
        &self,
        return_svma: Svma,
        callee: &Allocation,
        types: &mut Canonical,
        names: &mut Names,
    ) -> Option<Claim> {
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
        if let Some(&object) = self.allocators.get(&return_svma) {
            let is_known = size != Linear::ANY;
            let size = if is_known { size } else { Linear { factor: size_of(object, types)?, constant: 0 } };
            return objects(object, size, types).map(|node| Claim::of(node, object, types));
        }
        if callee.makes_arrays
            && let Some(claim) = self.claim_of_counted(return_svma, size, types, names)
        {
            return Some(claim);
        }
        let receivers = self.all_receivers(return_svma, types);
        match self.constructed(return_svma, &receivers)[..] {
            [] => {}
            [class] => return self.claim_of_class(class, callee, size, &receivers, types),
            _ => return None,
        }
        let receivers: Vec<Receiver> =
            receivers.into_iter().filter(|r| !self.classes.may_be_of_derived(r.pointee)).collect();
        let mut claims = receivers.iter().filter_map(|&receiver| {
            let node = holds(receiver, callee, size, types)?;
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

    fn constructed(&self, return_svma: Svma, receivers: &[Receiver]) -> Vec<NodeId> {
        let passed_to = self.code.around(Svma(return_svma.0 - 1));
        let passed_to = passed_to.map(|body| result::passed_to(&body, return_svma)).unwrap_or_default();
        let called = passed_to.iter().find_map(|call| Some((*call, *self.constructor_calls.get(call)?)));
        self.receivers.constructed(return_svma, receivers, called)
    }

    /// What a block holds that begins with the number of objects in it, which the compiler keeps there to destroy them.
    fn claim_of_counted(
        &self,
        return_svma: Svma,
        size: Linear,
        types: &mut Canonical,
        names: &mut Names,
    ) -> Option<Claim> {
        let body = self.code.around(Svma(return_svma.0 - 1))?;
        let kept = result::behind_with(&body, return_svma, COUNT_SIZE);
        let receivers = self.receivers.of(return_svma, &kept, self.rules, self.statics, types);
        let is_this =
            |receiver: &&Receiver| receiver.constructor.is_none() && is_struct(receiver.pointee, types);
        let mut objects_received = receivers.iter().filter(is_this).map(|receiver| receiver.pointee);
        let object = objects_received.next()?;
        let is_one = objects_received.all(|other| other == object);
        let behind = Linear { constant: size.constant.checked_sub(COUNT_SIZE)?, ..size };
        if !is_one || size == Linear::ANY || self.classes.may_be_of_derived(object) {
            return None;
        }
        objects(object, behind, types)?;
        let count = types.base(dw::DW_ATE_unsigned, COUNT_SIZE as u32);
        let node = types.synthetic(names, &[(count, 0)], COUNT_SIZE as u64, object);
        Some(Claim { node, evidence: Evidence::Dwarf, flags: 0 })
    }

    /// What a block holds of which a constructor makes an object, or the first one of an array.
    fn claim_of_class(
        &self,
        class: NodeId,
        callee: &Allocation,
        size: Linear,
        receivers: &[Receiver],
        types: &mut Canonical,
    ) -> Option<Claim> {
        // The object may be the first member of one that has no constructor of its own.
        let may_be_member = |receiver: &Receiver| {
            receiver.constructor.is_none()
                && is_struct(receiver.pointee, types)
                && size_of(receiver.pointee, types) == size_of(class, types)
                && !is_base(receiver.pointee, class, types)
        };
        if receivers.iter().any(may_be_member) {
            return None;
        }
        made_by(callee, class, size, types).map(|node| Claim::of(node, class, types))
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
fn holds(receiver: Receiver, callee: &Allocation, size: Linear, types: &mut Canonical) -> Option<NodeId> {
    let object = receiver.pointee;
    if receiver.may_be_wrapper && !names_its_object(object, size, types) {
        return None;
    }
    made_by(callee, object, size, types)
}

/// What a block of this size holds that a function makes and that begins with such an object.
fn made_by(callee: &Allocation, object: NodeId, size: Linear, types: &mut Canonical) -> Option<NodeId> {
    if callee.makes_arrays { objects(object, size, types) } else { array(object, size, types) }
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

/// The array of any number of objects that a block of this size is.
fn objects(object: NodeId, size: Linear, types: &mut Canonical) -> Option<NodeId> {
    let of_one = size_of(object, types).filter(|&n| n > 0)?;
    let is_some = size != Linear { factor: 0, constant: 0 };
    let is_multiple = size.factor % of_one == 0 && size.constant % of_one == 0;
    (is_some && is_multiple && is_object(object, types)).then(|| types.unbounded_array_of(object))
}

fn size_of(ty: NodeId, types: &Canonical) -> Option<i64> {
    types.size_of(ty).and_then(|n| i64::try_from(n).ok())
}

/// Whether a class is another one, or a base of it that begins where it does.
fn is_base(base: NodeId, class: NodeId, types: &Canonical) -> bool {
    with_first_bases(class, types).any(|at| at == base)
}

/// A class, its base that begins where it does, and so on.
fn with_first_bases(class: NodeId, types: &Canonical) -> impl Iterator<Item = NodeId> {
    let first_base = |&at: &NodeId| {
        let Type::Composite { members, .. } = types.get(at) else { return None };
        members.iter().find(|member| member.name.is_empty() && member.offset == 0).map(|base| base.ty)
    };
    std::iter::successors(Some(class), first_base).take(DEEPEST_BASE)
}

/// Bases of bases deeper than this are not looked at; in a broken file a class may be its own.
const DEEPEST_BASE: usize = 64;

/// The calls of constructors by return address, and the classes whose constructors they are.
fn constructor_calls(file: &ElfFile64<'_>, constructors: &Constructors) -> Result<FxHashMap<Svma, NodeId>> {
    if constructors.is_empty() {
        return Ok(FxHashMap::default());
    }
    // Where functions of the same code were made one, nobody knows which of them is called.
    let mut at: FxHashMap<u64, Option<NodeId>> = FxHashMap::default();
    for symbol in file.symbols().filter(|s| s.kind() == SymbolKind::Text && s.is_definition()) {
        let class = symbol.name().ok().and_then(|name| constructors.class_of_symbol(name));
        let known = at.entry(symbol.address()).or_insert(class);
        *known = known.filter(|&known| class == Some(known));
    }
    let folded: FxHashSet<&str> = file
        .symbols()
        .filter(|symbol| at.get(&symbol.address()).is_some_and(Option::is_none))
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    let branches = Branches::of(file)?;
    let class_of = |name: &str| constructors.class_of_symbol(name).filter(|_| !folded.contains(name));
    let calls = calls::to_symbols(&branches, |name| class_of(name).is_some())?;
    let call = |call: CallInstruction<String>| Some((call.return_svma, class_of(&call.callee)?));
    Ok(calls.into_iter().filter_map(call).collect())
}

/// The classes to which a pointer may lead to an object of a derived one that has the same size.
#[derive(Default)]
struct Classes {
    with_derived: FxHashSet<NodeId>,
}

impl Classes {
    fn of(types: &Canonical) -> Classes {
        let mut with_derived = FxHashSet::default();
        for class in types.graph().ids() {
            let Type::Composite { naming: Naming::Tag(_), size, members, .. } = types.get(class) else {
                continue;
            };
            // An object with virtual functions has a constructor, which says more.
            let has_table = |at| {
                let is_table = |member: &Member| member.name.starts_with("_vptr");
                matches!(types.get(at), Type::Composite { members, .. } if members.iter().any(is_table))
            };
            if with_first_bases(class, types).any(has_table) {
                with_derived.insert(class);
            }
            for base in members.iter().filter(|member| member.name.is_empty()) {
                let is_tagged = matches!(types.get(base.ty), Type::Composite { naming: Naming::Tag(_), .. });
                if is_tagged && types.size_of(base.ty) == *size {
                    with_derived.insert(base.ty);
                }
            }
        }
        Classes { with_derived }
    }

    fn may_be_of_derived(&self, class: NodeId) -> bool {
        self.with_derived.contains(&class)
    }
}

/// Whether objects of a type exist, as they do not of `void`, functions and what is only declared.
fn is_object(ty: NodeId, types: &Canonical) -> bool {
    types.size_of(ty).is_some_and(|size| size != 0)
}

fn is_struct(ty: NodeId, types: &Canonical) -> bool {
    matches!(types.get(ty), Type::Composite { .. })
}

fn is_character(ty: NodeId, types: &Canonical) -> bool {
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
