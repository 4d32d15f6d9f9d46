//! Analyses whose result a test can predict.

use std::path::Path;

use allocscc::driver::{Annotation, Hooks, LinkOutput, UnitInfo};
use anyhow::{Result, bail};

/// Facts are the source's name and the functions that it declares with the prefix `fact_`; metadata are all facts, a line each.
pub(crate) const HOOKS: Hooks = Hooks { analyse, annotate };

fn analyse(text: &[u8], unit: &UnitInfo) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    if text.contains("crash_the_analysis") {
        std::process::abort();
    }
    if text.contains("exit_the_analysis") {
        std::process::exit(3);
    }
    if text.contains("overflow_the_stack") {
        return Ok(vec![b'x'; overflow(1) % 2]);
    }
    if text.contains("refuse_the_analysis") {
        bail!("no facts in this one");
    }
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut facts: Vec<&str> = words.filter(|word| word.starts_with("fact_")).collect();
    facts.sort();
    facts.dedup();
    assert_eq!(unit.directory, std::env::current_dir()?);
    Ok(format!("{}: {}", unit.source.display(), facts.join(" ")).into_bytes())
}

fn annotate(output: &LinkOutput) -> Result<Option<Annotation>> {
    let mut lines: Vec<&[u8]> = output.facts.clone();
    lines.sort();
    let text = lines.join(&b'\n');
    let has = |word: &str| String::from_utf8_lossy(&text).contains(word);
    if has("fact_crash_the_link") {
        std::process::abort();
    }
    if has("fact_sleep_at_the_link") {
        std::fs::write("analysing", "")?;
        std::thread::sleep(std::time::Duration::from_secs(20));
    }
    if has("fact_refuse_the_link") {
        bail!("no metadata for {}", output.path.file_name().map(Path::new).unwrap_or(output.path).display());
    }
    Ok(Some(Annotation { metadata: text, ..Annotation::default() }))
}

#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: usize) -> usize {
    overflow(std::hint::black_box(depth + 1)) + 1
}
