//! The allocation sites of the linked file: call instructions with the types that the source gives them.

use anyhow::Result;
use object::read::elf::ElfFile64;
use rustc_hash::{FxHashMap, FxHashSet};

use super::any_of::any_of;
use super::folded::sites_folded;
use super::foreign::{Foreign, is_foreign};
use super::heap_types::HeapTypes;
use super::inlined::SourceCalls;
use super::matching::{POINTER, SiteIndex, SiteKey, plain_callee};
use super::merged::Merges;
use super::reading::{Reading, Source};
use super::unmatched::Sources;
use super::wrappers::Conditions;
use crate::dwarf::Contents;
use crate::dwarf::cfa::CfaRules;
use crate::dwarf::units::{UnitIndex, Units};
use crate::emit::SiteInput;
use crate::graph::names::Names;
use crate::image::allocas;
use crate::image::branches::Branches;
use crate::image::calls::{self, CallInstruction, Svma};
use crate::image::tail_calls;
use crate::sites::facts::FileFacts;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::solve::{Solution, SolvedSite};

/// All sites of the file. A call that no source site matches is a site of unknown type.
pub(super) fn find(
    file: &ElfFile64<'_>,
    units: &Units<'_>,
    contents: &mut Contents,
    names: &mut Names,
    files: &[FileFacts],
    declared: &DeclaredFunctions,
    solution: &Solution,
) -> Result<Vec<SiteInput>> {
    let solved = &solution.sites;
    let branches = Branches::of(file)?;
    let unit_of_file: Vec<_> = files.iter().map(|f| contents.index.unit(&f.source, &f.directory)).collect();
    let source_calls = SourceCalls::new(files, &unit_of_file, solved);
    let Calls { calls, typed } = calls_that_allocate(&branches, solved, declared, &source_calls)?;
    let unit_of_site: Vec<_> = solved.iter().map(|s| unit_of_file[s.file]).collect();
    let index = SiteIndex::new(solved.iter().zip(&unit_of_site).map(|(s, &unit)| key(s, unit)));
    let frames = CfaRules::read(units.file());
    let sources = Sources::new(units, &contents.lines, files, &unit_of_file);

    let mut types = HeapTypes { index: &contents.index, types: &mut contents.types.types, names };
    let nodes =
        solved.iter().zip(&unit_of_site).map(|(s, &unit)| types.node(unit, &s.ty)).collect::<Vec<_>>();
    let source = Source {
        units,
        types: &contents.index,
        lines: &contents.lines,
        frames: &frames,
        index: &index,
        solved,
        conditions: &Conditions::new(file, &solution.signatures, declared)?,
        nodes: &nodes,
        unit_of_site: &unit_of_site,
        sources: &sources,
        bytes: types.types.bytes(),
    };
    let readings: Vec<Reading> = calls.iter().map(|call| source.reading(call)).collect();
    let unit_of = |unit| source.unit(unit);
    let folded = sites_folded(&contents.lines, unit_of, files, solved, &unit_of_site, &mut types);
    let mut merges =
        Merges::new(&branches, &source, declared, &readings, folded, &source_calls, &typed, &mut types);
    let mut inputs: FxHashMap<Svma, SiteInput> = FxHashMap::default();
    for reading in &readings {
        if let Some(input) = merges.site(reading, &mut types) {
            inputs.insert(reading.call.return_svma, input);
        }
    }
    let foreign: Vec<&CallInstruction<_>> =
        calls.iter().filter(|call| inputs.get(&call.return_svma).is_some_and(is_foreign)).collect();
    let foreign = Foreign { calls: foreign, file, units, frames: &frames, declared };
    foreign.add_to(&mut inputs, contents, names);
    let mut types = HeapTypes { index: &contents.index, types: &mut contents.types.types, names };
    let is_tail = |call: &&CallInstruction<_>| call.is_tail && inputs.contains_key(&call.return_svma);
    let jumps: Vec<Svma> = calls.iter().filter(is_tail).map(|call| call.return_svma).collect();
    for (return_svma, tails) in tail_calls::returns_seen(&branches, &jumps)? {
        let own = inputs.get(&return_svma);
        let tails: Vec<&SiteInput> = tails.iter().map(|tail| &inputs[tail]).collect();
        // What a wrapper jumps to is for its caller to say: this call, or another jump.
        let decided: Vec<&SiteInput> = tails.iter().copied().filter(|tail| tail.hop.is_none()).collect();
        let meant = if own.is_some() || !decided.is_empty() { decided } else { tails };
        let meant: Vec<&SiteInput> = own.into_iter().chain(meant).collect();
        let input = any_of(return_svma, &meant, &mut types);
        inputs.insert(return_svma, input);
    }
    // Nobody sees the address behind a jump.
    jumps.iter().for_each(|jump| drop(inputs.remove(jump)));
    let mut inputs: Vec<SiteInput> = inputs.into_values().collect();
    inputs.sort_by_key(|input| input.return_svma);
    Ok(inputs)
}

struct Calls {
    /// The calls of allocation functions, of wrappers, and through function pointers where a source site has one.
    calls: Vec<CallInstruction<Option<String>>>,
    /// The calls of functions that allocate what they know: where they return to, and the symbols.
    typed: Vec<(Svma, String)>,
}

fn calls_that_allocate(
    branches: &Branches<'_, '_>,
    solved: &[SolvedSite],
    declared: &DeclaredFunctions,
    source_calls: &SourceCalls<'_>,
) -> Result<Calls> {
    let own = solved.iter().filter(|s| s.is_in_wrapper).map(|s| plain_callee(&s.function));
    let others = solved.iter().filter(|s| !s.requirements.is_empty()).filter_map(|s| s.callee.as_deref());
    let wrappers: FxHashSet<&str> = own.chain(others.map(plain_callee)).collect();
    let is_wanted = |name: &str| {
        // A cold part is the function itself, in another place.
        let is_cold = name.split('.').skip(1).any(|suffix| suffix == "cold");
        let name = plain_callee(name);
        !is_cold && (declared.find(name).is_some() || wrappers.contains(name))
    };
    let all =
        calls::to_symbols_or_pointers(branches, |name| is_wanted(name) || source_calls.allocates(name))?;
    let typed = |call: &CallInstruction<Option<String>>| {
        let name = call.callee.as_ref().filter(|name| source_calls.allocates(name))?;
        Some((call.return_svma, name.clone()))
    };
    let typed = all.iter().filter_map(typed).collect();
    let is_wanted = |call: &CallInstruction<Option<String>>| call.callee.as_deref().is_none_or(is_wanted);
    let mut calls: Vec<_> = all.into_iter().filter(is_wanted).chain(allocas::calls(branches)).collect();
    calls.sort_by_key(|call| call.return_svma);
    Ok(Calls { calls, typed })
}

fn key(site: &SolvedSite, unit: Option<UnitIndex>) -> SiteKey<'_> {
    SiteKey {
        unit,
        function: &site.function,
        file: &site.place.file,
        first_line: site.first_line,
        callee_line: site.place.line,
        last_line: site.last_line,
        callee: site.callee.as_deref().unwrap_or(POINTER),
    }
}
