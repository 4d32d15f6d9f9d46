//! Puts the facts of a source into the object file that the compiler made of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::debug::DebugRequest;
use super::plan::{Plan, Source};
use super::records::{FACTS_SECTION, Record};
use crate::image::append::append_to_file;
use crate::image::debug_info::debug_info_size;
use crate::image::elf::{Elf, FileKind};

/// The object file of `source` in a command that only compiles.
pub fn object_of(plan: &Plan, source: &Source) -> PathBuf {
    plan.output.clone().unwrap_or_else(|| source.default_object())
}

/// Adds a record to the object file at `path`.
pub fn add_facts(plan: &Plan, path: &Path, payload: &[u8]) -> Result<()> {
    let bytes = std::fs::read(path).context("cannot read the object file")?;
    let elf = Elf::parse(&bytes)?.context("not an x86-64 ELF object, so it can carry no facts")?;
    ensure!(elf.kind == FileKind::Object, "not an object file");
    ensure!(elf.named(FACTS_SECTION).next().is_none(), "it was not made by this compilation");
    let asked = plan.debug != DebugRequest::Nothing;
    let unasked_debug_info = if asked { 0 } else { debug_info_size(&elf)? };
    let mut section = Vec::new();
    Record { payload, asked, unasked_debug_info }.write(&mut section);
    append_to_file(path, &elf, FACTS_SECTION, &section)
}
