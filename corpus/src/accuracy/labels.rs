//! `corpus/labels/PROGRAM.toml`: drawn allocation calls, and what people who read the source say that each allocates.
//! `corpus/labels/README.md` has the rules.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::places;

/// The labels of one program.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// The drawn calls, in the order in which they were drawn.
    #[serde(default)]
    pub call: Vec<Label>,
}

/// One drawn call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// `PACKAGE/PATH:LINE:COLUMN`, counted from 1, in bytes.
    pub at: String,
    /// The function or macro that is called.
    pub callee: String,
    /// The line, without the space around it.
    pub quote: String,
    /// What it allocates; empty where nobody has read it yet.
    #[serde(rename = "type")]
    pub type_text: String,
    /// What the reader found that the line does not show.
    #[serde(default)]
    pub why: String,
}

/// Where a drawn call is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// The path, from the name of its package on.
    pub file: &'a str,
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
}

impl Label {
    /// The parts of [`Label::at`].
    pub fn place(&self) -> Result<Place<'_>> {
        let wrong = || format!("{} is not PATH:LINE:COLUMN", self.at);
        let (rest, column) = self.at.rsplit_once(':').with_context(wrong)?;
        let (file, line) = rest.rsplit_once(':').with_context(wrong)?;
        Ok(Place {
            file,
            line: line.parse().with_context(wrong)?,
            column: column.parse().with_context(wrong)?,
        })
    }

    /// Checks the quote and the callee against the text of the file.
    pub fn check_quote(&self, source: &str) -> Result<()> {
        let place = self.place()?;
        let line = source.lines().nth(place.line - 1).unwrap_or_default();
        ensure!(
            line.trim() == self.quote,
            "{}: the source says `{}`, the quote `{}`",
            self.at,
            line.trim(),
            self.quote
        );
        let callee = line.get(place.column - 1..).unwrap_or_default();
        ensure!(callee.starts_with(&self.callee), "{}: no {} there", self.at, self.callee);
        Ok(())
    }
}

impl Labels {
    /// The file of a program.
    pub fn path(program: &str) -> PathBuf {
        places::corpus().join("labels").join(format!("{program}.toml"))
    }

    /// Reads the labels of a program; there are none where nothing was drawn.
    pub fn read(program: &str) -> Result<Self> {
        let path = Self::path(program);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Whether somebody has filled in any.
    pub fn are_filled_in(&self) -> bool {
        self.call.iter().any(|label| !label.type_text.trim().is_empty())
    }

    /// Appends drawn calls to the file of a program. What is there stays as people wrote it.
    pub fn append(program: &str, drawn: &[Label]) -> Result<()> {
        if drawn.is_empty() {
            return Ok(());
        }
        let path = Self::path(program);
        let mut text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(_) => format!(
                "# What allocation calls of {program} allocate, by people who read its source: see README.md.\n"
            ),
        };
        for label in drawn {
            text += &label.render();
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Label {
    fn render(&self) -> String {
        let mut out = String::from("\n[[call]]\n");
        for (key, value) in
            [("at", &self.at), ("callee", &self.callee), ("quote", &self.quote), ("type", &self.type_text)]
        {
            let quote = match value {
                value if !value.contains(['"', '\\']) => "\"",
                value if !value.contains('\'') => "'",
                _ => "'''",
            };
            let value = if quote == "\"" { value.replace('\t', "\\t") } else { value.clone() };
            let _ = writeln!(out, "{key} = {quote}{value}{quote}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(quote: &str) -> Label {
        Label {
            at: "p/a.c:2:5".into(),
            callee: "malloc".into(),
            quote: quote.into(),
            type_text: String::new(),
            why: String::new(),
        }
    }

    #[test]
    fn what_is_rendered_reads_back() {
        for quote in
            ["p = malloc(1);", "p =\tmalloc(1);", "f(\"a\\n\", malloc(1))", "f(\"a\", 'b', malloc(1))"]
        {
            let read: Labels = toml::from_str(&label(quote).render()).unwrap();
            assert_eq!(read.call, [label(quote)]);
        }
    }

    #[test]
    fn quotes_are_checked() {
        let check =
            |source: &str| label("p = malloc(1);").check_quote(source).map_err(|error| error.to_string());
        assert_eq!(check("\np = malloc(1); "), Ok(()));
        assert_eq!(check("\n  p = malloc(1); ").unwrap_err(), "p/a.c:2:5: no malloc there");
        let other = check("p = malloc(1);\nq;\n").unwrap_err();
        assert_eq!(other, "p/a.c:2:5: the source says `q;`, the quote `p = malloc(1);`");
        assert_eq!(label("").place().unwrap(), Place { file: "p/a.c", line: 2, column: 5 });
    }
}
