//! Which functions allocate for their callers: the fixpoint over all files of a link.
//!
//! A function is a *wrapper* when it passes on a block that a call in it allocates, and that call's size says nothing of a type:
//! it depends on the function's parameters, or on nothing that is known. Its own callers are then asked in its place, and may be
//! wrappers in their turn. Function pointers are followed by the names of fields, globals and parameters, whatever object they are in.

use rustc_hash::{FxHashMap, FxHashSet};

use super::effect::Effect;
use super::facts::{Behind, Call, Callee, FileFacts, Function, Holder, Sink, TypeRef};
use super::functions::{DeclaredFunctions, Gives, Kind};
use super::heap_type::{is_character, is_complete, is_record};
use super::sums::{self, Helpers};

/// Rounds of the fixpoint, so the deepest nesting of wrappers that is seen.
const MOST_ROUNDS: u32 = 24;
/// The most functions that a pointer is followed to.
const MOST_TARGETS: usize = 64;

/// A call that allocates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Site {
    /// What it allocates.
    pub(super) effect: Effect,
    /// What receives the block, through functions that only pass it on too.
    pub(super) sinks: Vec<Sink>,
    /// The enclosing function allocates it for its caller.
    pub(super) is_in_wrapper: bool,
}

/// A function of a file, or of the library.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Target {
    /// File and index of the function.
    Own(usize, u32),
    /// By name, one that [`DeclaredFunctions`] knows.
    Known(String),
}

/// What a function pointer gets: in which file and, if in one, in which function.
type Source<'f> = (usize, Option<u32>, &'f Callee);

/// The fixpoint.
struct Wrappers<'f> {
    files: &'f [FileFacts],
    declared: &'f DeclaredFunctions,
    helpers: &'f Helpers<'f>,
    /// Static functions by file and name.
    own: FxHashMap<(usize, &'f str), u32>,
    shared: FxHashMap<&'f str, (usize, u32)>,
    sources: FxHashMap<&'f Holder, Vec<Source<'f>>>,
    /// What the functions found so far allocate for their callers.
    effects: FxHashMap<(usize, u32), Vec<Effect>>,
}

/// The calls that allocate, by file and index of the call.
pub(super) fn sites<'f>(
    files: &'f [FileFacts],
    declared: &'f DeclaredFunctions,
    helpers: &'f Helpers<'f>,
) -> FxHashMap<(usize, usize), Site> {
    let mut wrappers = Wrappers::new(files, declared, helpers);
    let calls: Vec<(usize, usize, Vec<Target>)> = wrappers.calls();
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
    found
}

impl<'f> Wrappers<'f> {
    fn new(files: &'f [FileFacts], declared: &'f DeclaredFunctions, helpers: &'f Helpers<'f>) -> Self {
        let mut wrappers = Wrappers {
            files,
            declared,
            helpers,
            own: FxHashMap::default(),
            shared: FxHashMap::default(),
            sources: FxHashMap::default(),
            effects: FxHashMap::default(),
        };
        for (file, facts) in files.iter().enumerate() {
            for (index, function) in (0..).zip(&facts.functions) {
                wrappers.own.insert((file, &function.name), index);
                if !function.is_static {
                    wrappers.shared.entry(&function.name).or_insert((file, index));
                }
            }
            for binding in &facts.bindings {
                let source = (file, binding.function, &binding.source);
                wrappers.sources.entry(&binding.holder).or_default().push(source);
            }
        }
        wrappers
    }

    /// The calls whose callee is known.
    fn calls(&self) -> Vec<(usize, usize, Vec<Target>)> {
        let mut known = FxHashMap::default();
        let mut calls = Vec::new();
        for (file, facts) in self.files.iter().enumerate() {
            for (index, call) in facts.calls.iter().enumerate() {
                let targets = match &call.callee {
                    Callee::Direct(name) => self.named(file, name).into_iter().collect(),
                    callee => known
                        .entry((file, matches!(callee, Callee::Param(_)).then_some(call.function), callee))
                        .or_insert_with(|| self.behind(file, Some(call.function), callee))
                        .clone(),
                };
                if !targets.is_empty() {
                    calls.push((file, index, targets));
                }
            }
        }
        calls
    }

    fn named(&self, file: usize, name: &str) -> Option<Target> {
        if self.declared.find(name).is_some() {
            return Some(Target::Known(name.to_owned()));
        }
        let own = self.own.get(&(file, name)).map(|&index| Target::Own(file, index));
        own.or_else(|| self.shared.get(name).map(|&(file, index)| Target::Own(file, index)))
    }

    /// The functions that a function pointer may point to.
    fn behind(&self, file: usize, function: Option<u32>, callee: &Callee) -> Vec<Target> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let mut next = vec![(file, function, callee.clone())];
        while let Some((file, function, callee)) = next.pop() {
            if found.len() >= MOST_TARGETS || !seen.insert((file, function, callee.clone())) {
                continue;
            }
            let holder = match callee {
                Callee::Direct(name) => {
                    found.extend(self.named(file, &name));
                    continue;
                }
                Callee::Field(ty, field) => Holder::Field(ty, field),
                Callee::Global(name) => Holder::Global(name),
                Callee::Param(index) => {
                    let Some(function) = function.and_then(|f| self.files[file].functions.get(f as usize))
                    else {
                        continue;
                    };
                    Holder::Argument(function.name.clone(), index)
                }
            };
            let sources = self.sources.get(&holder).into_iter().flatten();
            next.extend(sources.map(|&(file, function, source)| (file, function, source.clone())));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What a call allocates, as far as is known; its function is noted as a wrapper if it is one.
    fn site(&mut self, file: usize, index: usize, targets: &[Target]) -> Option<Site> {
        let call = &self.files[file].calls[index];
        let effect = self.effect(call, targets)?;
        let sinks = self.sinks(file, index, effect.gives);
        let function = self.files[file].functions.get(call.function as usize)?;
        let passed_on = self.passed_on(file, function, &effect, &sinks);
        for (gives, behind) in &passed_on {
            let behind = if *behind == Behind::Nothing { &effect.behind } else { behind };
            let effect = Effect { gives: *gives, behind: behind.clone(), ..effect.clone() };
            self.note((file, call.function), effect);
        }
        let is_in_wrapper = !passed_on.is_empty() || self.declared.declares(&function.name);
        Some(Site { effect, sinks, is_in_wrapper })
    }

    /// What a call of any of these allocates, in the caller's terms.
    fn effect(&self, call: &Call, targets: &[Target]) -> Option<Effect> {
        let mut all: Option<Effect> = None;
        for target in targets {
            let effects = match target {
                Target::Own(file, function) => {
                    self.effects.get(&(*file, *function)).cloned().unwrap_or_default()
                }
                Target::Known(name) => {
                    self.declared.find(name).map(|known| Effect::of_known(&known)).into_iter().collect()
                }
            };
            for effect in effects {
                let effect = effect.of_call(&call.arguments);
                match &mut all {
                    None => all = Some(effect),
                    Some(known) if known.gives == effect.gives => known.join(&effect),
                    Some(_) => {}
                }
            }
        }
        all
    }

    /// What receives the block of a call, the calls that only pass it on included.
    fn sinks(&self, file: usize, index: usize, gives: Gives) -> Vec<Sink> {
        let calls = &self.files[file].calls;
        let call = &calls[index];
        if let Gives::Output(argument) = gives {
            let output = call.outputs.iter().find(|output| output.0 == argument);
            return output.map_or_else(Vec::new, |output| output.1.clone());
        }
        let mut sinks = call.sinks.clone();
        let mut passed = vec![index];
        let mut at = 0;
        while let Some(&from) = passed.get(at) {
            at += 1;
            for sink in &calls[from].sinks {
                let Sink::Argument(name, argument) = sink else { continue };
                let passes_on = |call: &Call| {
                    call.callee == Callee::Direct(name.clone())
                        && call.passes.contains(&(*argument, from as u32))
                };
                if !self.returns(file, name, *argument) {
                    continue;
                }
                for (next, call) in calls.iter().enumerate().filter(|(_, call)| passes_on(call)) {
                    if !passed.contains(&next) {
                        passed.push(next);
                        sinks.extend(call.sinks.iter().cloned());
                    }
                }
            }
        }
        sinks
    }

    /// Whether a function may return this parameter.
    fn returns(&self, file: usize, name: &str, parameter: u32) -> bool {
        let Some(Target::Own(file, index)) = self.named(file, name) else { return false };
        self.files[file].functions[index as usize].returned.contains(&parameter)
    }

    /// How the enclosing function passes a block on to its callers, if what it holds is for them to say.
    fn passed_on(
        &self,
        file: usize,
        function: &Function,
        effect: &Effect,
        sinks: &[Sink],
    ) -> Vec<(Gives, Behind)> {
        if effect.kind == Kind::Text {
            return Vec::new();
        }
        let sums = self.helpers.sums(file, &effect.size);
        let says_type = sums.iter().any(|sum| sums::has_text(sum) || sums::names_type(sum));
        let is_for_callers = effect.depends_on_parameters() || !has_receiver(sinks);
        let gives = |sink: &Sink| match sink {
            Sink::Return(behind) => {
                is_for_any(pointee(&function.result)?).then_some((Gives::Result, behind.clone()))
            }
            Sink::Out(index, behind) => {
                let to = pointee(function.parameters.get(*index as usize)?)?;
                is_for_any(pointee(to)?).then_some((Gives::Output(*index), behind.clone()))
            }
            Sink::Pointer(_) | Sink::Argument(..) => None,
        };
        let mut all: Vec<(Gives, Behind)> = Vec::new();
        // A header of known type is in front of what the callers say.
        let is_passed = |behind: &Behind| is_for_callers && (!says_type || *behind != Behind::Nothing);
        for (gives, behind) in sinks.iter().filter_map(gives).filter(|(_, behind)| is_passed(behind)) {
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

    fn note(&mut self, function: (usize, u32), effect: Effect) {
        let known = self.effects.entry(function).or_default();
        match known.iter_mut().find(|known| known.gives == effect.gives) {
            Some(known) => known.join(&effect),
            None => known.push(effect),
        }
    }
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
