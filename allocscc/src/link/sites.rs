//! The allocation sites of the linked file: call instructions with the types that the source gives them.

use allocs_metadata::{Evidence, SITE_IS_BUFFER, SITE_RETYPES};
use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use rustc_hash::FxHashMap;

use super::heap_types::HeapTypes;
use super::matching::{CallPlace, SiteIndex, SiteKey, plain_callee};
use crate::dwarf::Contents;
use crate::dwarf::lines::LineIndex;
use crate::dwarf::units::{UnitIndex, Units};
use crate::emit::SiteInput;
use crate::graph::NodeId;
use crate::graph::names::Names;
use crate::image::calls::{self, CallInstruction, Svma};
use crate::image::tail_calls;
use crate::sites::facts::FileFacts;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::solve::{SolvedSite, solve};

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
    let calls = calls::to_symbols(&file, |name| declared.find(plain_callee(name)).is_some())?;
    let solved = solve(files, declared);
    let unit_of_file: Vec<_> = files.iter().map(|f| contents.index.unit(&f.source, &f.directory)).collect();
    let index = SiteIndex::new(solved.iter().map(|s| key(s, unit_of_file[s.file])));

    let mut types = HeapTypes { index: &contents.index, types: &mut contents.types.types, names };
    let nodes: Vec<Option<NodeId>> = solved.iter().map(|s| types.node(unit_of_file[s.file], &s.ty)).collect();
    let source = Source { units, lines: &contents.lines, index: &index, solved: &solved, nodes: &nodes };
    let mut inputs: Vec<SiteInput> = calls.iter().map(|call| source.site(call, &mut types)).collect();

    let by_return: FxHashMap<Svma, usize> =
        calls.iter().enumerate().map(|(i, call)| (call.return_svma, i)).collect();
    let jumps: Vec<Svma> = calls.iter().filter(|c| c.is_tail).map(|c| c.return_svma).collect();
    for (return_svma, tails) in tail_calls::returns_seen(&file, &jumps)? {
        let meant: Vec<&SiteInput> = tails.iter().map(|tail| &inputs[by_return[tail]]).collect();
        let input = any_of(return_svma, &meant, &mut types);
        inputs.push(input);
    }
    Ok(inputs)
}

fn key(site: &SolvedSite, unit: Option<UnitIndex>) -> SiteKey<'_> {
    SiteKey {
        unit,
        function: &site.function,
        file: &site.place.file,
        first_line: site.first_line,
        callee_line: site.place.line,
        last_line: site.last_line,
        callee: &site.callee,
    }
}

/// What the source says of all sites, and where the instructions come from.
struct Source<'a, 'data> {
    units: &'a Units<'data>,
    lines: &'a LineIndex,
    index: &'a SiteIndex<'a>,
    solved: &'a [SolvedSite],
    nodes: &'a [Option<NodeId>],
}

impl Source<'_, '_> {
    /// The site of one call instruction.
    fn site(&self, call: &CallInstruction<String>, types: &mut HeapTypes<'_>) -> SiteInput {
        // The return address may belong to the next line, or to the next function.
        let frames = self.lines.frames_at(call.return_svma.0 - 1);
        let (function, unit, file, line) = frames
            .first()
            .map_or(("", None, "", 0), |frame| (frame.function, frame.unit, frame.file, frame.line));
        // A source that was compiled twice is one unit here, as it is for the facts.
        let unit = unit.and_then(|unit| {
            let unit = self.units.get(unit);
            types.index.unit(unit.name(), unit.directory())
        });
        let found = self.index.find(&CallPlace { unit, function, file, line, callee: &call.callee });
        let unknown = SiteInput {
            return_svma: call.return_svma.0,
            node: types.types.bytes(),
            file: file.to_owned(),
            line,
            function: function.to_owned(),
            callee: call.callee.clone(),
            evidence: Evidence::None,
            flags: 0,
        };
        let candidates: Vec<SiteInput> = found
            .iter()
            .map(|&i| match self.nodes[i] {
                Some(node) => {
                    let site = &self.solved[i];
                    SiteInput { node, evidence: site.evidence, flags: flags(site), ..unknown.clone() }
                }
                None => unknown.clone(),
            })
            .collect();
        match &candidates[..] {
            [] => unknown,
            candidates => any_of(call.return_svma, &candidates.iter().collect::<Vec<_>>(), types),
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
    let evidence = sites.iter().map(|s| s.evidence).min_by_key(|&e| certainty(e)).unwrap_or(Evidence::None);
    let node = if evidence == Evidence::None {
        types.types.bytes()
    } else {
        types.one_of(&sites.iter().map(|s| s.node).collect::<Vec<_>>())
    };
    SiteInput {
        return_svma: return_svma.0,
        node,
        evidence,
        flags: sites.iter().fold(u8::MAX, |all, s| all & s.flags),
        ..first.clone()
    }
}

fn certainty(evidence: Evidence) -> u8 {
    match evidence {
        Evidence::None => 0,
        Evidence::Dwarf => 1,
        Evidence::Receiver => 2,
        Evidence::Sizeof => 3,
        Evidence::Both => 4,
        Evidence::Declared => 5,
    }
}
