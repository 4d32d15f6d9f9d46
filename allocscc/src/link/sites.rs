//! The allocation sites of the linked file: call instructions with the types that the source gives them.

use allocs_metadata::{Evidence, SITE_IS_BUFFER, SITE_RETYPES};
use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use rustc_hash::FxHashMap;

use super::heap_types::HeapTypes;
use crate::dwarf::Contents;
use crate::dwarf::lines::LineIndex;
use crate::emit::SiteInput;
use crate::graph::NodeId;
use crate::graph::names::Names;
use crate::image::calls::{self, CallInstruction, Svma};
use crate::image::tail_calls;
use crate::sites::facts::FileFacts;
use crate::sites::functions::DeclaredFunctions;
use crate::sites::matching::{CallPlace, SiteIndex, SiteKey, plain_callee};
use crate::sites::solve::{SolvedSite, solve};

/// All sites of the file. A call that no source site matches is a site of unknown type.
pub(super) fn find(
    bytes: &[u8],
    contents: &mut Contents,
    names: &mut Names,
    files: &[FileFacts],
    declared: &DeclaredFunctions,
) -> Result<Vec<SiteInput>> {
    let file = ElfFile64::parse(bytes).context("reading the linked file")?;
    let calls = calls::to_symbols(&file, |name| declared.find(plain_callee(name)).is_some())?;
    let solved = solve(files, declared);
    let index = SiteIndex::new(solved.iter().map(key));

    let mut types = HeapTypes { index: &contents.index, types: &mut contents.types.types, names };
    let units: Vec<_> = files.iter().map(|f| types.index.unit(&f.source, &f.directory)).collect();
    let nodes: Vec<Option<NodeId>> = solved.iter().map(|s| types.node(units[s.file], &s.ty)).collect();
    let mut inputs: Vec<SiteInput> =
        calls.iter().map(|call| site(call, &contents.lines, &index, &solved, &nodes, &mut types)).collect();

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

fn key(site: &SolvedSite) -> SiteKey<'_> {
    SiteKey {
        function: &site.function,
        file: &site.place.file,
        first_line: site.first_line,
        callee_line: site.place.line,
        last_line: site.last_line,
        callee: &site.callee,
    }
}

/// The site of one call instruction.
fn site(
    call: &CallInstruction<String>,
    lines: &LineIndex,
    index: &SiteIndex<'_>,
    solved: &[SolvedSite],
    nodes: &[Option<NodeId>],
    types: &mut HeapTypes<'_>,
) -> SiteInput {
    // The return address may belong to the next line, or to the next function.
    let frames = lines.frames_at(call.return_svma.0 - 1);
    let (function, file, line) =
        frames.first().map_or(("", "", 0), |frame| (frame.function, frame.file, frame.line));
    let found = index.find(&CallPlace { function, file, line, callee: &call.callee });
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
        .map(|&i| match nodes[i] {
            Some(node) => {
                SiteInput { node, evidence: solved[i].evidence, flags: flags(&solved[i]), ..unknown.clone() }
            }
            None => unknown.clone(),
        })
        .collect();
    match &candidates[..] {
        [] => unknown,
        candidates => any_of(call.return_svma, &candidates.iter().collect::<Vec<_>>(), types),
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
