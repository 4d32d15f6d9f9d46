//! The values of local variables at a point of a function, with branches that cost no more than what they change.

use rustc_hash::FxHashMap;

use super::values::{ValueId, Values};
use crate::c::scopes::ObjectId;

/// The most variables of a function that are followed.
const MOST_VARIABLES: usize = 1024;

/// What a branch changed, at its end.
#[derive(Clone, Default, Debug)]
pub(super) struct Changes(Vec<(ObjectId, ValueId)>);

/// A point to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl Mark {
    /// The start of the function.
    pub(super) const START: Mark = Mark(0);
}

/// The values of variables. A variable that is not there was not assigned yet.
#[derive(Default)]
pub(super) struct Environment {
    values: FxHashMap<ObjectId, ValueId>,
    log: Vec<(ObjectId, Option<ValueId>)>,
}

impl Environment {
    pub(super) fn get(&self, variable: ObjectId) -> Option<ValueId> {
        self.values.get(&variable).copied()
    }

    pub(super) fn set(&mut self, variable: ObjectId, value: ValueId) {
        if self.values.len() >= MOST_VARIABLES && !self.values.contains_key(&variable) {
            return;
        }
        let before = self.values.insert(variable, value);
        if before != Some(value) {
            self.log.push((variable, before));
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.log.len())
    }

    /// What changed since the mark.
    pub(super) fn changes_since(&self, mark: Mark) -> Changes {
        let mut changed: Vec<ObjectId> =
            self.log[mark.0.min(self.log.len())..].iter().map(|entry| entry.0).collect();
        changed.sort_unstable();
        changed.dedup();
        Changes(changed.into_iter().filter_map(|variable| Some((variable, self.get(variable)?))).collect())
    }

    /// Goes back to the mark.
    pub(super) fn revert_to(&mut self, mark: Mark) {
        while self.log.len() > mark.0 {
            match self.log.pop() {
                Some((variable, Some(before))) => drop(self.values.insert(variable, before)),
                Some((variable, None)) => drop(self.values.remove(&variable)),
                None => return,
            }
        }
    }

    /// Joins what branches changed; `falls_through` if the path that changed nothing is possible too.
    pub(super) fn join(&mut self, values: &mut Values, branches: &[Changes], falls_through: bool) {
        let mut changed: Vec<ObjectId> =
            branches.iter().flat_map(|changes| &changes.0).map(|entry| entry.0).collect();
        changed.sort_unstable();
        changed.dedup();
        for variable in changed {
            let unchanged = self.get(variable);
            let mut possible: Vec<ValueId> = unchanged.filter(|_| falls_through).into_iter().collect();
            for changes in branches {
                let found = changes.0.binary_search_by_key(&variable, |entry| entry.0);
                possible.extend(found.map_or(unchanged, |index| Some(changes.0[index].1)));
            }
            let joined = values.alternatives(&possible);
            self.set(variable, joined);
        }
    }
}
