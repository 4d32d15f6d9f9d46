//! Why a site has its type, or none. Nothing is decided here: what [`super::solve`] found is told in words.

mod reason;
mod steps;

pub use allocs_metadata::{Reason, StepKind};
pub(super) use reason::reason;
pub(super) use steps::Explainer;

use super::facts::Place;

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
