//! Broken and hostile files cost answers, never a crash.

mod compile;
mod trees;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use allocscc::dwarf::Contents;
use allocscc::dwarf::cfa::CfaRules;
use allocscc::dwarf::insert::{Insertions, insert};
use allocscc::dwarf::units::{DebugData, Units};
use allocscc::emit;
use allocscc::graph::names::Names;
use allocscc::image::branches::Branches;
use allocscc::image::calls;
use allocscc::link::receivers::Results;
use allocscc::sites::functions::DeclaredFunctions;
use compile::Case;
use object::read::elf::ElfFile64;
use proptest::prelude::*;

/// Does everything that is done with a linked file. Errors are fine.
fn digest_all(bytes: &[u8]) {
    let Ok(data) = DebugData::load(bytes) else { return };
    let Ok(units) = Units::new(&data) else { return };
    let mut contents = Contents::read(&units);
    for at in [0, 1, 0x1000, 0x1139, u64::MAX] {
        let _ = contents.lines.frames_at(at);
    }
    receivers_of(bytes, &units, &mut contents);
    insert_into(&units);
    let wanted = contents.types.named();
    let metadata = emit::metadata(emit::Input {
        types: &mut contents.types.types,
        names: &mut Names::default(),
        wanted: &wanted,
        statics: &contents.statics,
        frames: &contents.frames,
        allocas: &[],
        sites: &[],
        wrappers: &[],
        hooks: &[],
        build_id: data.file().build_id(),
    });
    if let Ok(bytes) = metadata {
        let aligned = emit::Aligned::copy(&bytes);
        allocs_metadata::Metadata::parse(aligned.bytes()).unwrap();
    }
}

/// Gives the first DIEs of each unit an attribute.
fn insert_into(units: &Units<'_>) {
    let mut insertions = Insertions { attribute: gimli::DwAt(0x3e0e), references: BTreeMap::new() };
    for (_, unit) in units.iter() {
        let unit = unit.get();
        let Some(start) = unit.header.debug_info_offset() else { continue };
        let mut entries = unit.entries();
        for _ in 0..8 {
            let Ok(Some(die)) = entries.next_dfs() else { break };
            insertions.references.insert(start.0 + die.offset().0, start.0);
        }
    }
    let _ = insert(units.file(), &insertions);
}

/// Asks what receives the results of the calls of `malloc`.
fn receivers_of(bytes: &[u8], units: &Units<'_>, contents: &mut Contents) {
    let Ok(file) = ElfFile64::parse(bytes) else { return };
    let Ok(branches) = Branches::of(&file) else { return };
    let Ok(calls) = calls::to_symbols(&branches, |name| name == "malloc") else { return };
    let Some(malloc) = DeclaredFunctions::default().find("malloc") else { return };
    let rules = CfaRules::read(units.file());
    let returns: Vec<_> = calls.iter().map(|call| call.return_svma).collect();
    let results = Results::read(&file, units, &contents.types, &rules, &contents.statics, &returns);
    for call in returns {
        let _ = results.claim(call, &malloc, &mut contents.types.types, &mut Names::default());
    }
}

const ALLOCATIONS: &str = "
#include <stdlib.h>
struct item { long a; struct item *next; } *first;
void *items(const unsigned *n) { struct item *p = malloc(*n * sizeof *p); p->next = malloc(sizeof *p); return p; }
void item(void) { first = malloc(sizeof *first); first->next = malloc(sizeof *first); first->a = 1; }
";

/// Real files of different kinds.
fn subjects() -> &'static [Vec<u8>] {
    static SUBJECTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let flags: [&[&str]; 5] = [
            &["-O2", "-gdwarf-2"],
            &["-O2", "-gdwarf-4"],
            &["-O2", "-gdwarf-5"],
            &["-O0", "-gdwarf-5", "-fdebug-types-section"],
            &["-O0", "-gdwarf-4", "-gz=zlib"],
        ];
        let sources = [("program.c", include_str!("programs/storage.c")), ("allocations.c", ALLOCATIONS)];
        let link = |flags| Case { compiler: "gcc", flags: Vec::new() }.with(flags).link_all(&sources).bytes();
        let mut all: Vec<_> = flags.into_iter().map(link).collect();
        all.push(trees::assemble(5, "compile_unit\n  base_type name=int byte_size=4 encoding=5\n"));
        all
    })
}

/// Where debug information lies in the file: changes elsewhere are less interesting.
fn debug_sections(bytes: &[u8]) -> std::ops::Range<usize> {
    use object::{Object, ObjectSection};
    let file = object::File::parse(bytes).unwrap();
    let is_read = |name: &str| name.starts_with(".debug") || name == ".eh_frame" || name == ".symtab";
    let ranges = file.sections().filter(|s| s.name().is_ok_and(is_read)).filter_map(|s| s.file_range());
    let (mut start, mut end) = (usize::MAX, 0);
    for (offset, size) in ranges {
        start = start.min(offset as usize);
        end = end.max((offset + size) as usize);
    }
    start..end
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_bring_the_reader_down(
        subject in 0..6usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = subjects()[subject].clone();
        let range = debug_sections(&bytes);
        for (at, value) in changes {
            bytes[range.start + at.index(range.len())] = value;
        }
        digest_all(&bytes);
    }

    #[test]
    fn extreme_values_never_bring_the_reader_down(
        subject in 0..6usize,
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![0, 1, u64::MAX, u64::MAX / 2, 1 << 63, 0x8080_8080_8080_8080]),
    ) {
        let mut bytes = subjects()[subject].clone();
        let range = debug_sections(&bytes);
        let at = range.start + at.index(range.len() - 8);
        bytes[at..at + 8].copy_from_slice(&u64::to_le_bytes(value));
        digest_all(&bytes);
    }

    #[test]
    fn files_that_are_cut_off_never_bring_the_reader_down(subject in 0..6usize, at in any::<prop::sample::Index>()) {
        let bytes = &subjects()[subject];
        digest_all(&bytes[..at.index(bytes.len())]);
    }
}
