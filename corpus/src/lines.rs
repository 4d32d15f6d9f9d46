//! How large a program is: the lines of the files of its packages that its debug information names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gimli::{EndianSlice, LittleEndian};
use object::{Object, ObjectSection};

type Dwarf<'a> = gimli::Dwarf<EndianSlice<'a, LittleEndian>>;

/// A package: where it is compiled, and where it is unpacked.
pub type Place = (PathBuf, PathBuf);

/// The lines of the source files and headers of an executable, each file once. What a build generates is in no package and
/// does not count; a header that only defines macros has no place in debug information.
pub fn of_program(executable: &Path, places: &[Place]) -> Result<u64> {
    let named = files(executable).with_context(|| format!("in {}", executable.display()))?;
    ensure!(!named.is_empty(), "{} has no debug information", executable.display());
    let in_package = |file: PathBuf| {
        let unpacked = |(compiled, unpacked): &Place| Some(unpacked.join(file.strip_prefix(compiled).ok()?));
        places.iter().find_map(unpacked)
    };
    let sources: BTreeSet<PathBuf> = named.into_iter().filter_map(in_package).collect();
    Ok(sources.iter().filter_map(|source| fs::read(source).ok()).map(|text| lines(&text)).sum())
}

fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The absolute paths of all files of all line tables.
pub fn files(executable: &Path) -> Result<BTreeSet<PathBuf>> {
    let data = fs::read(executable)?;
    let file = object::File::parse(&*data)?;
    let section = |id: gimli::SectionId| -> Result<_, object::Error> {
        let bytes = file.section_by_name(id.name()).map(|section| section.data()).transpose()?;
        Ok(EndianSlice::new(bytes.unwrap_or_default(), LittleEndian))
    };
    let dwarf = Dwarf::load(section)?;
    let mut found = BTreeSet::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let Some(program) = &unit.line_program else { continue };
        let text = |value| -> Result<PathBuf> {
            Ok(PathBuf::from(dwarf.attr_string(&unit, value)?.to_string_lossy().into_owned()))
        };
        let base =
            unit.comp_dir.map(|dir| PathBuf::from(dir.to_string_lossy().into_owned())).unwrap_or_default();
        for entry in program.header().file_names() {
            let dir = entry.directory(program.header()).map(text).transpose()?.unwrap_or_default();
            found.insert(normal(&base.join(dir).join(text(entry.path_name())?)));
        }
    }
    Ok(found)
}

/// Without `.` and `..`.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{child, tools};
    use std::process::Command;

    #[test]
    fn each_file_of_the_package_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().canonicalize().unwrap();
        let package = place.join("package");
        fs::create_dir(&package).unwrap();
        fs::write(package.join("a.h"), "struct a {\n  int n;\n};\n").unwrap();
        fs::write(package.join("a.c"), "#include \"../package/a.h\"\nint f(struct a *a) { return a->n; }\n")
            .unwrap();
        fs::write(package.join("unused.c"), "int unused;\n").unwrap();
        fs::write(
            place.join("main.c"),
            "#include <stdlib.h>\n#include \"package/a.h\"\nint f(struct a *);\nint main(void) { struct a a = {0}; return f(&a); }\n",
        )
        .unwrap();
        let out = place.join("out");
        let mut cc = Command::new(tools::find("cc").unwrap());
        cc.current_dir(&place).args(["-g", "main.c", "package/a.c", "-o"]).arg(&out);
        child::must(&mut cc).unwrap();
        let check = |compiled: &Path, expect: u64| {
            assert_eq!(of_program(&out, &[(compiled.to_owned(), package.clone())]).unwrap(), expect);
        };
        check(&package, 5);
        check(&place.join("elsewhere"), 0);
    }
}
