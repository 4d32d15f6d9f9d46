//! The invariant that the program's code is not touched: executable sections of two object files, relocations included.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, elf};

/// Bytes and relocations of one section.
#[derive(PartialEq, Eq)]
struct Code {
    bytes: Vec<u8>,
    relocations: Vec<Relocation>,
}

/// A relocation without symbol indices, which debug information shifts.
#[derive(PartialEq, Eq, Debug)]
struct Relocation {
    offset: u64,
    kind: String,
    target: String,
    addend: i64,
}

/// Checks that the executable sections of `found` are those of `expected`.
pub fn same_code(expected: &Path, found: &Path) -> Result<()> {
    let (expected, found) = (executable_sections(expected)?, executable_sections(found)?);
    ensure!(
        expected.keys().eq(found.keys()),
        "executable sections differ: {:?}, not {:?}",
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    for ((name, expected), found) in expected.iter().zip(found.values()) {
        if expected.bytes != found.bytes {
            let byte = expected.bytes.iter().zip(&found.bytes).take_while(|(a, b)| a == b).count();
            bail!("section {} differs at byte {byte:#x}", name.0);
        }
        if let Some((a, b)) = expected.relocations.iter().zip(&found.relocations).find(|(a, b)| a != b) {
            bail!("section {}: relocation {b:?}, not {a:?}", name.0);
        }
        ensure!(
            expected.relocations.len() == found.relocations.len(),
            "section {}: {} relocations, not {}",
            name.0,
            found.relocations.len(),
            expected.relocations.len()
        );
    }
    Ok(())
}

/// Sections by name and by rank among those of the same name: COMDAT groups repeat names.
fn executable_sections(path: &Path) -> Result<BTreeMap<(String, usize), Code>> {
    let read = || -> Result<_> {
        let data = fs::read(path)?;
        let file = object::File::parse(&*data)?;
        let mut sections = BTreeMap::new();
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { bail!("not an ELF file") };
            if sh_flags.contains(elf::SHF_EXECINSTR) {
                let name = section.name()?.to_owned();
                let rank = sections.keys().filter(|(other, _)| *other == name).count();
                let relocations = section.relocations().map(|(offset, r)| relocation(&file, offset, &r));
                let code = Code {
                    bytes: section.data()?.to_owned(),
                    relocations: relocations.collect::<Result<_>>()?,
                };
                sections.insert((name, rank), code);
            }
        }
        Ok(sections)
    };
    read().with_context(|| format!("in {}", path.display()))
}

fn relocation(file: &object::File<'_>, offset: u64, relocation: &object::Relocation) -> Result<Relocation> {
    let target = match relocation.target() {
        RelocationTarget::Symbol(index) => {
            let symbol = file.symbol_by_index(index)?;
            match symbol.section_index() {
                Some(section) if symbol.name()?.is_empty() => {
                    file.section_by_index(section)?.name()?.to_owned()
                }
                _ => symbol.name()?.to_owned(),
            }
        }
        other => format!("{other:?}"),
    };
    Ok(Relocation { offset, kind: format!("{:?}", relocation.flags()), target, addend: relocation.addend() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{child, tools};
    use std::path::PathBuf;
    use std::process::Command;

    fn compile(dir: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
        let (file, out) = (dir.join(format!("{name}.c")), dir.join(format!("{name}.o")));
        fs::write(&file, source).unwrap();
        child::must(
            Command::new(tools::find("cc").unwrap()).arg("-c").args(flags).arg(&file).arg("-o").arg(&out),
        )
        .unwrap();
        out
    }

    #[test]
    fn code_is_compared_with_its_relocations() {
        let dir = tempfile::tempdir().unwrap();
        let check = |other: &str, flags: &[&str], expect: &str| {
            let source = "int f(int); int g(int); int h(int x) { return f(x) + 1; }";
            let expected = compile(dir.path(), "expected", source, &["-g"]);
            let found = compile(dir.path(), "found", other, flags);
            let message = same_code(&expected, &found).err().map_or("same".into(), |error| error.to_string());
            assert!(message.contains(expect), "{message}");
        };
        check("int f(int); int g(int); int h(int x) { return f(x) + 1; }", &[], "same");
        check(
            "int f(int); int g(int); int h(int x) { return f(x) + 2; }",
            &[],
            "section .text differs at byte",
        );
        check("int f(int); int g(int); int h(int x) { return g(x) + 1; }", &[], "target: \"g\"");
        check(
            "int f(int); int g(int); int h(int x) { return f(x) + 1; }",
            &["-ffunction-sections"],
            "executable sections differ",
        );
    }
}
