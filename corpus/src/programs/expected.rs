//! What a program must print and how it must end, and the comparison.

use anyhow::{Context, Result, bail, ensure};
use regex_lite::Regex;

use crate::child::Outcome;

/// What a program prints and how it ends.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// All lines of standard output.
    pub stdout: Vec<String>,
    /// All lines of standard error, if they matter.
    pub stderr: Option<Vec<String>>,
    /// `exit N` or `signal N`.
    pub ending: String,
}

impl Expected {
    /// Checks a finished program; the error shows what it should have done and what it did.
    pub fn check(&self, outcome: &Outcome) -> Result<()> {
        let said = || format!("{}\n{}", outcome.ending(), String::from_utf8_lossy(&outcome.stderr));
        matches(&self.stdout, &outcome.stdout, "standard output").with_context(said)?;
        if let Some(stderr) = &self.stderr {
            matches(stderr, &outcome.stderr, "standard error")?;
        }
        ensure!(outcome.ending() == self.ending, "not {}, but {}", self.ending, said());
        Ok(())
    }
}

/// Checks a stream against its expected lines; the error shows both.
fn matches(expected: &[String], found: &[u8], stream: &str) -> Result<()> {
    let found = String::from_utf8_lossy(found);
    let lines: Vec<&str> = found.lines().collect();
    let mut report = String::new();
    let mut same = lines.len() == expected.len();
    for index in 0..lines.len().max(expected.len()) {
        match (expected.get(index), lines.get(index)) {
            (Some(pattern), Some(line)) if line_pattern(pattern)?.is_match(line) => {
                report += &format!("  {line}\n")
            }
            (pattern, line) => {
                same = false;
                report += &pattern.map_or(String::new(), |pattern| format!("- {pattern}\n"));
                report += &line.map_or(String::new(), |line| format!("+ {line}\n"));
            }
        }
    }
    ensure!(same, "{stream} is not as expected (- expected, + found)\n{report}");
    Ok(())
}

/// The regular expression of an expected line.
fn line_pattern(line: &str) -> Result<Regex> {
    let mut pattern = String::from("^");
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("[[") {
        let (inside, after) = after.split_once("]]").with_context(|| format!("no ]] in: {line}"))?;
        pattern += &regex_lite::escape(before);
        match inside.strip_prefix("re:") {
            Some(regex) => pattern += &format!("(?:{regex})"),
            None if inside == "..." => pattern += ".*",
            None => bail!("neither [[...]] nor [[re:X]]: {line}"),
        }
        rest = after;
    }
    pattern += &regex_lite::escape(rest);
    Regex::new(&(pattern + "$")).with_context(|| format!("not a regular expression: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_match_with_their_patterns() {
        let check = |pattern: &str, line: &str, expect: bool| {
            assert_eq!(
                matches(&[pattern.to_owned()], line.as_bytes(), "it").is_ok(),
                expect,
                "{pattern} / {line}"
            );
        };
        check("a.b", "a.b", true);
        check("a.b", "axb", false);
        check("At 0x[[re:[0-9a-f]+]] is", "At 0x7fe is", true);
        check("At 0x[[re:[0-9a-f]+]] is", "At 0xg is", false);
        check("[[...]] end", "any $ text end", true);
        check("[[...]] end", "end", false);
        check("one", "one\ntwo", false);
        check("one", "", false);
    }
}
