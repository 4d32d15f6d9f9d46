//! The shared libraries that a link took: what their functions allocate for callers in the file that was linked.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use allocs_metadata::{Metadata, SECTION_NAME};
use object::read::elf::ElfFile64;
use object::{Object, ObjectKind, ObjectSection};
use rustc_hash::FxHashSet;

use crate::driver::hooks::LinkOutput;
use crate::emit::Aligned;
use crate::image::dynamic;
use crate::sites::imports::Imports;
use crate::sites::signature::Signature;

/// What the linked file wants of other files. A library that cannot be read has nothing.
pub(super) fn imports(output: &LinkOutput<'_>, file: &ElfFile64<'_>) -> Imports {
    let mut missing = dynamic::undefined_symbols(file);
    let mut imports = Imports::default();
    for path in libraries(output) {
        if missing.is_empty() {
            break;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        add_library(&bytes, &mut missing, &mut imports);
    }
    // Only where the map names all libraries is a function that none of them has one that nothing defines.
    if loaded(output).next().is_some() {
        imports.undefined = missing.into_iter().map(str::to_owned).collect();
    }
    imports
}

/// What the link editor's map says that it loaded. Not every one says so.
fn loaded<'a>(output: &LinkOutput<'a>) -> impl Iterator<Item = &'a str> {
    output.map.unwrap_or_default().lines().filter_map(|line| line.strip_prefix("LOAD "))
}

/// The libraries in the order of the link, in which a symbol is that of the first that has it.
pub(super) fn libraries(output: &LinkOutput<'_>) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = loaded(output).map(PathBuf::from).collect();
    all.extend(output.inputs.shared_libraries());
    let mut seen = HashSet::new();
    all.retain(|path| is_shared_library(path) && seen.insert(path.clone()));
    all
}

/// By its name, before it is read: most inputs are objects and archives.
fn is_shared_library(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    !name.ends_with(b".o") && !name.ends_with(b".a")
}

fn add_library(bytes: &[u8], missing: &mut FxHashSet<&str>, imports: &mut Imports) {
    let Ok(library) = ElfFile64::<object::Endianness>::parse(bytes) else { return };
    if library.kind() != ObjectKind::Dynamic {
        return;
    }
    let section = library.section_by_name(SECTION_NAME).and_then(|section| section.uncompressed_data().ok());
    let section = section.map(|bytes| Aligned::copy(&bytes));
    let metadata = section.as_ref().and_then(|section| Metadata::parse(section.bytes()).ok());
    for (name, svma) in dynamic::exported_functions(&library) {
        if !missing.remove(name) {
            continue;
        }
        let wrapper = metadata.as_ref().and_then(|m| Some(m.text(m.wrapper_at(svma.0)?.text)));
        if let Some(signature) = wrapper.and_then(Signature::parse) {
            imports.wrappers.insert(name.to_owned(), signature);
        }
    }
}
