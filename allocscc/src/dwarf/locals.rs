//! The variables of functions, each with all that its place in memory depends on.

use std::ops::Range;

use super::cfa::CfaRules;
use super::error::Result;
use super::location::{self, FrameBase};
use super::scopes::{FunctionIndex, ScopeIndex, Scopes, Variable};
use super::units::{Unit, Units, Value};

/// A variable or parameter of a function that has a location.
pub(super) struct Local<'a, 's> {
    pub(super) variable: &'s Variable<'a>,
    pub(super) scope: ScopeIndex,
    /// Its `DW_AT_location`.
    pub(super) location: &'s Value<'a>,
    pub(super) rules: &'s CfaRules,
    unit: &'s Unit<'a>,
    /// The code of its scope.
    code: &'s [Range<u64>],
    base: &'s FrameBase,
}

impl<'a> Local<'a, '_> {
    /// The registers that it is in, by code.
    pub(super) fn registers(&self) -> Result<Vec<(Range<u64>, gimli::Register)>> {
        location::registers(self.unit, self.location, self.code)
    }

    /// The distances of what a location says from the CFA, by code; nothing where that is not in the frame's memory. The location
    /// is the variable's, or another one that holds in its scope.
    pub(super) fn distances(&self, location: &Value<'a>) -> Result<Vec<(Range<u64>, i64)>> {
        location::distances(self.unit, location, self.code, location::place, (self.base, self.rules))
    }

    /// The same of the word from which an expression loads what it says.
    pub(super) fn word_distances(&self, location: &Value<'a>) -> Result<Vec<(Range<u64>, i64)>> {
        location::distances(self.unit, location, self.code, location::loaded_place, (self.base, self.rules))
    }
}

/// Makes [`Local`]s. Variables of one function should come one after the other: its frame base is read once for these.
pub(super) struct Locals<'a, 's> {
    units: &'s Units<'a>,
    scopes: &'s Scopes<'a>,
    rules: &'s CfaRules,
    base_of: Option<(FunctionIndex, FrameBase)>,
}

impl<'a, 's> Locals<'a, 's> {
    pub(super) fn new(units: &'s Units<'a>, scopes: &'s Scopes<'a>, rules: &'s CfaRules) -> Self {
        Locals { units, scopes, rules, base_of: None }
    }

    /// A variable of this scope, if it has a location. An error if the function's frame base cannot be read.
    pub(super) fn of<'l>(
        &'l mut self,
        variable: &'l Variable<'a>,
        scope: ScopeIndex,
    ) -> Result<Option<Local<'a, 'l>>> {
        let index = self.scopes.scope(scope).function;
        let base_of = match self.base_of.take() {
            Some(known) if known.0 == index => known,
            _ => {
                let function = self.scopes.function(index);
                let unit = self.units.get(function.die.unit);
                let base = function.frame_base.as_ref();
                (index, FrameBase::read(unit, base, &function.ranges, self.rules)?)
            }
        };
        let (_, base) = self.base_of.insert(base_of);
        let (unit, code) = (self.units.get(variable.unit), self.scopes.ranges_of(scope));
        Ok(variable.location.as_ref().map(|location| Local {
            variable,
            scope,
            location,
            rules: self.rules,
            unit,
            code,
            base,
        }))
    }
}
