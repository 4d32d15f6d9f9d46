//! The host compiler, and which of the two this program stands in for.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable that names the compiler to drive, with arguments if need be.
pub const COMPILER_VARIABLE: &str = "ALLOCSCC_CC";

/// The compiler that this program stands in for, as its own name says. They differ in the language that they take a file for, and in the
/// libraries that they link with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Driven {
    /// `cc`: we are `allocscc`.
    #[default]
    C,
    /// `c++`: we are `allocscc++`.
    Cplusplus,
}

impl Driven {
    /// What the name says that this program was called by.
    pub fn from_own_name() -> Driven {
        let name = std::env::args_os().next().unwrap_or_default();
        if name.as_bytes().ends_with(b"++") { Driven::Cplusplus } else { Driven::C }
    }

    /// Makes a command that runs this program do so under the same name.
    pub fn name(self, command: &mut Command) {
        command.arg0(match self {
            Driven::C => "allocscc",
            Driven::Cplusplus => "allocscc++",
        });
    }

    /// The compiler, where the environment names no other.
    fn compiler(self) -> &'static str {
        match self {
            Driven::C => "cc",
            Driven::Cplusplus => "c++",
        }
    }
}

/// The host compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compiler {
    words: Vec<OsString>,
}

impl Compiler {
    /// What the environment names, else `cc` or `c++`.
    pub fn from_environment(driven: Driven) -> Compiler {
        let named = std::env::var_os(COMPILER_VARIABLE).unwrap_or_default();
        let words: Vec<OsString> = named
            .as_bytes()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .map(|word| OsStr::from_bytes(word).to_os_string())
            .collect();
        if words.is_empty() {
            Compiler { words: vec![default_compiler(driven.compiler())] }
        } else {
            Compiler { words }
        }
    }

    /// A command that runs the compiler.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        command
    }

    /// The compiler as the user would name it.
    pub fn name(&self) -> &Path {
        Path::new(&self.words[0])
    }
}

/// The compiler of this name; where we ourselves are the first one in the search path, the next.
fn default_compiler(name: &str) -> OsString {
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let Some(own) = std::env::current_exe().ok().and_then(|path| identity(&path)) else { return name.into() };
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&search).map(|directory| directory.join(name));
    let is_own = |path: &PathBuf| identity(path) == Some(own);
    match candidates.find(|path| path.is_file()) {
        Some(first) if is_own(&first) => candidates
            .find(|path| path.is_file() && !is_own(path))
            .map_or(name.into(), PathBuf::into_os_string),
        _ => name.into(),
    }
}
