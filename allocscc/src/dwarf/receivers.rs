//! The variables that receive what calls return, and so what these point to.
//!
//! Where the result of a call is kept comes from its instructions ([`crate::image::result`]); which variable is there, from its location.

use std::collections::BTreeMap;
use std::ops::Range;

use gimli::constants as dw;

use super::cfa::CfaRules;
use super::constructors::Constructors;
use super::error::{Error, Result};
use super::locals::{Local, Locals};
use super::scopes::{FunctionIndex, ScopeIndex, Scopes};
use super::statics::Static;
use super::types::MergedTypes;
use super::units::{DieRef, Units};
use crate::graph::{Canonical, CompositeKind, NodeId, Type};
use crate::image::calls::Svma;
use crate::image::result::{Kept, Place, RegisterNumber};
use allocs_metadata::CfaRegister;

/// Members of members deeper than this are not looked at; in a broken file a type may be its own member.
const DEEPEST_MEMBER: usize = 64;

/// What a variable that receives the result of a call points to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Receiver {
    /// The type that it points to.
    pub pointee: NodeId,
    /// The function that declares it could allocate for its caller: it takes an integer and gives a pointer.
    pub may_be_wrapper: bool,
    /// It is `this` of a constructor that was inlined: its scope.
    pub constructor: Option<ScopeIndex>,
}

/// The variables of the functions that were asked for.
pub struct Receivers {
    functions: Vec<Code>,
    variables: BTreeMap<FunctionIndex, Variables>,
    constructors: BTreeMap<FunctionIndex, Vec<InlinedConstructor>>,
}

/// A constructor's code in that of another function.
struct InlinedConstructor {
    scope: ScopeIndex,
    class: NodeId,
    code: Vec<Range<u64>>,
    /// The constructor that it was inlined into, perhaps through other functions.
    outer: Option<ScopeIndex>,
}

/// A piece of a function's code.
struct Code {
    range: Range<u64>,
    function: FunctionIndex,
    may_be_wrapper: bool,
}

#[derive(Default)]
struct Variables {
    in_registers: Vec<Located<RegisterNumber>>,
    /// By distance from the CFA.
    in_frame: Vec<Located<i64>>,
}

/// A variable at a place over some code.
struct Located<P> {
    code: Range<u64>,
    place: P,
    ty: NodeId,
    may_be_wrapper: bool,
    constructor: Option<ScopeIndex>,
}

impl Receivers {
    /// Reads the variables of the functions that hold the `calls`, given by their return addresses in ascending order.
    #[must_use]
    pub fn read<'a>(
        units: &Units<'a>,
        scopes: &Scopes<'a>,
        merged: &MergedTypes,
        rules: &CfaRules,
        constructors: &Constructors,
        calls: &[Svma],
        warnings: &mut Vec<Error>,
    ) -> Receivers {
        let mut functions = Vec::new();
        for (index, function) in (0..).map(FunctionIndex).zip(&scopes.functions) {
            for range in &function.ranges {
                let first = calls.partition_point(|call| call.0 <= range.start);
                if calls.get(first).is_some_and(|call| call.0 <= range.end) {
                    let may_be_wrapper = may_be_wrapper(scopes, function.scope, merged);
                    functions.push(Code { range: range.clone(), function: index, may_be_wrapper });
                }
            }
        }
        functions.sort_by_key(|code| code.range.start);
        let mut receivers =
            Receivers { functions, variables: BTreeMap::new(), constructors: BTreeMap::new() };
        let wanted: Vec<FunctionIndex> = {
            let mut wanted: Vec<_> = receivers.functions.iter().map(|code| code.function).collect();
            wanted.sort_unstable();
            wanted.dedup();
            wanted
        };
        if !constructors.is_empty() {
            receivers.constructors = inlined_constructors(scopes, constructors, &wanted);
        }
        let mut locals = Locals::new(units, scopes, rules);
        for variable in &scopes.variables {
            let Some(scope) = variable.scope else { continue };
            let function = scopes.scope(scope).function;
            if wanted.binary_search(&function).is_err() {
                continue;
            }
            let Ok(Some(local)) = locals.of(variable, scope) else { continue };
            let known = receivers.variables.entry(function).or_default();
            if let Err(e) = known.add(&local, scopes, merged, constructors) {
                warnings.push(e);
            }
        }
        receivers
    }

    /// What receives the result that is `kept` at these places.
    #[must_use]
    pub fn of(
        &self,
        return_svma: Svma,
        kept: &[Kept],
        rules: &CfaRules,
        statics: &[Static],
        types: &Canonical,
    ) -> Vec<Receiver> {
        // The return address may belong to the next function.
        let call = return_svma.0 - 1;
        let nothing = Variables::default();
        let code = self.code_at(call);
        let variables = code.and_then(|code| self.variables.get(&code.function)).unwrap_or(&nothing);
        let may_be_wrapper = code.is_none_or(|code| code.may_be_wrapper);
        let mut found: Vec<Receiver> = Vec::new();
        for kept in kept {
            match kept.place {
                Place::Register(register) => found.extend(variables.in_register(register, kept, types)),
                Place::Memory { base, displacement, by } => match distance(rules, base, displacement, by) {
                    Some(distance) => found.extend(variables.in_frame(distance, kept, types)),
                    None => found.extend(variables.behind_pointer(base, displacement, by, types)),
                },
                Place::Static(svma) => {
                    let pointee = in_static(statics, svma, types);
                    found.extend(pointee.map(|pointee| Receiver {
                        pointee,
                        may_be_wrapper,
                        constructor: None,
                    }));
                }
            }
        }
        let mut seen = rustc_hash::FxHashSet::default();
        found.retain(|receiver| seen.insert(*receiver));
        found
    }

    /// The classes of the objects that constructors make of the result of a call: those that were inlined and get it as `this`, and
    /// the one that is called with it, if there is one: the return address of that call, and the class. What the constructor of a class does for its bases is no
    /// object of its own.
    #[must_use]
    pub fn constructed(
        &self,
        return_svma: Svma,
        receivers: &[Receiver],
        called: Option<(Svma, NodeId)>,
    ) -> Vec<NodeId> {
        let call = return_svma.0 - 1;
        let inlined = self.code_at(call).and_then(|code| self.constructors.get(&code.function));
        let inlined = inlined.map_or(&[][..], Vec::as_slice);
        let find = |scope: ScopeIndex| inlined.iter().find(|inlined| inlined.scope == scope);
        let contains =
            |inlined: &InlinedConstructor, svma: u64| inlined.code.iter().any(|range| range.contains(&svma));
        // From a constructor outwards, to the last one that begins behind the allocation.
        let whole = |innermost: &InlinedConstructor| {
            let outwards = std::iter::successors(Some(innermost), |inner| inner.outer.and_then(find));
            outwards.take_while(|outer| !contains(outer, call)).last().map(|outermost| outermost.class)
        };
        let mut classes: Vec<NodeId> =
            receivers.iter().filter_map(|receiver| find(receiver.constructor?).and_then(whole)).collect();
        if let Some((behind, class)) = called {
            let around = inlined.iter().filter(|inlined| contains(inlined, behind.0 - 1));
            classes.push(around.filter_map(whole).next().unwrap_or(class));
        }
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    fn code_at(&self, svma: u64) -> Option<&Code> {
        let after = self.functions.partition_point(|code| code.range.start <= svma);
        let code = after.checked_sub(1).map(|last| &self.functions[last]);
        code.filter(|code| code.range.contains(&svma))
    }
}

/// The constructors that were inlined into these functions, which are sorted.
fn inlined_constructors(
    scopes: &Scopes<'_>,
    constructors: &Constructors,
    wanted: &[FunctionIndex],
) -> BTreeMap<FunctionIndex, Vec<InlinedConstructor>> {
    let class_of = |scope: ScopeIndex| {
        let call = scopes.scope(scope).inlined.as_ref()?;
        constructors.class_of(call.die?)
    };
    let mut found: BTreeMap<FunctionIndex, Vec<InlinedConstructor>> = BTreeMap::new();
    for scope in (0..scopes.scopes.len() as u32).map(ScopeIndex) {
        let function = scopes.scope(scope).function;
        let Some(class) = class_of(scope).filter(|_| wanted.binary_search(&function).is_ok()) else {
            continue;
        };
        let mut outwards = std::iter::successors(scopes.scope(scope).parent, |&s| scopes.scope(s).parent);
        let outer = outwards.find(|&outer| class_of(outer).is_some());
        let code = scopes.ranges_of(scope).to_vec();
        found.entry(function).or_default().push(InlinedConstructor { scope, class, code, outer });
    }
    found
}

/// How far from the CFA a place in the frame is.
fn distance(rules: &CfaRules, base: RegisterNumber, displacement: i64, by: Svma) -> Option<i64> {
    let rule = rules.frame_at(by.0)?;
    let register = match rule.register {
        CfaRegister::Rsp => gimli::X86_64::RSP,
        CfaRegister::Rbp => gimli::X86_64::RBP,
    };
    (register.0 == base.0).then(|| displacement.checked_sub(rule.offset)).flatten()
}

impl Variables {
    fn add(
        &mut self,
        local: &Local<'_, '_>,
        scopes: &Scopes<'_>,
        merged: &MergedTypes,
        constructors: &Constructors,
    ) -> Result<()> {
        let Some(ty) = local.variable.ty.and_then(|die| merged.node(die)) else { return Ok(()) };
        let may_be_wrapper = may_be_wrapper(scopes, local.scope, merged);
        let inlined = scopes.scope(local.scope).inlined.as_ref().and_then(|call| call.die);
        let is_this = local.variable.name == "this";
        let constructor = inlined.filter(|&die| is_this && constructors.class_of(die).is_some());
        let constructor = constructor.map(|_| local.scope);
        if matches!(merged.types.get(ty), Type::Pointer(_)) {
            for (code, register) in local.registers()? {
                let place = RegisterNumber(register.0);
                self.in_registers.push(Located { code, place, ty, may_be_wrapper, constructor });
            }
        }
        for (code, place) in local.distances(local.location)? {
            self.in_frame.push(Located { code, place, ty, may_be_wrapper, constructor });
        }
        Ok(())
    }

    /// The variables whose time in a register begins while the result is there.
    fn in_register(&self, register: RegisterNumber, kept: &Kept, types: &Canonical) -> Vec<Receiver> {
        let begins =
            move |v: &&Located<RegisterNumber>| v.place == register && kept.code.contains(&v.code.start);
        self.in_registers.iter().filter(begins).filter_map(move |v| v.receiver(0, types)).collect()
    }

    /// The variables, or parts of them, in the frame that the result is stored to.
    fn in_frame(&self, distance: i64, kept: &Kept, types: &Canonical) -> Vec<Receiver> {
        let is_there =
            move |v: &&Located<i64>| v.code.contains(&kept.code.start) || kept.code.contains(&v.code.start);
        let part =
            move |v: &Located<i64>| v.receiver(u64::try_from(distance.checked_sub(v.place)?).ok()?, types);
        self.in_frame.iter().filter(is_there).filter_map(part).collect()
    }

    /// The member that the result is stored to through a pointer in a register.
    fn behind_pointer(
        &self,
        base: RegisterNumber,
        displacement: i64,
        by: Svma,
        types: &Canonical,
    ) -> Vec<Receiver> {
        let is_base = move |v: &&Located<RegisterNumber>| v.place == base && v.code.contains(&by.0);
        let member = |v: &Located<RegisterNumber>| {
            let Type::Pointer(object) = *types.get(v.ty) else { return None };
            let pointee = pointee_at(types, object, u64::try_from(displacement).ok()?)?;
            Some(Receiver { pointee, may_be_wrapper: v.may_be_wrapper, constructor: None })
        };
        self.in_registers.iter().filter(is_base).filter_map(member).collect()
    }
}

impl<P> Located<P> {
    /// The pointer that the variable has at an offset.
    fn receiver(&self, offset: u64, types: &Canonical) -> Option<Receiver> {
        let pointee = pointee_at(types, self.ty, offset)?;
        Some(Receiver { pointee, may_be_wrapper: self.may_be_wrapper, constructor: self.constructor })
    }
}

/// What the pointer in static storage at an address points to.
fn in_static(statics: &[Static], svma: Svma, types: &Canonical) -> Option<NodeId> {
    let after = statics.partition_point(|s| s.svma <= svma.0);
    let variable = &statics[after.checked_sub(1)?];
    pointee_at(types, variable.ty?, svma.0 - variable.svma)
}

/// What the pointer at an offset in an object points to.
fn pointee_at(types: &Canonical, object: NodeId, offset: u64) -> Option<NodeId> {
    let (mut node, mut offset) = (object, offset);
    for _ in 0..DEEPEST_MEMBER {
        match types.get(node) {
            Type::Pointer(pointee) => return (offset == 0).then_some(*pointee),
            Type::Array { element, length, .. } => {
                let size = types.size_of(*element).filter(|&n| n != 0)?;
                if length.is_some_and(|n| offset / size >= n) {
                    return None;
                }
                (node, offset) = (*element, offset % size);
            }
            Type::Composite { kind: CompositeKind::Struct | CompositeKind::Class, members, .. } => {
                let member = members.iter().rev().find(|m| m.offset <= offset)?;
                (node, offset) = (member.ty, offset - member.offset);
            }
            _ => return None,
        }
    }
    None
}

/// Whether the function, perhaps inlined, that a scope is in could allocate for its caller: the caller says how much, and gets a pointer.
fn may_be_wrapper(scopes: &Scopes<'_>, scope: ScopeIndex, merged: &MergedTypes) -> bool {
    let mut scope = scopes.scope(scope);
    let die: Option<DieRef> = loop {
        match (&scope.inlined, scope.parent) {
            (Some(call), _) => break call.die,
            (None, Some(parent)) => scope = scopes.scope(parent),
            (None, None) => break Some(scopes.function(scope.function).die),
        }
    };
    let types = &merged.types;
    let Some(Type::Function { result, parameters, .. }) =
        die.and_then(|die| merged.node(die)).map(|node| types.get(node))
    else {
        return true;
    };
    let points_to = |node: NodeId| match *types.get(node) {
        Type::Pointer(to) => Some(to),
        _ => None,
    };
    // Through a `void **`; who asks for a `char *` through a `char **` wants characters.
    let is_out = |node: &NodeId| {
        let out = points_to(*node).and_then(points_to);
        out.is_some_and(|to| *types.get(to) == Type::Void)
    };
    let is_integer = |node: &NodeId| {
        matches!(types.get(*node), Type::Base { encoding, size: 2.., .. }
            if [dw::DW_ATE_signed, dw::DW_ATE_unsigned].contains(&gimli::DwAte(*encoding)))
    };
    parameters.iter().any(is_integer) && (points_to(*result).is_some() || parameters.iter().any(is_out))
}
