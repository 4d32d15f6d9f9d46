//! `allocs run PROGRAM ARGS…`: runs a program with the run-time library loaded.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::driver::compiler::installed;

/// The run-time library, relative to the installation.
const LIBRARY: &str = "lib/liballocs_preload.so";

/// Arguments of `allocs run`.
#[derive(clap::Args, Debug)]
pub struct Run {
    /// The program, looked up as the shell does, and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "PROGRAM ARGS")]
    words: Vec<OsString>,
}

impl Run {
    /// Becomes the program. Returns only if that fails.
    pub fn run(&self) -> Result<()> {
        let library = installed(LIBRARY).context("cannot find where `allocs` is installed")?;
        ensure!(
            library.is_file(),
            "{} is missing: `allocs` expects the run-time library beside its own directory",
            library.display()
        );
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env("LD_PRELOAD", preload(&library, std::env::var_os("LD_PRELOAD"))?);
        let error = command.exec();
        bail!("cannot run {}: {error}", Path::new(&self.words[0]).display())
    }
}

/// The library, then what was to be loaded already.
fn preload(library: &Path, before: Option<OsString>) -> Result<OsString> {
    let separates = |byte: &u8| matches!(byte, b' ' | b':');
    if library.as_os_str().as_bytes().iter().any(separates) {
        bail!(
            "{}: the dynamic linker cannot load a library whose path has a space or a colon",
            library.display()
        );
    }
    let mut value = library.as_os_str().to_os_string();
    if let Some(before) = before.filter(|before| !before.is_empty()) {
        value.push(":");
        value.push(before);
    }
    Ok(value)
}
