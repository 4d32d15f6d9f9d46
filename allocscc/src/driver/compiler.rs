//! The host compiler.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable that names the compiler to drive, with arguments if need be.
pub const COMPILER_VARIABLE: &str = "ALLOCSCC_CC";

/// The host compiler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compiler {
    words: Vec<OsString>,
}

impl Compiler {
    /// What the environment names, else `cc`.
    pub fn from_environment() -> Compiler {
        let named = std::env::var_os(COMPILER_VARIABLE).unwrap_or_default();
        let words: Vec<OsString> = named
            .as_bytes()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .map(|word| OsStr::from_bytes(word).to_os_string())
            .collect();
        if words.is_empty() { Compiler { words: vec![default_compiler()] } } else { Compiler { words } }
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

/// `cc`; where we ourselves are the first `cc` in the search path, the next one.
fn default_compiler() -> OsString {
    let name = OsString::from("cc");
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let Some(own) = std::env::current_exe().ok().and_then(|path| identity(&path)) else { return name };
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&search).map(|directory| directory.join("cc"));
    let is_own = |path: &PathBuf| identity(path) == Some(own);
    match candidates.find(|path| path.is_file()) {
        Some(first) if is_own(&first) => {
            candidates.find(|path| path.is_file() && !is_own(path)).map_or(name, PathBuf::into_os_string)
        }
        _ => name,
    }
}
