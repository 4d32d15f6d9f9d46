//! Puts the facts of a source into the object file that the compiler made of it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::debug::DebugRequest;
use super::plan::{Plan, Source};
use super::records::{FACTS_SECTION, Record};
use crate::image::append::append_to_file;
use crate::image::bitcode;
use crate::image::debug_info::debug_info_size;
use crate::image::elf::{Elf, FileKind};

/// The object file of `source` in a command that only compiles.
pub fn object_of(plan: &Plan, source: &Source) -> PathBuf {
    plan.output.clone().unwrap_or_else(|| source.default_object())
}

/// Adds a record to the object file at `path`.
pub fn add_facts(plan: &Plan, path: &Path, payload: &[u8]) -> Result<()> {
    let bytes = std::fs::read(path).context("cannot read the object file")?;
    let asked = plan.debug != DebugRequest::Nothing;
    let mut record = Record { payload, asked, unasked_debug_info: 0 };
    let mut section = Vec::new();
    if bitcode::is_bitcode(&bytes) {
        ensure!(bitcode::contents(&bytes)?.is_empty(), "it was not made by this compilation");
        record.write(&mut section);
        let block = bitcode::block(&bytes, &section)?;
        return Ok(File::options().append(true).open(path)?.write_all(&block)?);
    }
    let elf = Elf::parse(&bytes)?.context("not an x86-64 ELF object, so it can carry no facts")?;
    ensure!(elf.kind == FileKind::Object, "not an object file");
    ensure!(elf.named(FACTS_SECTION).next().is_none(), "it was not made by this compilation");
    if !asked {
        record.unasked_debug_info = debug_info_size(&elf)?;
    }
    record.write(&mut section);
    append_to_file(path, &elf, FACTS_SECTION, &section)
}
