//! The metadata of the file that a command is given.

use std::path::Path;

use allocs_metadata::{Metadata, Reason, SECTION_NAME, SiteRecord};
use anyhow::Context;
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSection};

use crate::emit::Aligned;

/// The metadata in a linked file, or all of a file that is nothing else; to be read by [`parse`].
pub(super) fn load(path: &Path) -> anyhow::Result<Aligned> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let section = section(&bytes).with_context(|| path.display().to_string())?;
    Ok(Aligned::copy(&section))
}

/// Reads what [`load`] found.
pub(super) fn parse<'a>(path: &Path, bytes: &'a Aligned) -> anyhow::Result<Metadata<'a>> {
    Metadata::parse(bytes.bytes()).with_context(|| format!("{}: section {SECTION_NAME}", path.display()))
}

fn section(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    if bytes.starts_with(&allocs_metadata::MAGIC) {
        return Ok(bytes.to_vec());
    }
    let elf = ElfFile64::<LittleEndian>::parse(bytes).context("neither an ELF file nor metadata")?;
    let section = elf
        .section_by_name(SECTION_NAME)
        .with_context(|| format!("no section {SECTION_NAME}: was it linked by allocscc?"))?;
    Ok(section.uncompressed_data().with_context(|| format!("section {SECTION_NAME}"))?.into_owned())
}

/// Why nothing is known of what a site allocates.
pub(super) fn reason(m: &Metadata<'_>, site: &SiteRecord) -> Option<String> {
    let sentence = Reason::from_u8(site.reason).sentence();
    match (sentence, m.text(site.detail)) {
        ("", _) => None,
        (_, "") => Some(sentence.to_owned()),
        (_, detail) => Some(format!("{sentence}: {detail}")),
    }
}
