//! The manual's example: what it prints, against the lines in the README.

use std::fs;

use anyhow::{Context, Result, ensure};
use regex_lite::Regex;

use crate::cargo;

/// The lines of the README that the example prints.
pub(super) fn expected() -> Result<String> {
    let text = fs::read_to_string(cargo::root()?.join("README.md")).context("cannot read README.md")?;
    let lines: Vec<&str> = lines_of(&text).collect();
    ensure!(lines.len() == 4, "README.md has {} lines of the example's output, not 4", lines.len());
    Ok(lines.join("\n"))
}

/// Compares what was printed, where addresses are as they come.
pub(super) fn judge(printed: &str, expected: &str) -> Result<&'static str> {
    let address = Regex::new("^At 0x[0-9a-f]+")?;
    let plain = |line: &str| address.replace(line.trim_end(), "At 0x…").into_owned();
    let printed: Vec<String> = lines_of(printed).map(plain).collect();
    let expected: Vec<String> = expected.lines().map(plain).collect();
    let [printed, expected] = [printed.join("\n"), expected.join("\n")];
    ensure!(printed == expected, "it prints\n{printed}\nbut the README says\n{expected}");
    Ok("prints the README's four lines")
}

/// A terminal ends lines in its own way, and a shell in it writes control sequences in front of some.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| line.starts_with("At 0x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_may_differ() {
        let expected = expected().unwrap();
        let moved = format!(
            "$ ./test\r\n\x1b[?2004l\r{}\r\n",
            expected.replace("At 0x5", "At 0x6").replace('\n', "\r\n")
        );
        judge(&moved, &expected).unwrap();
        assert!(judge(&expected.replace("168", "176"), &expected).is_err());
        assert!(judge("", &expected).is_err());
    }
}
