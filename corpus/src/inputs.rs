//! The generated input files of the workloads: the same bytes on every machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::manifest::{Content, Input, Manifest};
use crate::{child, fetch, places, tools};

/// Writes an input into the working directory.
pub fn write(input: &Input, dir: &Path) -> Result<()> {
    let bytes = match &input.content {
        Content::Package { from } => return copy(&packaged(from)?, &dir.join(&input.file)),
        Content::Copy { from } => {
            let path = places::corpus().join(from);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
        }
        Content::Text { bytes } => text(*bytes),
        Content::Reference { bases } => fasta("reference", &reference(*bases)),
        Content::Reads { bases, count, length } => reads(*bases, *count, *length),
    };
    fs::write(dir.join(&input.file), bytes).with_context(|| format!("cannot write {}", input.file))
}

/// A file or a directory of a package.
fn packaged(path: &str) -> Result<PathBuf> {
    let manifest = Manifest::read()?;
    let (name, rest) = path.split_once('/').context("a path starts with a package")?;
    Ok(fetch::sources(&manifest, manifest.package(name)?)?.join(rest))
}

/// Copies a file, or a directory with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut cp = Command::new(tools::find("cp")?);
    child::must(cp.arg("-R").arg(from).arg(to)).map(drop)
}

/// Marsaglia's xorshift64: tiny, seeded, and the same everywhere.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }
}

fn text(bytes: usize) -> Vec<u8> {
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let words: Vec<Vec<u8>> = (0..2000)
        .map(|_| (0..2 + random.below(9)).map(|_| b"etaoinshrdlucmfwyp"[random.below(18)]).collect())
        .collect();
    let mut out = Vec::with_capacity(bytes + 16);
    while out.len() < bytes {
        // The smaller of two draws makes some words common, as in real text.
        let word = random.below(words.len()).min(random.below(words.len()));
        out.extend_from_slice(&words[word]);
        out.push(if random.below(12) == 0 { b'\n' } else { b' ' });
    }
    out.truncate(bytes);
    out
}

fn reference(bases: usize) -> Vec<u8> {
    let mut random = Xorshift(0x0123_4567_89ab_cdef);
    (0..bases).map(|_| b"ACGT"[random.below(4)]).collect()
}

fn reads(bases: usize, count: usize, length: usize) -> Vec<u8> {
    let reference = reference(bases);
    let mut random = Xorshift(0xfedc_ba98_7654_3210);
    let mut out = Vec::new();
    for read in 0..count {
        let start = random.below(bases - length);
        let mut sequence = reference[start..start + length].to_vec();
        for base in &mut sequence {
            if random.below(20) == 0 {
                *base = b"ACGT"[random.below(4)];
            }
        }
        out.extend(fasta(&format!("read{read}"), &sequence));
    }
    out
}

fn fasta(name: &str, sequence: &[u8]) -> Vec<u8> {
    let mut out = format!(">{name}\n").into_bytes();
    for line in sequence.chunks(70) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::sha256;

    #[test]
    fn the_bytes_never_change() {
        let check = |bytes: &[u8], sum: &str| assert_eq!(&sha256(bytes)[..16], sum);
        check(&text(10_000), "5f0b52997e535044");
        check(&reads(5000, 3, 700), "1291635983de5b85");
    }
}
