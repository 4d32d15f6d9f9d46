//! Editing ELF files: what must come out, and that no input makes it panic.

use std::process::Command;
use std::sync::LazyLock;

use allocscc::driver::records::Record;
use allocscc::image::append::addition;
use allocscc::image::bitcode;
use allocscc::image::debug_info::{debug_info_of_sources, debug_info_size, is_debug_section};
use allocscc::image::elf::{Elf, FileKind, Section};
use allocscc::image::rewrite::{Edit, rewrite};
use proptest::prelude::*;

const SOURCE: &str = "struct s { int a; }; static struct s s = { 1 }; int main(void) { return s.a - 1; }\n";

/// An object and a program made of it by the host compiler.
static FILES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("a.c"), SOURCE).unwrap();
    for arguments in [["-c", "a.c", "-o", "a.o"], ["a.o", "-Wl,--emit-relocs", "-o", "prog"]] {
        let mut command = Command::new("cc");
        assert!(command.arg("-g").args(arguments).current_dir(directory.path()).status().unwrap().success());
    }
    ["a.o", "prog"].map(|name| std::fs::read(path(name)).unwrap())
});

/// The file with the tail and header of an addition.
fn with_section(file: &[u8], name: &str, contents: &[u8]) -> anyhow::Result<Vec<u8>> {
    let elf = Elf::parse(file)?.ok_or_else(|| anyhow::anyhow!("not ours"))?;
    let addition = addition(&elf, name, contents)?;
    let mut new = file.to_vec();
    new.extend(addition.tail);
    new[..addition.header.len()].copy_from_slice(&addition.header);
    Ok(new)
}

fn stripped(file: &[u8], strip_symbols: bool, add: Option<(&str, &[u8])>) -> anyhow::Result<Vec<u8>> {
    let elf = Elf::parse(file)?.ok_or_else(|| anyhow::anyhow!("not ours"))?;
    rewrite(&elf, &Edit { remove: &is_debug_section, strip_symbols, replace: &[], add })
}

/// Everything that can be asked of a file that may be anything.
fn exercise(file: &[u8]) {
    if let Ok(Some(elf)) = Elf::parse(file) {
        let _ = (elf.end_of_image(), debug_info_size(&elf), debug_info_of_sources(file, &["a".as_ref()]));
    }
    let _ = with_section(file, ".new", b"contents");
    let _ = stripped(file, false, Some((".new", b"contents")));
    let _ = stripped(file, true, None);
    let _ = Record::read_all(file);
    let mut bitcode = b"BC\xc0\xde".to_vec();
    bitcode.extend(file);
    let _ = bitcode::contents(&bitcode);
}

#[test]
fn an_added_section_leaves_everything_else_alone() {
    for file in &*FILES {
        let old = Elf::parse(file).unwrap().unwrap();
        let new_file = with_section(file, ".new", b"contents").unwrap();
        let new = Elf::parse(&new_file).unwrap().unwrap();
        assert_eq!(new_file[64..file.len()], file[64..]);
        assert_eq!(new.sections.len(), old.sections.len() + 1);
        for (old, new) in old.sections.iter().zip(&new.sections) {
            if old.name != b".shstrtab" && old.name != b".strtab" {
                assert_eq!(old, new);
            }
        }
        let added = new.named(".new").next().unwrap();
        assert_eq!(added.bytes(&new_file).unwrap(), b"contents");
        assert_eq!((added.sh_flags, added.sh_offset % 8), (0, 0));
    }
}

fn in_memory<'d>(elf: &Elf<'d>) -> Vec<Section<'d>> {
    let sections = elf.sections.iter().filter(|section| section.is_alloc());
    sections.map(|section| Section { sh_name: 0, ..section.clone() }).collect()
}

#[test]
fn a_stripped_program_is_whole() {
    let program = &FILES[1];
    let directory = tempfile::tempdir().unwrap();
    for strip_symbols in [false, true] {
        // Kept relocations need the symbol table.
        let Ok(new_file) = stripped(program, strip_symbols, Some((".new", b"contents"))) else {
            assert!(strip_symbols);
            continue;
        };
        let (old, new) = (Elf::parse(program).unwrap().unwrap(), Elf::parse(&new_file).unwrap().unwrap());
        assert!(!new.sections.iter().any(|section| section.name.starts_with(b".debug")));
        assert_eq!(in_memory(&old), in_memory(&new));
        assert_eq!(new.named(".new").next().unwrap().bytes(&new_file).unwrap(), b"contents");
        let path = directory.path().join("prog");
        std::fs::write(&path, &new_file).unwrap();
        // Binutils read every table, and say so if one is odd.
        for arguments in [["readelf", "-aW"], ["objdump", "-x"], ["nm", "-a"]] {
            let output = Command::new(arguments[0]).arg(arguments[1]).arg(&path).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn other_files_are_left_alone() {
    let mut foreign = FILES[0].clone();
    foreign[18] = 183;
    let mut core = FILES[0].clone();
    core[16] = 4;
    for file in [&foreign[..], &core, b"", b"\x7fELF", b"!<arch>\n", b"BC\xc0\xde", b"#!/bin/sh\n"] {
        assert!(Elf::parse(file).unwrap().is_none());
    }
    assert_eq!(Elf::parse(&FILES[0]).unwrap().unwrap().kind, FileKind::Object);
    assert!(stripped(&FILES[0], false, None).is_err(), "an object is not laid out anew");
}

#[test]
fn records_round_trip() {
    let records = [
        Record { payload: b"", asked: false, unasked_debug_info: 0 },
        Record { payload: b"12345678", asked: true, unasked_debug_info: 0 },
        Record { payload: b"123456789", asked: false, unasked_debug_info: u64::MAX },
    ];
    let mut section = Vec::new();
    for record in &records {
        record.write(&mut section);
        assert_eq!(section.len() % 8, 0);
    }
    assert_eq!(Record::read_all(&section).unwrap(), records);
    for end in (1..section.len()).filter(|end| ![24, 56].contains(end)) {
        let cut = Record::read_all(&section[..end]);
        assert!(cut.is_err() || cut.unwrap() == records, "cut at {end}");
    }
}

#[test]
fn a_block_in_bitcode_is_found_again() {
    let mut file = b"BC\xc0\xde".to_vec();
    let all = [&b""[..], b"1234", &[0xff; 31], &[7; 32], &[1; 5000]];
    for contents in all {
        file.extend(bitcode::block(&file, contents).unwrap());
        // A block of another kind, with two words of contents.
        file.extend([1 | 8 << 2 | 3 << 10, 2, 0x5a5a_5a5a, 0].map(u32::to_le_bytes).concat());
    }
    assert_eq!(bitcode::contents(&file).unwrap(), all);
    assert!(bitcode::contents(&file[..file.len() - 4]).is_err());
    assert!(bitcode::contents(b"\x7fELF").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_it_panic(
        which in 0..2_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..12),
        end in any::<prop::sample::Index>(),
        cut in prop::bool::weighted(0.2),
    ) {
        let mut file = FILES[which].clone();
        let table = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
        for (index, byte, in_tables) in damage {
            let length = file.len();
            // Half of the damage goes where it matters: the file header and the section headers.
            let position = match in_tables {
                true if byte % 4 == 0 => index.index(64),
                true => table + index.index(length - table),
                false => index.index(length),
            };
            file[position] = byte;
        }
        if cut {
            file.truncate(end.index(file.len()));
        }
        exercise(&file);
    }
}
