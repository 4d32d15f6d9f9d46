//! The licence texts of the crates in the products, which most of these licences want handed on.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::crates::Crate;

/// What a name of a file with such a text starts with.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// A list of the crates, then each text once, with the crates that it belongs to.
pub(super) fn of(crates: &[Crate]) -> Result<String> {
    let mut out = "Crates that are linked into allocscc and allocs, with their licences.\n\n".to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in crates {
        let name = format!("{} {}", one.name, one.version);
        out += &format!("{name}: {}\n", one.licence);
        for text in texts_of(one)? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    let mut texts: Vec<_> = texts.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();
    for (names, text) in texts {
        out += &format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), names.join(", "));
    }
    Ok(out)
}

fn texts_of(one: &Crate) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(&one.dir).with_context(|| format!("cannot list {}", one.dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    // A crate that gives a choice and brings no text states its licence in its manifest alone.
    let read = |path| Ok(String::from_utf8_lossy(&fs::read(path)?).trim().replace("\r\n", "\n"));
    let texts = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    ensure!(texts.iter().all(|text| !text.is_empty()), "{} has an empty licence", one.name);
    Ok(texts)
}
