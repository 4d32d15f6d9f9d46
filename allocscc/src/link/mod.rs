//! The link step: from a linked file with debug information, and the facts of its sources, to the metadata section.
//!
//! The order is the story: read the DWARF; find what shared libraries say of their functions ([`libraries`]); find what the source says of each allocation ([`crate::sites::solve`]); find which instructions
//! those are ([`sites`], [`matching`], [`reading`]; where the compiler made one of several, [`merged`], [`missing`], [`inlined`] and [`folded`]); find what lies on the stack beside blocks of alloca ([`allocas`]); find the types that they name ([`heap_types`]); find what other files must know of this
//! one's functions, and this one of theirs ([`wrappers`]), and the library of heaps that only this one has ([`hooks`]); write it all down, on request in the debug information too ([`alloc_types`]). Last, see that every type that is named is described ([`undescribed`]).

mod alloc_types;
mod allocas;
mod any_of;
mod folded;
mod foreign;
mod heap_types;
mod hooks;
mod inlined;
mod libraries;
mod matching;
mod merged;
mod missing;
mod passed;
mod reading;
pub mod receivers;
mod sites;
mod undescribed;
mod unmatched;
mod wrappers;

use std::ops::Range;

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;

use crate::compile;
use crate::driver::hooks::{Annotation, LinkOutput};
use crate::driver::warning::warn_from_analysis;
use crate::dwarf::statics::Static;
use crate::dwarf::units::{DebugData, Units};
use crate::dwarf::{Contents, literals};
use crate::emit;
use crate::graph::names::Names;
use crate::image::literals::{Literal, literals_in, ranges_of_map};
use crate::image::unmerged::{KnownLiterals, literals_among_constants};
use crate::sites::codec;
use crate::sites::facts::FileFacts;
use crate::sites::solve::solve;

/// Makes the metadata of a file that was just linked.
pub fn annotate(output: &LinkOutput<'_>) -> Result<Option<Annotation>> {
    let data = DebugData::load(output.bytes).context("reading the linked file")?;
    let units = Units::new(&data).context("reading the debug information")?;
    let mut contents = Contents::read(&units);
    for reason in &contents.warnings {
        warn_from_analysis(output.path.display(), reason);
    }
    let mut names = Names::default();
    let wanted = contents.types.named();
    let facts = files(output);
    let strings = string_literals(output.map.unwrap_or_default(), &data, &facts, &contents.statics);
    literals::add(&mut contents.statics, &mut contents.types.types, &strings);
    let declared = compile::declared_functions()?;
    let file = ElfFile64::parse(output.bytes).context("reading the linked file")?;
    let solution = solve(&facts, &declared, &libraries::imports(output, &file));
    let sites = sites::find(&file, &units, &mut contents, &mut names, &facts, &declared, &solution)?;
    let debug_sections = if output.wants_alloc_types {
        alloc_types::say_at_call_sites(&units, &contents.types, &sites).unwrap_or_else(|reason| {
            let kept = format!("the debug information does not say what calls allocate: {reason:#}");
            warn_from_analysis(output.path.display(), kept);
            Vec::new()
        })
    } else {
        Vec::new()
    };
    let allocas = allocas::code(&units, &contents, &sites);
    let hooks = hooks::find(&file, &units, &declared, |reason| {
        warn_from_analysis(output.path.display(), reason);
    });
    let metadata = emit::metadata(emit::Input {
        types: &mut contents.types.types,
        names: &mut names,
        wanted: &wanted,
        statics: &contents.statics,
        frames: &contents.frames,
        sites: &sites,
        allocas: &allocas,
        wrappers: &wrappers::exported(&file, &solution.signatures),
        hooks: &hooks,
        build_id: data.file().build_id(),
    })?;
    let undescribed_types = undescribed::symbols(output, &file, &metadata);
    Ok(Some(Annotation { metadata, undescribed_types, has_hooks: !hooks.is_empty(), debug_sections }))
}

/// The facts of the objects that were linked. What cannot be read, as after an update of allocscc, counts as an object of another
/// compiler: only its own sites have no types.
fn files(output: &LinkOutput<'_>) -> Vec<FileFacts> {
    let mut files = Vec::new();
    for record in &output.facts {
        match codec::decode(record) {
            Ok(facts) => files.extend(facts),
            Err(reason) => warn_from_analysis(output.path.display(), format!("an object's facts: {reason}")),
        }
    }
    files
}

fn string_literals(map: &str, data: &DebugData<'_>, facts: &[FileFacts], statics: &[Static]) -> Vec<Literal> {
    let mut literals = Vec::new();
    let ranges = ranges_of_map(map);
    for range in ranges.strings {
        if let Some(bytes) = data.file().bytes_at(&range.svmas) {
            literals.extend(literals_in(&range, bytes));
        }
    }
    let mut known = KnownLiterals::default();
    for literal in facts.iter().flat_map(|file| &file.literals) {
        known.add(literal.width, &literal.bytes);
    }
    if !known.is_empty() {
        let covered = covered_by(statics);
        for range in ranges.constants {
            if let Some(bytes) = data.file().bytes_at(&range) {
                literals.extend(literals_among_constants(range.start, bytes, &covered, &known));
            }
        }
    }
    literals
}

/// Where statics are, which are sorted by address: disjoint ranges.
fn covered_by(statics: &[Static]) -> Vec<Range<u64>> {
    let mut covered: Vec<Range<u64>> = Vec::new();
    for s in statics.iter().filter(|s| s.size != 0) {
        let end = s.svma.saturating_add(s.size);
        match covered.last_mut() {
            Some(last) if s.svma < last.end => last.end = last.end.max(end),
            _ => covered.push(s.svma..end),
        }
    }
    covered
}
