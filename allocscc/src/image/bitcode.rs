//! A block of our own at the end of an LLVM bitcode file, which is what `clang -flto` writes in the place of an object.
//!
//! A bitcode file is a sequence of blocks; readers skip those that they do not know, as the format's manual promises. Ours holds
//! one record with one blob, spelled in full so that tools that print every block can print it too.

use anyhow::{Context, Result, bail, ensure};

use super::elf::u32_at;

const MAGIC: &[u8] = b"BC\xc0\xde";
/// Identifier of our block; LLVM numbers its own from 0 upwards, and is below 30.
const BLOCK_ID: u32 = 103;
/// Bits of an abbreviation number inside our block.
const ABBREVIATION_WIDTH: u32 = 3;

const ENTER_SUBBLOCK: u32 = 1;
const END_BLOCK: u32 = 0;
const DEFINE_ABBREVIATION: u32 = 2;
const FIRST_ABBREVIATION: u32 = 4;
const BLOB: u32 = 5;

/// Whether the file is bitcode.
pub fn is_bitcode(file: &[u8]) -> bool {
    file.starts_with(MAGIC)
}

/// The bytes to write behind the end of `file` so that it holds `contents`.
pub fn block(file: &[u8], contents: &[u8]) -> Result<Vec<u8>> {
    ensure!(is_bitcode(file) && file.len().is_multiple_of(4), "not a whole bitcode file");
    let mut body = BitWriter::default();
    body.fixed(DEFINE_ABBREVIATION, ABBREVIATION_WIDTH);
    body.variable(2, 5);
    body.fixed(1, 1);
    body.variable(0, 8);
    body.fixed(0, 1);
    body.fixed(BLOB, 3);
    body.fixed(FIRST_ABBREVIATION, ABBREVIATION_WIDTH);
    body.variable(u32::try_from(contents.len()).context("too many facts")?, 6);
    body.align();
    body.bytes.extend(contents);
    body.align();
    body.fixed(END_BLOCK, ABBREVIATION_WIDTH);
    body.align();

    let mut block = BitWriter::default();
    block.fixed(ENTER_SUBBLOCK, 2);
    block.variable(BLOCK_ID, 8);
    block.variable(ABBREVIATION_WIDTH, 4);
    block.align();
    block.bytes.extend((body.bytes.len() as u32 / 4).to_le_bytes());
    block.bytes.extend(body.bytes);
    Ok(block.bytes)
}

/// The contents of our blocks in a bitcode file.
pub fn contents(file: &[u8]) -> Result<Vec<&[u8]>> {
    ensure!(is_bitcode(file), "not bitcode");
    let mut found = Vec::new();
    let mut position = MAGIC.len();
    while position + 8 <= file.len() {
        let head = u32_at(file, position)?;
        let length = u32_at(file, position + 4)? as usize * 4;
        let body = position + 8..(position + 8).saturating_add(length);
        let Some(body) = file.get(body) else { bail!("a block does not end in the file") };
        // The two low bits say that a block begins, the next eight which one.
        if head & 3 == ENTER_SUBBLOCK && head >> 2 & 0xff == BLOCK_ID {
            found.push(blob(body)?);
        }
        position += 8 + length;
    }
    Ok(found)
}

/// The blob of a block that [`block`] has written.
fn blob(body: &[u8]) -> Result<&[u8]> {
    /// Bits before the blob's length.
    const FIXED: usize = 3 + 5 + 1 + 8 + 1 + 3 + 3;
    let bit =
        |position: usize| body.get(position / 8).map_or(0, |byte| usize::from(byte >> (position % 8) & 1));
    let mut length = 0;
    let mut position = FIXED;
    for group in 0..7 {
        for place in 0..5 {
            length |= bit(position + place) << (group * 5 + place);
        }
        position += 6;
        if bit(position - 1) == 0 {
            let start = position.next_multiple_of(32) / 8;
            return body
                .get(start..)
                .and_then(|rest| rest.get(..length))
                .context("a blob does not end in its block");
        }
    }
    bail!("a blob is too long")
}

/// Writes the low bits of numbers first, as the format wants it.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    /// Bits used in the last byte; 0 when it is full.
    used: u32,
}

impl BitWriter {
    fn fixed(&mut self, value: u32, width: u32) {
        for place in 0..width {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> place & 1) as u8) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }

    /// Groups of `width - 1` bits, each with a bit that says whether another follows.
    fn variable(&mut self, mut value: u32, width: u32) {
        let more = 1 << (width - 1);
        while value >= more {
            self.fixed(value & (more - 1) | more, width);
            value >>= width - 1;
        }
        self.fixed(value, width);
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.used = 0;
    }
}
