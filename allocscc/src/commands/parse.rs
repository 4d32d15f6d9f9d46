//! `allocs parse FILE…`: what the front end reads of preprocessed C, and what it does not.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::c::parser::with_stack;
use crate::c::{Parser, lexer};

/// Arguments of `allocs parse`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// C behind the preprocessor, as `cc -E` writes it.
    #[arg(value_hint = clap::ValueHint::FilePath, required = true)]
    pub files: Vec<PathBuf>,
}

/// What was read of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The external declarations, those that could not be read among them.
    pub declarations: usize,
    /// `file:line: reason` of each that could not be read.
    pub skipped: Vec<String>,
}

/// Prints a line for each file, and one for each external declaration that could not be read.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in &args.files {
        let read = read_file(path).with_context(|| path.display().to_string())?;
        let (declarations, skipped) = (read.declarations, read.skipped.len());
        writeln!(out, "{}: {declarations} external declarations, {skipped} skipped", path.display())
            .context("writing to standard output")?;
        for skipped in &read.skipped {
            writeln!(out, "  {skipped}").context("writing to standard output")?;
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> anyhow::Result<Read> {
    let source = std::fs::read(path).context("cannot be read")?;
    ensure!(u32::try_from(source.len()).is_ok(), "the file is 4 GiB or more");
    with_stack(|| read(&source)).context("no memory for the stack of the parser")
}

/// Reads all external declarations of a preprocessed file of less than 4 GiB.
#[must_use]
pub fn read(source: &[u8]) -> Read {
    let tokens = lexer::tokenize(source);
    let mut parser = Parser::new(&tokens);
    let mut declarations = 0;
    while parser.advance().is_some() {
        declarations += 1;
    }
    let skipped = parser.skipped.iter().map(|rejected| {
        let token = tokens.get(rejected.at);
        format!("{}:{}: {}", tokens.file(token.file), token.line, rejected.in_words(&tokens))
    });
    Read { declarations, skipped: skipped.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_c_is_counted_and_placed() {
        let read = read(b"# 1 \"a.c\"\nint a;\nint f(void) { return a +; }\nint g(void) { return a; }\n");
        assert_eq!(read.declarations, 3);
        assert_eq!(read.skipped.len(), 1);
        assert!(read.skipped[0].starts_with("a.c:2: "), "{:?}", read.skipped);
        assert!(read.skipped[0].ends_with("found `;`"), "{:?}", read.skipped);
    }
}
