//! Small C and C++ programs of our own, with directives in comments that say how to build and run each and what it prints.
//!
//! A directive is a line `//@ KEY: VALUE`:
//!
//! | key | meaning |
//! |---|---|
//! | `modes` | the tests to make of the file, one a word (default `plain library`); see [`Mode`] |
//! | `cflags`, `ldflags` | flags for the compilation and the end of the link |
//! | `with` | more source files of the program, beside it |
//! | `so`, `cc-so` | `NAME.c` beside it, or where a relative path leads, becomes `libNAME.so` in the program's directory, by allocscc or by cc; all of `so` first. Of a program `NAME.cpp`, by allocscc++ or by c++ |
//! | `added-so`, `based-so` | the same by cc, with metadata by `allocs meta add`, in the file and, with `--base`, in the program's directory |
//! | `so-ldflags` | flags at the end of the links of the libraries named in lines below it |
//! | `build-env` | one `K=V` a line, for allocscc |
//! | `args`, `env`, `stdin` | its arguments; one `K=V` a line; one line of standard input each |
//! | `exit` | its exit status (default 0) or `signal N` |
//! | `stdout`, `stderr` | one line each; all of the stream must match. Without `stderr`, that stream is not looked at |
//! | `plain-stdout`, `plain-exit` | the same for mode `plain`, where it differs |
//!
//! In expected lines `[[...]]` matches any text and `[[re:X]]` what the regular expression X matches. In flags,
//! arguments and environment `{dir}` is the directory of the built program and `{stage}` the staged prefix. While it
//! is built, that directory has another name: a run path is written with `$ORIGIN`.

pub mod build;
pub mod expected;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use expected::Expected;

/// One way to build and run a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Without the library.
    Plain,
    /// With the library.
    Library,
    /// With the library, under valgrind.
    Valgrind,
    /// With the library, in this many KiB of address space: `ulimit`, or `ulimit=N`.
    Ulimit(u32),
    /// With the library, after `strip -s`.
    Strip,
    /// With the library, compiled by clang, with more flags: `clang`, or `clang-O2`.
    Clang(Vec<String>),
    /// With the library, compiled with more flags: `-O2`, or several joined by commas.
    Flags(Vec<String>),
}

impl Mode {
    fn parse(word: &str) -> Result<Self> {
        Ok(match word {
            "plain" => Self::Plain,
            "library" => Self::Library,
            "valgrind" => Self::Valgrind,
            "ulimit" => Self::Ulimit(300_000),
            "strip" => Self::Strip,
            "clang" => Self::Clang(Vec::new()),
            "clang-O2" => Self::Clang(vec!["-O2".to_owned()]),
            "O0" | "O1" | "O2" | "O3" | "Os" => Self::Flags(vec![format!("-{word}")]),
            limit if limit.starts_with("ulimit=") => Self::Ulimit(limit["ulimit=".len()..].parse()?),
            flags if flags.starts_with('-') => Self::Flags(flags.split(',').map(str::to_owned).collect()),
            other => bail!("{other} is no mode"),
        })
    }
}

/// A program with its directives.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Its path below `corpus/programs`, without `.c` or `.cpp`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The tests, by the word that stands in the directive.
    pub modes: Vec<(String, Mode)>,
    /// Flags of the compilation.
    pub cflags: Vec<String>,
    /// Flags at the end of the link.
    pub ldflags: Vec<String>,
    /// More source files.
    pub with: Vec<PathBuf>,
    /// Shared libraries built by allocscc.
    pub so: Vec<Library>,
    /// Shared libraries built by cc.
    pub cc_so: Vec<Library>,
    /// Shared libraries built by cc that are given metadata.
    pub added_so: Vec<Library>,
    /// The same with their metadata in files apart.
    pub based_so: Vec<Library>,
    /// Arguments.
    pub args: Vec<String>,
    /// Environment of allocscc.
    pub build_env: Vec<(String, String)>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Standard input.
    pub stdin: String,
    /// What it does with the library.
    pub expected: Expected,
    /// What it does without.
    pub plain: Expected,
}

/// A shared library of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its source.
    pub source: PathBuf,
    /// Flags at the end of the link.
    pub ldflags: Vec<String>,
}

impl Program {
    /// Whether it and its libraries are in C++.
    #[must_use]
    pub fn is_cplusplus(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "cpp")
    }
}

/// All programs below a directory, sorted. A file without a directive is a part of another program.
pub fn all(dir: &Path) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "c" || extension == "cpp") {
                let text = fs::read_to_string(&path)?;
                let name = path.strip_prefix(dir)?.with_extension("").to_string_lossy().into_owned();
                if text.lines().any(|line| line.starts_with("//@")) {
                    programs.push(parse(&name, &path, &text).with_context(|| path.display().to_string())?);
                }
            }
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(programs)
}

fn parse(name: &str, path: &Path, text: &str) -> Result<Program> {
    let mut program = Program { name: name.to_owned(), path: path.to_owned(), ..Program::default() };
    let (mut plain_stdout, mut plain_ending) = (None::<Vec<String>>, None);
    let mut so_ldflags: Vec<String> = Vec::new();
    program.expected.ending = "exit 0".to_owned();
    for line in text.lines() {
        let Some(directive) = line.strip_prefix("//@") else { continue };
        let (key, value) = directive.split_once(':').with_context(|| format!("no colon in: {line}"))?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        let words = || value.split_whitespace().map(str::to_owned);
        let beside = || value.split_whitespace().map(|file| path.with_file_name(file));
        let libraries = |ldflags: &[String]| {
            beside().map(|source| Library { source, ldflags: ldflags.to_vec() }).collect::<Vec<_>>()
        };
        match key.trim() {
            "modes" => {
                for word in words() {
                    program.modes.push((word.clone(), Mode::parse(&word)?));
                }
            }
            "cflags" => program.cflags.extend(words()),
            "ldflags" => program.ldflags.extend(words()),
            "with" => program.with.extend(beside()),
            "so" => program.so.extend(libraries(&so_ldflags)),
            "cc-so" => program.cc_so.extend(libraries(&so_ldflags)),
            "added-so" => program.added_so.extend(libraries(&so_ldflags)),
            "based-so" => program.based_so.extend(libraries(&so_ldflags)),
            "so-ldflags" => so_ldflags = words().collect(),
            "args" => program.args.extend(words()),
            key @ ("env" | "build-env") => {
                let (name, value) = value.split_once('=').with_context(|| format!("no = in: {line}"))?;
                let env = if key == "env" { &mut program.env } else { &mut program.build_env };
                env.push((name.to_owned(), value.to_owned()));
            }
            "stdin" => program.stdin += &format!("{value}\n"),
            "exit" => program.expected.ending = ending(value),
            "plain-exit" => plain_ending = Some(ending(value)),
            "stdout" => program.expected.stdout.push(value.to_owned()),
            "stderr" => program.expected.stderr.get_or_insert_default().push(value.to_owned()),
            "plain-stdout" => plain_stdout.get_or_insert_default().push(value.to_owned()),
            other => bail!("{other} is no directive"),
        }
    }
    if program.modes.is_empty() {
        program.modes = vec![("plain".into(), Mode::Plain), ("library".into(), Mode::Library)];
    }
    program.plain = Expected {
        stdout: plain_stdout.unwrap_or_else(|| program.expected.stdout.clone()),
        stderr: None,
        ending: plain_ending.unwrap_or_else(|| program.expected.ending.clone()),
    };
    Ok(program)
}

fn ending(value: &str) -> String {
    if value.starts_with("signal") { value.to_owned() } else { format!("exit {value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read() {
        let text = "//@ modes: plain O2 -flto,-O1\n//@ exit: 3\n//@ plain-exit: signal 6\n//@ stdout: a\n//@ stdout:\n//@ env: A=b=c\n//@ build-env: D=e\n\
                    //@ so: a.c\n//@ so-ldflags: -la\n//@ so: b.c c.c\n";
        let program = parse("x", Path::new("/x.c"), text).unwrap();
        assert_eq!(program.modes[2].1, Mode::Flags(vec!["-flto".into(), "-O1".into()]));
        assert_eq!((program.expected.ending.as_str(), program.plain.ending.as_str()), ("exit 3", "signal 6"));
        assert_eq!(program.plain.stdout, ["a", ""]);
        assert_eq!(program.env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(program.build_env, [("D".to_owned(), "e".to_owned())]);
        let libraries: Vec<_> =
            program.so.iter().map(|so| (so.source.as_path(), so.ldflags.join(" "))).collect();
        let expected = [("/a.c", ""), ("/b.c", "-la"), ("/c.c", "-la")];
        assert_eq!(libraries, expected.map(|(source, flags)| (Path::new(source), flags.to_owned())));
        for wrong in ["//@ stdin", "//@ mode: plain", "//@ modes: fast", "//@ env: A"] {
            assert!(parse("x", Path::new("/x.c"), wrong).is_err(), "{wrong}");
        }
    }
}
