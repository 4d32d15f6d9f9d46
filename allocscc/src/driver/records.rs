//! The section that carries facts from the compiler's objects to the link, and its framing.
//!
//! The linker concatenates the sections of its inputs, so each record says how long it is:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | length of the payload |
//! | 8 | flags: bit 0, the user asked for debug info in this object |
//! | 8 | bytes of `.debug_info` in this object that nobody asked for |
//! | … | payload, padded with zeros to a multiple of 8 |
//!
//! Numbers are little-endian. The payload is what [`super::hooks::Analyse`] returned; it is empty where that failed.

use anyhow::{Context, Result};

use crate::image::elf::{slice, u64_at};

/// The section's name. It is not loaded, and only objects and the outputs of `ld -r` have it.
pub const FACTS_SECTION: &str = ".allocs.facts";

const HEADER_SIZE: usize = 24;
const ASKED: u64 = 1;

/// One record, borrowed from a section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record<'a> {
    /// The facts of one source.
    pub payload: &'a [u8],
    /// The user asked for debug info in this object.
    pub asked: bool,
    /// Bytes of `.debug_info` that nobody asked for.
    pub unasked_debug_info: u64,
}

impl<'a> Record<'a> {
    /// Appends the record's bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend((self.payload.len() as u64).to_le_bytes());
        out.extend((u64::from(self.asked) * ASKED).to_le_bytes());
        out.extend(self.unasked_debug_info.to_le_bytes());
        out.extend(self.payload);
        out.resize(out.len().next_multiple_of(8), 0);
    }

    /// Reads all records of a section.
    pub fn read_all(section: &'a [u8]) -> Result<Vec<Record<'a>>> {
        let mut records = Vec::new();
        let mut rest = section;
        while !rest.is_empty() {
            let length = u64_at(rest, 0)?;
            let payload = slice(rest, HEADER_SIZE as u64, length).with_context(|| {
                format!("a record of {length} bytes does not end in section {FACTS_SECTION}")
            })?;
            records.push(Record {
                payload,
                asked: u64_at(rest, 8)? & ASKED != 0,
                unasked_debug_info: u64_at(rest, 16)?,
            });
            rest = rest.get((HEADER_SIZE + payload.len()).next_multiple_of(8)..).unwrap_or_default();
        }
        Ok(records)
    }
}
