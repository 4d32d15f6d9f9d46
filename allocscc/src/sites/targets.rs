//! Which functions a call may reach: by name, and through function pointers.
//!
//! Function pointers are followed by where they are kept, whatever object that is in: a field of a struct, a variable outside functions,
//! a parameter, what a function returns. What is kept there anywhere in the link may be called through it, and any function if somebody
//! has the address of such a place: `*(void **)&hook = dlsym(lib, "hook");`.

use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::{Call, Callee, FileFacts, Holder};
use super::functions::DeclaredFunctions;
use super::imports::Imports;

/// The most functions that a pointer is followed to.
const MOST_TARGETS: usize = 64;

/// File, and index of the function in it.
pub(super) type FunctionId = (usize, u32);

/// A function of a file, of the library, or of another file that is or will be loaded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Target {
    /// One that a file defines.
    Own(FunctionId),
    /// By name, one that [`DeclaredFunctions`] knows.
    Known(String),
    /// By name, one that [`Imports`] has.
    Imported(String),
    /// Any function beside these: the address of a function pointer gets out of sight.
    Any,
}

/// Where function pointers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place<'f> {
    Field(&'f str, &'f str),
    Global(&'f str),
    Static(usize, &'f str),
    Parameter(FunctionId, u32),
    Result(FunctionId),
}

/// A function, or a function pointer that is copied: in which file and, if in one, in which function.
type Source<'f> = (usize, Option<u32>, &'f Callee);

/// Where a function pointer leads to.
enum End<'f> {
    /// To the function of this name that a file sees.
    Named(usize, &'f str),
    /// To any function.
    Any,
    /// To what is not known.
    Nowhere,
}

/// The functions of all files, and what function pointers point to.
pub(super) struct Targets<'f> {
    declared: &'f DeclaredFunctions,
    imports: &'f Imports,
    /// By file and name, static ones too.
    own: FxHashMap<(usize, &'f str), u32>,
    shared: FxHashMap<&'f str, FunctionId>,
    sources: FxHashMap<Place<'f>, Vec<Source<'f>>>,
}

impl<'f> Targets<'f> {
    pub(super) fn new(files: &'f [FileFacts], declared: &'f DeclaredFunctions, imports: &'f Imports) -> Self {
        let (own, shared, sources) = (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
        let mut targets = Targets { declared, imports, own, shared, sources };
        for (file, facts) in files.iter().enumerate() {
            for (index, function) in (0..).zip(&facts.functions) {
                targets.own.insert((file, &function.name), index);
                if !function.is_static {
                    targets.shared.entry(&function.name).or_insert((file, index));
                }
            }
        }
        for (file, facts) in files.iter().enumerate() {
            for binding in &facts.bindings {
                if let Some(place) = targets.place(file, &binding.holder) {
                    let source = (file, binding.function, &binding.source);
                    targets.sources.entry(place).or_default().push(source);
                }
            }
        }
        targets
    }

    /// The functions that a call may reach, as far as they are known.
    pub(super) fn of_call(&self, file: usize, call: &'f Call) -> Vec<Target> {
        let ends = self.ends((file, Some(call.function), &call.callee));
        let target = |end| match end {
            End::Named(file, name) => self.named(file, name),
            End::Any => Some(Target::Any),
            End::Nowhere => None,
        };
        let mut found: Vec<Target> = ends.into_iter().filter_map(target).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The functions that a function pointer of a file points to, by name and the file that sees them; `None` if there may be more.
    pub(super) fn of_pointer(&self, file: usize, pointer: &'f Callee) -> Option<Vec<(usize, &'f str)>> {
        let ends = self.ends((file, None, pointer));
        let named = |end| match end {
            End::Named(file, name) => Some((file, name)),
            End::Any | End::Nowhere => None,
        };
        ends.into_iter().map(named).collect()
    }

    /// Where a function or function pointer leads to, through all places that it is copied from.
    fn ends(&self, source: Source<'f>) -> Vec<End<'f>> {
        let mut ends = Vec::new();
        let mut seen = FxHashSet::default();
        let mut next = vec![source];
        while let Some((file, function, callee)) = next.pop() {
            let place = match callee {
                Callee::Direct(name) => {
                    ends.push(End::Named(file, name));
                    continue;
                }
                Callee::Any => {
                    ends.push(End::Any);
                    continue;
                }
                Callee::Field(ty, field) => Some(Place::Field(ty, field)),
                Callee::Global(name) => Some(Place::Global(name)),
                Callee::Static(name) => Some(Place::Static(file, name)),
                Callee::Result(name) => self.own_named(file, name).map(Place::Result),
                Callee::Param(index) => function.map(|function| Place::Parameter((file, function), *index)),
            };
            if place.is_some_and(|place| seen.contains(&place)) {
                continue;
            }
            let sources = place.and_then(|place| self.sources.get(&place));
            match sources.filter(|_| ends.len() < MOST_TARGETS) {
                Some(sources) => next.extend(sources),
                None => ends.push(End::Nowhere),
            }
            seen.extend(place);
        }
        ends
    }

    /// The function of this name that a file sees.
    pub(super) fn named(&self, file: usize, name: &str) -> Option<Target> {
        if self.declared.find(name).is_some() {
            return Some(Target::Known(name.to_owned()));
        }
        let own = self.own_named(file, name).map(Target::Own);
        let is_imported =
            || self.imports.wrappers.contains_key(name) || self.imports.undefined.contains(name);
        own.or_else(|| is_imported().then(|| Target::Imported(name.to_owned())))
    }

    /// The functions that other files may call.
    pub(super) fn shared(&self) -> impl Iterator<Item = (&'f str, FunctionId)> + '_ {
        self.shared.iter().map(|(&name, &function)| (name, function))
    }

    fn own_named(&self, file: usize, name: &str) -> Option<FunctionId> {
        let own = self.own.get(&(file, name)).map(|&index| (file, index));
        own.or_else(|| self.shared.get(name).copied())
    }

    fn place(&self, file: usize, holder: &'f Holder) -> Option<Place<'f>> {
        Some(match holder {
            Holder::Field(ty, field) => Place::Field(ty, field),
            Holder::Global(name) => Place::Global(name),
            Holder::Static(name) => Place::Static(file, name),
            Holder::Result(function) => Place::Result(self.own_named(file, function)?),
            Holder::Argument(function, index) => Place::Parameter(self.own_named(file, function)?, *index),
        })
    }
}
