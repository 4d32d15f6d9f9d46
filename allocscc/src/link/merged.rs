//! Calls that the compiler made one.
//!
//! Where branches end alike, compilers keep one copy of the end, and the calls in it become one instruction. gcc gives it the
//! place of one of them. So each copy of a function's body, inlined ones included, is asked for its sites: one that no
//! instruction was found for may be in any instruction of the same code that calls the same function. So may those of a function of
//! whose call nothing is left (see [`super::inlined`]). clang gives it line 0, and
//! leaves nothing of an inlined function that was merged with another one: there all sites of the unit come into question.
//!
//! The constants that the instruction passes rule sites out (see [`super::passed`]), and where several sites have one line, the
//! column may tell which one it is.

use std::collections::BTreeSet;

use object::{Object, ObjectSymbol};
use rustc_hash::{FxHashMap, FxHashSet};

use super::any_of::any_of;
use super::heap_types::HeapTypes;
use super::inlined::{Given, SourceCalls};
use super::matching::POINTER;
use super::missing::{Known, MissingSites};
use super::passed::PassedConstants;
use super::reading::{Reading, Source, Step};
use crate::dwarf::units::UnitIndex;
use crate::emit::SiteInput;
use crate::image::arguments::ConstantArguments;
use crate::image::branches::Branches;
use crate::image::calls::{CallInstruction, Svma};
use crate::sites::functions::DeclaredFunctions;
use crate::sites::solve::SolvedSite;

/// The sites of instructions that may come from several calls of the source.
pub(super) struct Merges<'a, 'data, 'units> {
    source: &'a Source<'a, 'units>,
    constants: ConstantArguments<'a, 'data>,
    passed: PassedConstants<'a>,
    missing: MissingSites,
    folded: FxHashMap<usize, Vec<usize>>,
    columns: Columns,
}

impl<'a, 'data, 'units> Merges<'a, 'data, 'units> {
    /// `readings` are those of all calls; `folded` are the sites that sites stand for too; `calls` are those of the source, and
    /// `instructions` those that call the functions that these do.
    #[expect(clippy::too_many_arguments, reason = "the two sides of a match, each in its parts")]
    pub(super) fn new(
        branches: &Branches<'a, 'data>,
        source: &'a Source<'a, 'units>,
        declared: &'a DeclaredFunctions,
        readings: &[Reading<'a>],
        folded: FxHashMap<usize, Vec<usize>>,
        calls: &SourceCalls<'_>,
        instructions: &[(Svma, String)],
        types: &mut HeapTypes<'_>,
    ) -> Self {
        let mut constants = ConstantArguments::new(branches);
        let mut passed = PassedConstants::new(source.solved, source.unit_of_site, declared);
        let mut columns = Columns::default();
        for reading in readings {
            let call = reading.call;
            if let (Some(callee), [Step { found, .. }, ..]) = (&call.callee, &reading.steps[..])
                && let [site] = found[..]
            {
                passed.learn(callee, || constants.of_call(call.return_svma), site, types);
            }
            for Step { found, column, .. } in reading.steps.iter().filter(|step| step.found.len() > 1) {
                columns.entry(found.clone()).or_default().insert(*column);
            }
        }
        let mut present = FxHashSet::default();
        for step in readings.iter().flat_map(|reading| &reading.steps) {
            let sites = at_column(source.solved, &columns, step);
            present.extend(sites.into_iter().filter_map(|site| Some((step.context?, site))));
        }
        let symbols = branches.file().symbols().filter_map(|symbol| symbol.name().ok());
        let split = symbols.filter_map(|name| Some(name.split_once(".part.")?.0));
        let known = Known {
            solved: source.solved,
            units: source.unit_of_site,
            present,
            split: split.collect(),
            calls,
            instructions,
        };
        let missing = MissingSites::new(source.lines, |unit| source.unit(unit), &known, types);
        passed.is_whole_program = missing.crosses_units();
        Merges { source, constants, passed, missing, folded, columns }
    }

    /// The site of a call instruction; `None` if the call is through a pointer and no site of the source is there, or if it is
    /// one only as long as a function is as expected whose address the file does not keep.
    pub(super) fn site(&mut self, reading: &Reading<'_>, types: &mut HeapTypes<'_>) -> Option<SiteInput> {
        let call = reading.call;
        let mut unknown = self.source.unknown(call, reading.place.as_ref());
        let mut sites = match (reading.lost, reading.steps.last()) {
            (Some(unit), _) => self.behind_line_0(call, unit, types),
            (None, Some(step)) => self.candidates(reading, step, types),
            (None, None) => Vec::new(),
        };
        if let (Some(_), [site]) = (reading.lost, &sites[..]) {
            let SolvedSite { place, function, .. } = &self.source.solved[*site];
            unknown = SiteInput {
                file: place.file.clone(),
                line: place.line,
                function: function.clone(),
                ..unknown
            };
        }
        if sites.is_empty() {
            return call.callee.is_some().then_some(unknown);
        }
        if reading.hop.is_none() {
            let also: Vec<usize> =
                sites.iter().filter_map(|site| self.folded.get(site)).flatten().copied().collect();
            sites.extend(also);
        }
        let inputs: Vec<SiteInput> = sites.iter().map(|&site| self.source.input(site, &unknown)).collect();
        let site = any_of(call.return_svma, &inputs.iter().collect::<Vec<_>>(), types);
        let matched = reading.steps.iter().flat_map(|step| &step.found).chain(&sites);
        let matched = matched.map(|&site| &self.source.solved[site]);
        let conditions = self.source.conditions.of_call(call.callee.as_deref(), matched)?;
        Some(SiteInput { hop: reading.hop, conditions, ..site })
    }

    /// The sites that an instruction may come from that has a place in the source.
    fn candidates(&mut self, reading: &Reading<'_>, step: &Step, types: &mut HeapTypes<'_>) -> Vec<usize> {
        let call = reading.call;
        let mut sites = at_column(self.source.solved, &self.columns, step);
        if reading.hop.is_some() {
            return sites;
        }
        let callee = call.callee.as_deref().unwrap_or(POINTER);
        let code = self.source.lines.contexts_at(call.return_svma.0 - 1).last().copied();
        let missing = code.map_or(&[][..], |code| self.missing.in_code(code));
        if sites.len() == 1 && missing.is_empty() {
            return sites;
        }
        let constants = self.constants.of_call(call.return_svma);
        let mut may_be =
            |site: usize, given: &Given| self.passed.may_come_from((site, given), callee, &constants, types);
        let anything = Given::default();
        if sites.iter().any(|&site| may_be(site, &anything)) {
            sites.retain(|&site| may_be(site, &anything));
        }
        for missing in missing {
            let is_known = step.found.contains(&missing.site) || sites.contains(&missing.site);
            let is_in_wrapper = self.source.solved[missing.site].is_in_wrapper;
            if !is_known && !is_in_wrapper && may_be(missing.site, &missing.given) {
                sites.push(missing.site);
            }
        }
        sites
    }

    /// The sites that an instruction may come from that the compiler gave line 0.
    fn behind_line_0(
        &mut self,
        call: &CallInstruction<Option<String>>,
        unit: UnitIndex,
        types: &mut HeapTypes<'_>,
    ) -> Vec<usize> {
        let Some(callee) = &call.callee else { return Vec::new() };
        let unit = self.source.unit(unit);
        let is_whole = |unit| self.source.sources.is_whole(unit);
        let is_known =
            if self.passed.is_whole_program { self.missing.units().all(is_whole) } else { is_whole(unit) };
        if !is_known {
            return Vec::new();
        }
        let code =
            self.source.lines.frames_at(call.return_svma.0 - 1).last().map_or("", |frame| frame.function);
        let constants = self.constants.of_call(call.return_svma);
        let anything = Given::default();
        let mut sites = Vec::new();
        for (number, site) in self.source.solved.iter().enumerate() {
            let is_near = self.passed.is_whole_program || self.source.unit_of_site[number] == unit;
            if !is_near || !self.passed.may_come_from((number, &anything), callee, &constants, types) {
                continue;
            }
            if !site.is_in_wrapper {
                sites.push(number);
            } else if site.function == code {
                // Its caller says what it is.
                return Vec::new();
            }
        }
        sites
    }
}

/// Sites that have one line, and the columns of the instructions that are any of them.
type Columns = FxHashMap<Vec<usize>, BTreeSet<u32>>;

/// Of several sites in one line, the one at the instruction's column, if each has a column.
fn at_column(solved: &[SolvedSite], columns: &Columns, step: &Step) -> Vec<usize> {
    let columns = columns.get(&step.found).filter(|columns| columns.len() == step.found.len());
    let rank = columns.and_then(|columns| columns.iter().position(|&column| column == step.column));
    let at_rank = |&&site: &&usize| Some(solved[site].ordinal as usize) == rank;
    step.found.iter().find(at_rank).map_or_else(|| step.found.clone(), |&site| vec![site])
}
