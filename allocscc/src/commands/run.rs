//! `allocs run PROGRAM ARGS…`: runs a program with the run-time library loaded.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::installation;

/// Arguments of `allocs run`.
#[derive(clap::Args, Debug)]
pub struct Run {
    /// The program, looked up as the shell does, and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    #[arg(value_name = "PROGRAM ARGS", value_hint = clap::ValueHint::CommandWithArguments)]
    words: Vec<OsString>,
}

impl Run {
    /// Becomes the program. Returns only if that fails.
    pub fn run(&self) -> Result<()> {
        let library = installation::library().map_err(|places| missing(&places))?;
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        let others = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        for (name, value) in preload(&library, others)? {
            command.env(name, value);
        }
        let error = command.exec();
        bail!("cannot run {}: {error}", Path::new(&self.words[0]).display())
    }
}

fn missing(places: &[PathBuf]) -> anyhow::Error {
    if places.is_empty() {
        return anyhow!("cannot find where `allocs` is installed: is /proc mounted?");
    }
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    anyhow!(
        "the run-time library is missing: there is no {}. Is this a whole installation?",
        places.join(", no ")
    )
}

/// The variables that make the dynamic linker load the library first, then what was to be loaded already.
///
/// `LD_PRELOAD` is a list with spaces or colons between. So a library below a directory with a space is named
/// without its directory, and `LD_LIBRARY_PATH`, where only colons and semicolons separate, says where it is.
fn preload(
    library: &Path,
    others: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<(&'static str, OsString)>> {
    let has = |separators: &[u8]| library.as_os_str().as_bytes().iter().any(|byte| separators.contains(byte));
    let first = |first: &OsStr, name| match others(name) {
        Some(before) => [first, OsStr::new(":"), &before].into_iter().collect(),
        None => first.to_os_string(),
    };
    if !has(b" :") {
        return Ok(vec![("LD_PRELOAD", first(library.as_os_str(), "LD_PRELOAD"))]);
    }
    let (false, Some(directory)) = (has(b":;"), library.parent()) else {
        bail!(
            "{}: the dynamic linker cannot load a library from below a directory with a colon or a semicolon in its name",
            library.display()
        );
    };
    Ok(vec![
        ("LD_PRELOAD", first(installation::LIBRARY.as_ref(), "LD_PRELOAD")),
        ("LD_LIBRARY_PATH", first(directory.as_os_str(), "LD_LIBRARY_PATH")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_already_comes_after_the_library() {
        let check = |library: &str, others: Option<&str>, expect: &[(&'static str, &str)]| {
            let made = preload(Path::new(library), |_| others.map(OsString::from)).unwrap();
            let expect: Vec<_> = expect.iter().map(|&(name, value)| (name, OsString::from(value))).collect();
            assert_eq!(made, expect, "{library}");
        };
        check("/a/lib/liballocs_preload.so", None, &[("LD_PRELOAD", "/a/lib/liballocs_preload.so")]);
        check("/a/x;.so", Some("b.so"), &[("LD_PRELOAD", "/a/x;.so:b.so")]);
        let named = ("LD_PRELOAD", "liballocs_preload.so");
        check("/a b/liballocs_preload.so", None, &[named, ("LD_LIBRARY_PATH", "/a b")]);
        let both = [("LD_PRELOAD", "liballocs_preload.so:/c"), ("LD_LIBRARY_PATH", "/a b:/c")];
        check("/a b/liballocs_preload.so", Some("/c"), &both);
        for wrong in ["/a:b/x.so", "/a b;c/x.so"] {
            assert!(preload(Path::new(wrong), |_| None).is_err(), "{wrong}");
        }
    }
}
