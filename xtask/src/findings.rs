//! What a run of the corpus has found, on one machine or merged from many: `--json` writes it, `--merge` reads it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Part N of M of the corpus, counted from 1: every M-th program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    part: usize,
    parts: usize,
}

impl FromStr for Part {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (part, parts) = text.split_once('/').context("not of the form N/M")?;
        let (part, parts) = (part.parse()?, parts.parse()?);
        ensure!(1 <= part && part <= parts, "the part is not between 1 and {parts}");
        Ok(Self { part, parts })
    }
}

impl Part {
    pub(crate) fn of(self, programs: &[String]) -> Vec<String> {
        programs.iter().skip(self.part - 1).step_by(self.parts).cloned().collect()
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// All programs that were to be run, in the order of the table, whatever part of them was run here.
    pub(crate) programs: Vec<String>,
    /// What the test of each program that was run has left behind.
    pub(crate) results: BTreeMap<String, Value>,
}

impl Findings {
    /// One out of several, which must make up the whole: each program was run once.
    pub(crate) fn merge(files: &[PathBuf]) -> Result<Self> {
        let all: Vec<Self> = files.iter().map(|file| Self::read(file)).collect::<Result<_>>()?;
        let mut merged = Self { programs: all[0].programs.clone(), results: BTreeMap::new() };
        for (findings, file) in all.into_iter().zip(files) {
            merged.add(findings).with_context(|| format!("in {}", file.display()))?;
        }
        let missing: Vec<&str> = merged.missing().collect();
        ensure!(missing.is_empty(), "no file has the results of {}", missing.join(", "));
        Ok(merged)
    }

    fn add(&mut self, other: Self) -> Result<()> {
        ensure!(self.programs == other.programs, "the corpus is another one than in the first file");
        for (program, result) in other.results {
            if self.results.insert(program.clone(), result).is_some() {
                bail!("{program} is in a file before, too");
            }
        }
        Ok(())
    }

    fn missing(&self) -> impl Iterator<Item = &str> {
        self.programs.iter().map(String::as_str).filter(|program| !self.results.contains_key(*program))
    }

    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} holds no results", file.display()))
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
    }

    /// The results in the order of the table.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Value> {
        self.programs.iter().filter_map(|program| self.results.get(program))
    }

    /// The programs that failed, and why.
    pub(crate) fn failures(&self) -> Vec<(&str, &str)> {
        let failure = |program| Some((program, self.results.get(program)?["failure"].as_str()?));
        self.programs.iter().map(String::as_str).filter_map(failure).collect()
    }
}

/// What the test of a program has left behind. One that failed without a word has a failure all the same.
pub(crate) fn result(file: &Path, program: &str, failed: bool) -> Value {
    let left = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let mut result = left.unwrap_or_else(|| json!({ "program": program, "alloca": [], "failure": null }));
    if result["failure"].is_null() && (failed || result["snapshot"].is_null()) {
        result["failure"] = "the test ended early".into();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("p{index:02}")).collect()
    }

    #[test]
    fn parts_are_read() {
        assert_eq!("2/3".parse::<Part>().unwrap(), Part { part: 2, parts: 3 });
        for wrong in ["3/2", "0/2", "2", "a/b"] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_of_one_size_and_make_up_the_whole() {
        for (count, parts) in (0..40).flat_map(|count| (1..9).map(move |parts| (count, parts))) {
            let shares: Vec<_> = (1..=parts).map(|part| Part { part, parts }.of(&names(count))).collect();
            let sizes = shares.iter().map(Vec::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1, "{count} in {parts}");
            let mut together = shares.concat();
            together.sort();
            assert_eq!(together, names(count), "{count} in {parts}");
        }
    }

    /// Writes what one machine finds that runs a part of five programs.
    fn shard(dir: &Path, part: &str) -> PathBuf {
        let result = |name: String| (name.clone(), json!({ "program": name, "failure": null }));
        let programs = names(5);
        let results = part.parse::<Part>().unwrap().of(&programs).into_iter().map(result).collect();
        let file = dir.join(part.replace('/', "-"));
        Findings { programs, results }.write(&file).unwrap();
        file
    }

    #[test]
    fn parts_merge_to_the_whole_in_any_order() {
        let dir = tempfile::tempdir().unwrap();
        let [whole, first, second, third] = ["1/1", "1/3", "2/3", "3/3"].map(|part| shard(dir.path(), part));
        let merged = Findings::merge(&[third, first, second]).unwrap();
        assert_eq!(merged, Findings::read(&whole).unwrap());
        assert!(merged.rows().map(|row| row["program"].as_str().unwrap()).eq(names(5)));
    }

    #[test]
    fn what_does_not_make_up_the_whole_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let merge = |parts: &[&str]| {
            let files: Vec<_> = parts.iter().map(|part| shard(dir.path(), part)).collect();
            format!("{:#}", Findings::merge(&files).unwrap_err())
        };
        assert_eq!(merge(&["1/2"]), "no file has the results of p01, p03");
        assert!(merge(&["1/2", "2/2", "1/2"]).ends_with("p00 is in a file before, too"));
        let other = dir.path().join("other");
        Findings { programs: names(4), results: BTreeMap::new() }.write(&other).unwrap();
        let error = Findings::merge(&[shard(dir.path(), "1/1"), other]).unwrap_err();
        assert!(format!("{error:#}").ends_with("the corpus is another one than in the first file"));
    }

    #[test]
    fn a_test_that_ended_early_has_failed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.json");
        assert_eq!(result(&file, "p", true)["failure"], "the test ended early");
        fs::write(&file, r#"{ "program": "p", "snapshot": "same", "failure": null }"#).unwrap();
        assert_eq!(result(&file, "p", true)["failure"], "the test ended early");
        assert!(result(&file, "p", false)["failure"].is_null());
        fs::write(&file, r#"{ "program": "p", "snapshot": null, "failure": "no cc" }"#).unwrap();
        assert_eq!(result(&file, "p", true)["failure"], "no cc");
    }
}
