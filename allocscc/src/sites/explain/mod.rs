//! Why a site has its type, or none. Nothing is decided here: what [`super::solve`] found is told in words.

mod reason;
mod steps;

pub use allocs_metadata::{Reason, StepKind};
use rustc_hash::FxHashMap;

use super::facts::{FileFacts, Function, Place};
use super::shape::Aggregates;
use super::sums::Helpers;
use super::targets::FunctionId;
use super::wrappers::Site;

/// Why a site has its type, or none.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Explanation {
    /// Why the type is not known, and what more there is to say of that; `None` if it is known.
    pub reason: Option<(Reason, String)>,
    /// What led to the type, in the order of a proof.
    pub steps: Vec<Step>,
    /// The functions that allocate for the call, from it to the one that makes the block.
    pub hops: Vec<Step>,
}

/// A step of an explanation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// The number of an argument, for the kinds that have one.
    pub number: u8,
    /// Where it is in the source; line 0 if it has no place.
    pub place: Place,
    /// A type, a variable, a function.
    pub text: String,
}

impl Explanation {
    /// That of a site which is any of several.
    #[must_use]
    pub fn of_any<'e>(all: impl IntoIterator<Item = &'e Explanation>) -> Explanation {
        let mut any = Explanation::default();
        for one in all {
            any.reason = any.reason.or_else(|| one.reason.clone());
            add_new(&mut any.steps, &one.steps);
            add_new(&mut any.hops, &one.hops);
        }
        any
    }
}

fn add_new(to: &mut Vec<Step>, steps: &[Step]) {
    for step in steps {
        if !to.contains(step) {
            to.push(step.clone());
        }
    }
}

/// What the sites of a link are explained from.
pub(super) struct Explainer<'s> {
    files: &'s [FileFacts],
    sites: &'s FxHashMap<(usize, usize), Site>,
    /// The calls in each wrapper, by file and index of the call.
    inside: FxHashMap<FunctionId, Vec<(usize, usize)>>,
    /// The functions that the facts have, with their files.
    functions: FxHashMap<&'s str, Vec<(usize, &'s Function)>>,
}

impl<'s> Explainer<'s> {
    pub(super) fn new(files: &'s [FileFacts], sites: &'s FxHashMap<(usize, usize), Site>) -> Explainer<'s> {
        let mut inside: FxHashMap<FunctionId, Vec<(usize, usize)>> = FxHashMap::default();
        for (&(file, index), _) in sites.iter().filter(|(_, site)| site.is_in_wrapper) {
            inside.entry((file, files[file].calls[index].function)).or_default().push((file, index));
        }
        inside.values_mut().for_each(|calls| calls.sort_unstable());
        let mut functions: FxHashMap<&str, Vec<_>> = FxHashMap::default();
        for (file, facts) in files.iter().enumerate() {
            for function in &facts.functions {
                functions.entry(&function.name).or_default().push((file, function));
            }
        }
        Explainer { files, sites, inside, functions }
    }

    /// Why nothing is known of what a call allocates, and what more there is to say of that.
    pub(super) fn reason(
        &self,
        (file, index): (usize, usize),
        helpers: &Helpers,
        aggregates: &Aggregates,
    ) -> (Reason, String) {
        let has_source = |name: &str| self.functions.contains_key(name);
        reason::reason(self.files, file, &self.sites[&(file, index)], helpers, aggregates, &has_source)
    }
}
