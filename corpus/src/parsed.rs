//! How much of the C in a program our front end reads: `allocs parse` on what the preprocessor makes of each source.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::child;

/// One external declaration in so many may be left out.
const ONE_IN: usize = 1000;

/// What was read of a program's sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The external declarations, those of headers in each source that includes them.
    pub declarations: usize,
    /// `file:line: reason` of each that could not be read.
    pub skipped: Vec<String>,
}

impl Parsed {
    /// What `allocs` reads of a preprocessed file.
    pub fn of(allocs: &Path, file: &Path) -> Result<Self> {
        let printed = child::printed_lossy(Command::new(allocs).arg("parse").arg(file))?;
        Self::read(&printed).with_context(|| format!("allocs parse says: {printed}"))
    }

    /// Reads a line `FILE: N external declarations, M skipped`, and M lines behind it.
    fn read(printed: &str) -> Result<Self> {
        let (first, rest) = printed.split_once('\n').context("not a line")?;
        let counts = first.rsplit_once(": ").context("no file")?.1;
        let (declarations, counts) = counts.split_once(" external declarations, ").context("no count")?;
        let count: usize = counts.strip_suffix(" skipped").context("not what was skipped")?.parse()?;
        let skipped: Vec<String> = rest.lines().map(|line| line.trim_start().to_owned()).collect();
        ensure!(skipped.len() == count, "{count} skipped, {} listed", skipped.len());
        Ok(Self { declarations: declarations.parse()?, skipped })
    }

    /// Takes in those of another source.
    pub fn add(&mut self, other: Self) {
        self.declarations += other.declarations;
        self.skipped.extend(other.skipped);
    }

    /// Fails if too much was left out.
    pub fn is_enough(&self) -> Result<()> {
        ensure!(
            self.skipped.len() * ONE_IN <= self.declarations,
            "{} of {} external declarations were not read, more than one in {ONE_IN}:\n{}",
            self.skipped.len(),
            self.declarations,
            self.skipped.join("\n")
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tool_prints_is_read() {
        let parsed = Parsed::read(
            "a: b.i: 2345 external declarations, 2 skipped\n  a.c:3: expected `;`\n  b.h:1: found `+`\n",
        );
        let skipped = ["a.c:3: expected `;`", "b.h:1: found `+`"].map(str::to_owned).to_vec();
        assert_eq!(parsed.unwrap(), Parsed { declarations: 2345, skipped });
        assert!(Parsed::read("a.i: 1 external declarations, 1 skipped\n").is_err());
    }

    #[test]
    fn one_in_a_thousand_may_be_left_out() {
        let parsed =
            |declarations, skipped| Parsed { declarations, skipped: vec!["a.c:1: …".to_owned(); skipped] };
        assert!(parsed(0, 0).is_enough().is_ok());
        assert!(parsed(1000, 1).is_enough().is_ok());
        assert!(parsed(1999, 2).is_enough().unwrap_err().to_string().contains("a.c:1"));
    }
}
