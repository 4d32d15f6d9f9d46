//! The allocation sites of the linked file: call instructions with the types that the source gives them.

use allocs_metadata::{Evidence, SITE_IS_BUFFER, SITE_RETYPES};
use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use rustc_hash::{FxHashMap, FxHashSet};

use super::heap_types::HeapTypes;
use super::matching::{CallPlace, POINTER, SiteIndex, SiteKey, plain_callee};
use super::unmatched::Sources;
use crate::dwarf::Contents;
use crate::dwarf::cfa::CfaRules;
use crate::dwarf::lines::{LineIndex, SourceFrame};
use crate::dwarf::units::{UnitIndex, Units};
use crate::emit::SiteInput;
use crate::graph::NodeId;
use crate::graph::names::Names;
use crate::image::calls::{self, CallInstruction, Svma};
use crate::image::tail_calls;
use crate::sites::explain::{Explanation, Reason};
use crate::sites::facts::FileFacts;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::solve::{SolvedSite, solve};
use crate::sites::spelling;

/// All sites of the file. A call that no source site matches is a site of unknown type.
pub(super) fn find(
    bytes: &[u8],
    units: &Units<'_>,
    contents: &mut Contents,
    names: &mut Names,
    files: &[FileFacts],
    declared: &DeclaredFunctions,
) -> Result<Vec<SiteInput>> {
    let file = ElfFile64::parse(bytes).context("reading the linked file")?;
    let solved = solve(files, declared);
    let calls = calls_that_allocate(&file, &solved, declared)?;
    let unit_of_file: Vec<_> = files.iter().map(|f| contents.index.unit(&f.source, &f.directory)).collect();
    let index = SiteIndex::new(solved.iter().map(|s| key(s, unit_of_file[s.file])));
    let frames = CfaRules::read(units.file());
    let sources = Sources::new(units, files, &unit_of_file);

    let mut types = HeapTypes { index: &contents.index, types: &mut contents.types.types, names };
    let nodes: Vec<Option<NodeId>> = solved.iter().map(|s| types.node(unit_of_file[s.file], &s.ty)).collect();
    let source = Source {
        units,
        lines: &contents.lines,
        frames: &frames,
        index: &index,
        solved: &solved,
        nodes: &nodes,
        sources: &sources,
        bytes: types.types.bytes(),
    };
    let mut inputs: FxHashMap<Svma, SiteInput> = FxHashMap::default();
    for call in &calls {
        if let Some(input) = source.site(call, &mut types) {
            inputs.insert(call.return_svma, input);
        }
    }
    let is_tail = |call: &&CallInstruction<_>| call.is_tail && inputs.contains_key(&call.return_svma);
    let jumps: Vec<Svma> = calls.iter().filter(is_tail).map(|call| call.return_svma).collect();
    for (return_svma, tails) in tail_calls::returns_seen(&file, &jumps)? {
        let own = inputs.get(&return_svma);
        let meant: Vec<&SiteInput> = match own {
            // What a wrapper jumps to is for its caller to say, which this is.
            Some(_) => tails.iter().map(|tail| &inputs[tail]).filter(|tail| tail.hop.is_none()).collect(),
            None => tails.iter().map(|tail| &inputs[tail]).collect(),
        };
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

/// The calls of allocation functions, of wrappers, and through function pointers where a source site has one.
fn calls_that_allocate(
    file: &ElfFile64<'_>,
    solved: &[SolvedSite],
    declared: &DeclaredFunctions,
) -> Result<Vec<CallInstruction<Option<String>>>> {
    let wrappers: FxHashSet<&str> =
        solved.iter().filter(|s| s.is_in_wrapper).map(|s| s.function.as_str()).collect();
    let is_wanted = |name: &str| {
        // A cold part is the function itself, in another place.
        let is_cold = name.split('.').skip(1).any(|suffix| suffix == "cold");
        let name = plain_callee(name);
        !is_cold && (declared.find(name).is_some() || wrappers.contains(name))
    };
    calls::to_symbols_or_pointers(file, is_wanted)
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

/// What the source says of all sites, and where the instructions come from.
struct Source<'a, 'data> {
    units: &'a Units<'data>,
    lines: &'a LineIndex,
    frames: &'a CfaRules,
    index: &'a SiteIndex<'a>,
    solved: &'a [SolvedSite],
    nodes: &'a [Option<NodeId>],
    /// For the calls that none of them is.
    sources: &'a Sources<'a, 'data>,
    /// What a block of unknown type holds.
    bytes: NodeId,
}

impl Source<'_, '_> {
    /// The site of one call instruction. A wrapper that was inlined is passed over: the site is in the function that it was
    /// inlined into. `None` if the call is through a pointer and no site of the source is there.
    fn site(&self, call: &CallInstruction<Option<String>>, types: &mut HeapTypes<'_>) -> Option<SiteInput> {
        let mut callee = call.callee.as_deref().map_or(POINTER, plain_callee);
        let frames = self.positions(call.return_svma, callee, types);
        let mut site = call.callee.is_some().then(|| self.unknown(call, frames.first(), types));
        for frame in &frames {
            let SourceFrame { function, is_inlined, .. } = *frame;
            let found = self.found(frame, callee, types);
            // The compiler split a function, and this is the call of one part by the other.
            let is_within = found.is_empty() && callee == function;
            if found.is_empty() && !is_within {
                break;
            }
            let is_in_wrapper = is_within || found.iter().all(|&i| self.solved[i].is_in_wrapper);
            if !found.is_empty() {
                let unknown = self.unknown(call, Some(frame), types);
                let candidates: Vec<SiteInput> = found.iter().map(|&i| self.input(i, &unknown)).collect();
                site = Some(any_of(call.return_svma, &candidates.iter().collect::<Vec<_>>(), types));
            }
            if is_in_wrapper && !is_inlined {
                let hop = self.frames.frame_at(call.return_svma.0 - 1);
                return site.map(|site| SiteInput { hop, ..site });
            }
            if !is_in_wrapper {
                break;
            }
            callee = function;
        }
        site
    }

    /// Where the call before an address is in the source, innermost first.
    fn positions(&self, return_svma: Svma, callee: &str, types: &HeapTypes<'_>) -> Vec<SourceFrame<'_>> {
        // The return address may belong to the next line, or to the next function.
        let frames = self.lines.frames_at(return_svma.0 - 1);
        let Some(&SourceFrame { function, file, line, .. }) = frames.first() else { return frames };
        if callee == function || !self.found(&frames[0], callee, types).is_empty() {
            return frames;
        }
        // The range of a function that was inlined beside the call may hold the call too; the line is right all the same.
        let outer = (1..frames.len()).map(|skipped| {
            let mut frames = frames[skipped..].to_vec();
            (frames[0].file, frames[0].line) = (file, line);
            frames
        });
        outer.into_iter().find(|frames| !self.found(&frames[0], callee, types).is_empty()).unwrap_or(frames)
    }

    /// The sites of the source that a call at this position may be.
    fn found(&self, frame: &SourceFrame<'_>, callee: &str, types: &HeapTypes<'_>) -> Vec<usize> {
        // A source that was compiled twice is one unit here, as it is for the facts.
        let unit = frame.unit.and_then(|unit| {
            let unit = self.units.get(unit);
            types.index.unit(unit.name(), unit.directory())
        });
        let SourceFrame { function, file, line, .. } = *frame;
        self.index.find(&CallPlace { unit, function, file, line, callee })
    }

    fn unknown(
        &self,
        call: &CallInstruction<Option<String>>,
        frame: Option<&SourceFrame<'_>>,
        types: &HeapTypes<'_>,
    ) -> SiteInput {
        SiteInput {
            return_svma: call.return_svma.0,
            node: self.bytes,
            file: frame.map_or(String::new(), |frame| frame.file.to_owned()),
            line: frame.map_or(0, |frame| frame.line),
            function: frame.map_or(String::new(), |frame| frame.function.to_owned()),
            callee: call.callee.clone().unwrap_or_default(),
            evidence: Evidence::None,
            flags: 0,
            hop: None,
            why: Explanation { reason: Some(self.sources.reason(frame, types.index)), steps: Vec::new() },
        }
    }

    fn input(&self, solved: usize, unknown: &SiteInput) -> SiteInput {
        let site = &self.solved[solved];
        let why = site.why.clone();
        match self.nodes[solved] {
            Some(node) => {
                SiteInput { node, evidence: site.evidence, flags: flags(site), why, ..unknown.clone() }
            }
            None if why.reason.is_some() => SiteInput { why, ..unknown.clone() },
            None => {
                let reason = Some((Reason::NoType, spelling::heap_type(&site.ty)));
                SiteInput { why: Explanation { reason, ..why }, ..unknown.clone() }
            }
        }
    }
}

fn flags(site: &SolvedSite) -> u8 {
    let buffer = if site.is_buffer { SITE_IS_BUFFER } else { 0 };
    let retypes = if site.retypes { SITE_RETYPES } else { 0 };
    buffer | retypes
}

/// The site at an address that is any of several sites: what it allocates is one of what they allocate, as sure as the least sure.
fn any_of(return_svma: Svma, sites: &[&SiteInput], types: &mut HeapTypes<'_>) -> SiteInput {
    let first = sites[0];
    let evidence = sites.iter().map(|s| s.evidence).reduce(Evidence::least).unwrap_or(Evidence::None);
    let node = if evidence == Evidence::None {
        types.types.bytes()
    } else {
        types.one_of(&sites.iter().map(|s| s.node).collect::<Vec<_>>())
    };
    let unknown = sites.iter().find_map(|s| s.why.reason.clone());
    let mut steps = Vec::new();
    for step in sites.iter().flat_map(|s| &s.why.steps) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    SiteInput {
        return_svma: return_svma.0,
        node,
        evidence,
        why: Explanation { reason: unknown, steps },
        flags: sites.iter().fold(u8::MAX, |all, s| all & s.flags),
        hop: sites.iter().map(|s| s.hop).reduce(|one, other| one.and(other)).flatten(),
        ..first.clone()
    }
}
