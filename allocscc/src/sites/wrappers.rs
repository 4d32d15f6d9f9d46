//! Which functions allocate for their callers: the fixpoint over all files of a link.
//!
//! A function is a *wrapper* when it passes on a block that a call in it allocates, and what that holds is for its callers to say: the
//! size depends on the function's parameters, or on nothing that is known. A type that the size adds to a parameter is that of
//! a header if the caller gets what is behind it; else, if no pointer to it is there either, it is a minimum or a unit of rounding. The
//! callers of a wrapper are then asked in its place, and may be wrappers in their turn.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::effect::Effect;
use super::facts::{Behind, Callee, FileFacts, Function, Sink, TypeRef};
use super::functions::{DeclaredFunctions, Gives, Kind};
use super::heap_type::{is_character, is_complete, is_record};
use super::imports::{self, Expected, Imports, Requirement};
use super::signature::Signature;
use super::sums::{self, Helpers, Unit};
use super::targets::{FunctionId, Target, Targets};

/// Rounds of the fixpoint, so the deepest nesting of wrappers that is seen.
const MOST_ROUNDS: u32 = 24;

/// A call that allocates.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// What it allocates: one of these, and at least one.
    pub(super) effects: Vec<Effect>,
    /// What receives the block, through functions that only pass it on too.
    pub(super) sinks: Rc<Vec<Sink>>,
    /// The enclosing function allocates it for its caller.
    pub(super) is_in_wrapper: bool,
    /// The functions that it may reach.
    pub(super) targets: Rc<[Target]>,
    /// What the functions of other files that are called must be.
    pub(super) requirements: Vec<Requirement>,
}

impl Site {
    /// Whether it may reach functions that are not known, whose arguments may mean anything.
    pub(super) fn is_open(&self) -> bool {
        self.targets.contains(&Target::Any)
    }
}

/// What is found in the files of a link.
pub(super) struct Findings {
    /// The calls that allocate, by file and index of the call.
    pub(super) sites: FxHashMap<(usize, usize), Site>,
    /// The functions that other files may call and that allocate for their callers, by name.
    pub(super) signatures: Vec<(String, Signature)>,
}

/// The fixpoint.
struct Wrappers<'f> {
    files: &'f [FileFacts],
    declared: &'f DeclaredFunctions,
    imports: &'f Imports,
    helpers: &'f Helpers<'f>,
    targets: &'f Targets<'f>,
    /// File, call and argument that get what another call gave, by file and index of that.
    passed: FxHashMap<(usize, usize), Vec<(usize, u32)>>,
    /// What receives the block of a call, by file, index of the call, and where the block is found.
    sinks: FxHashMap<(usize, usize, Gives), Rc<Vec<Sink>>>,
    /// What the functions found so far allocate for their callers.
    effects: FxHashMap<FunctionId, Vec<Effect>>,
}

/// The calls that allocate, and the functions that do for callers in other files.
pub(super) fn find<'f>(
    files: &'f [FileFacts],
    declared: &'f DeclaredFunctions,
    imports: &'f Imports,
    targets: &'f Targets<'f>,
    helpers: &'f Helpers<'f>,
) -> Findings {
    let mut wrappers = Wrappers {
        files,
        declared,
        imports,
        helpers,
        targets,
        passed: passed(files),
        sinks: FxHashMap::default(),
        effects: FxHashMap::default(),
    };
    let mut calls = Vec::new();
    for (file, facts) in files.iter().enumerate() {
        let reached = |call| wrappers.targets.of_call(file, call);
        let of_file = facts.calls.iter().enumerate().map(|(index, call)| (file, index, reached(call).into()));
        calls.extend(of_file.filter(|(_, _, targets): &(_, _, Rc<[Target]>)| !targets.is_empty()));
    }
    let mut found = FxHashMap::default();
    for _ in 0..MOST_ROUNDS {
        let before = wrappers.effects.clone();
        for (file, index, targets) in &calls {
            if let Some(site) = wrappers.site(*file, *index, targets) {
                found.insert((*file, *index), site);
            }
        }
        if wrappers.effects == before {
            break;
        }
    }
    Findings { sites: found, signatures: wrappers.signatures() }
}

/// Which calls get what other calls of their file gave.
fn passed(files: &[FileFacts]) -> FxHashMap<(usize, usize), Vec<(usize, u32)>> {
    let mut passed: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for (file, facts) in files.iter().enumerate() {
        for (index, call) in facts.calls.iter().enumerate() {
            for &(argument, from) in &call.passes {
                passed.entry((file, from as usize)).or_default().push((index, argument));
            }
        }
    }
    passed
}

impl Wrappers<'_> {
    /// What a call allocates, as far as is known; its function is noted as a wrapper if it is one.
    fn site(&mut self, file: usize, index: usize, targets: &Rc<[Target]>) -> Option<Site> {
        let call = &self.files[file].calls[index];
        let function = self.files[file].functions.get(call.function as usize)?;
        let (mut effects, requirements) = self.effects(file, index, function, targets);
        let gives = effects.first()?.gives;
        effects.retain(|effect| effect.gives == gives);
        let sinks = self.sinks(file, index, gives);
        if sinks.contains(&Sink::Ended) {
            effects.iter_mut().for_each(|effect| effect.is_ended |= effect.size.is_one_more());
        }
        let mut is_in_wrapper = self.declared.is_wrapper(&function.name);
        let is_open = targets.contains(&Target::Any);
        for effect in effects.iter().filter(|_| !is_open) {
            for passed_on in self.passed_on(file, function, effect, &sinks) {
                let known = self.effects.entry((file, call.function)).or_default();
                // A call of the function is one site: that of the block that it gives, if it gives one.
                if passed_on.gives == Gives::Within {
                    if known.iter().any(|effect| effect.gives != Gives::Within) {
                        continue;
                    }
                } else {
                    known.retain(|effect| effect.gives != Gives::Within);
                }
                is_in_wrapper = true;
                passed_on.add_to(known);
            }
        }
        Some(Site { effects, sinks, is_in_wrapper, targets: Rc::clone(targets), requirements })
    }

    /// What a call of any of these allocates, in the caller's terms, and what that takes for granted.
    fn effects(
        &mut self,
        file: usize,
        index: usize,
        function: &Function,
        targets: &[Target],
    ) -> (Vec<Effect>, Vec<Requirement>) {
        let call = &self.files[file].calls[index];
        let (mut all, mut requirements) = (Vec::new(), Vec::new());
        for target in targets {
            let effects = match target {
                Target::Own(function) => self.effects.get(function).cloned().unwrap_or_default(),
                Target::Known(name) => self.declared.find(name).iter().map(Effect::of_known).collect(),
                Target::Imported(name) => match self.imports.wrappers.get(name) {
                    Some(signature) => {
                        let expected = Expected::Signature(signature.digest());
                        requirements.push(Requirement { function: name.clone(), expected });
                        signature.effects().to_vec()
                    }
                    None => {
                        let has_receiver = imports::says_type(&self.sinks(file, index, Gives::Result));
                        if let Some((effect, expected)) = imports::assumed(function, call, has_receiver) {
                            requirements.push(Requirement { function: name.clone(), expected });
                            effect.add_to(&mut all);
                        }
                        Vec::new()
                    }
                },
                Target::Any => Vec::new(),
            };
            for effect in effects {
                effect.of_call(&call.arguments).add_to(&mut all);
            }
        }
        (all, requirements)
    }

    /// What the functions that other files may call allocate for their callers, by name.
    fn signatures(&self) -> Vec<(String, Signature)> {
        let signature = |(name, function): (&str, FunctionId)| {
            let effects = match self.declared.find(name) {
                Some(known) if self.declared.declares(name) => vec![Effect::of_known(&known)],
                // A program's own `malloc` is everybody's.
                Some(_) => return None,
                None => {
                    let own = self.effects.get(&function)?;
                    let given: Vec<Effect> = own
                        .iter()
                        .filter(|effect| effect.gives != Gives::Within)
                        .map(|effect| effect.for_other_files(function.0, self.helpers))
                        .collect();
                    (!given.is_empty()).then_some(given)?
                }
            };
            Some((name.to_owned(), Signature::of(effects)))
        };
        let mut signatures: Vec<_> = self.targets.shared().filter_map(signature).collect();
        signatures.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        signatures
    }

    /// What receives the block of a call, the calls that only pass it on included.
    fn sinks(&mut self, file: usize, index: usize, gives: Gives) -> Rc<Vec<Sink>> {
        if let Some(known) = self.sinks.get(&(file, index, gives)) {
            return Rc::clone(known);
        }
        let call = &self.files[file].calls[index];
        let sinks = Rc::new(match gives {
            Gives::Result => self.result_sinks(file, index),
            Gives::Output(argument) => {
                let output = call.outputs.iter().find(|output| output.0 == argument);
                output.map_or_else(Vec::new, |output| output.1.clone())
            }
            // What the call gives is another block.
            Gives::Within => Vec::new(),
        });
        self.sinks.insert((file, index, gives), Rc::clone(&sinks));
        sinks
    }

    fn result_sinks(&self, file: usize, index: usize) -> Vec<Sink> {
        let calls = &self.files[file].calls;
        let mut sinks = Vec::new();
        let mut same = vec![index];
        let mut at = 0;
        while let Some(&from) = same.get(at) {
            at += 1;
            sinks.extend(calls[from].sinks.iter().cloned());
            for &(next, argument) in self.passed.get(&(file, from)).into_iter().flatten() {
                if !same.contains(&next) && self.returns(file, &calls[next].callee, argument) {
                    same.push(next);
                }
            }
        }
        sinks
    }

    /// Whether a function may return this parameter.
    fn returns(&self, file: usize, callee: &Callee, parameter: u32) -> bool {
        let Callee::Direct(name) = callee else { return false };
        let Some(Target::Own((file, index))) = self.targets.named(file, name) else { return false };
        self.files[file].functions[index as usize].returned.contains(&parameter)
    }

    /// What the enclosing function allocates for its callers by a call, if what that holds is for them to say.
    fn passed_on(&self, file: usize, function: &Function, effect: &Effect, sinks: &[Sink]) -> Vec<Effect> {
        let branches = self.helpers.sums(file, &effect.size);
        if effect.kind == Kind::Text || branches.iter().any(sums::has_text) {
            return Vec::new();
        }
        if !effect.depends_on_parameters() && has_receiver(sinks) {
            return Vec::new();
        }
        let names_type = branches.iter().any(sums::names_type);
        let is_own = names_type && is_own(&branches, function, sinks);
        let mut all = Vec::new();
        for (gives, behind) in given(function, sinks) {
            if is_own && behind == Behind::Nothing {
                continue;
            }
            // A pointer to some place inside says nothing of the block, unless it is for the caller to say how large that is.
            if behind == Behind::Something && !effect.depends_on_parameters() {
                continue;
            }
            let behind = effect.behind.then(&behind);
            let size = match behind {
                Behind::Parts(_) => effect.size_for_callers(),
                Behind::Nothing if names_type || effect.mentions_type() => effect.size_for_callers(),
                Behind::Nothing | Behind::Something => effect.size.clone(),
            };
            let is_ended = effect.is_ended && behind == Behind::Nothing;
            all.push(Effect { size, kind: effect.kind, gives, behind, is_ended });
        }
        if all.is_empty() && is_for_elements(function, effect, sinks) {
            all.push(Effect { gives: Gives::Within, ..effect.clone() });
        }
        all
    }
}

/// Whether a block that a function keeps in what it makes is for so many elements of such a size as its callers say: the rows of a table
/// of `void *calloc_2d (size_t rows, size_t columns, size_t element)`.
fn is_for_elements(function: &Function, effect: &Effect, sinks: &[Sink]) -> bool {
    let is_given = sinks.iter().any(|sink| matches!(sink, Sink::Return(_) | Sink::Out(..)));
    pointee(&function.result) == Some(&TypeRef::Void)
        && !is_given
        && !has_receiver(sinks)
        && effect.kind == Kind::Fresh
        && effect.behind == Behind::Nothing
        && effect.is_product_of_parameters()
}

/// Whether the type that a size names is that of the block: it is if parameters only multiply it, and if they are added to it, when a
/// pointer says the same. In a branch beside one that has parameters alone, only what the function returns can say so.
fn is_own(branches: &[sums::Sum], function: &Function, sinks: &[Sink]) -> bool {
    let is_named = |to: &TypeRef| {
        branches.iter().flatten().any(|term| match &term.unit {
            Unit::Sizeof(ty) | Unit::OffsetOf(ty, _) => ty == to,
            _ => false,
        })
    };
    let is_received = sinks.iter().any(|sink| match sink {
        Sink::Pointer(TypeRef::Pointer(to)) => is_named(to),
        _ => false,
    });
    let has_parameters = |sum: &&sums::Sum| sums::adds_parameter(sum);
    let is_minimum = branches.iter().filter(has_parameters).any(sums::is_untyped);
    !branches.iter().any(sums::adds_parameter)
        || pointee(&function.result).is_some_and(is_named)
        || (is_received && !is_minimum)
}

/// Where a function passes a block on to its callers, and what is in front of what they get.
fn given(function: &Function, sinks: &[Sink]) -> Vec<(Gives, Behind)> {
    let gives = |sink: &Sink| match sink {
        Sink::Return(behind) => {
            is_for_any(pointee(&function.result)?).then_some((Gives::Result, behind.clone()))
        }
        Sink::Out(index, behind) => {
            let to = pointee(function.parameters.get(*index as usize)?)?;
            is_for_any(pointee(to)?).then_some((Gives::Output(*index), behind.clone()))
        }
        Sink::Pointer(_)
        | Sink::Argument(..)
        | Sink::Kept(_)
        | Sink::Lost
        | Sink::Carved
        | Sink::Part(_)
        | Sink::Ended => None,
    };
    let mut all: Vec<(Gives, Behind)> = Vec::new();
    for (gives, behind) in sinks.iter().filter_map(gives) {
        match all.iter_mut().find(|known| known.0 == gives) {
            // `if (p) p++; return p;`: what is not moved is NULL.
            Some(known) if known.1 == Behind::Nothing => known.1 = behind,
            Some(known) if behind != Behind::Nothing && known.1 != behind => known.1 = Behind::Something,
            Some(_) => {}
            None => all.push((gives, behind)),
        }
    }
    all
}

/// A wrapper gives `void *`, or a struct that its callers may know better. One that gives `char *` makes strings.
fn is_for_any(to: &TypeRef) -> bool {
    *to == TypeRef::Void || is_record(to)
}

fn pointee(ty: &TypeRef) -> Option<&TypeRef> {
    match ty {
        TypeRef::Pointer(to) => Some(to),
        _ => None,
    }
}

/// Whether some pointer in the function itself says what a block holds. A byte pointer does not: with one any block is cleared.
fn has_receiver(sinks: &[Sink]) -> bool {
    sinks.iter().any(|sink| match sink {
        Sink::Pointer(TypeRef::Pointer(to)) => is_complete(to) && !is_character(to),
        _ => false,
    })
}
