//! The tools that the checks use, installed by the names of their Debian packages where they are missing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use duct::{Expression, cmd};

/// Makes sure that the tools are there; each is given with the Debian package that brings it.
pub(super) fn need(tools: &[(&str, &str)]) -> Result<()> {
    let mut packages: Vec<&str> =
        tools.iter().filter(|(tool, _)| !is_installed(tool)).map(|(_, package)| *package).collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    eprintln!("installing {names}");
    ensure!(is_installed("apt-get"), "these tools are missing, and there is no apt-get: {names}");
    as_root(&["apt-get", "update", "-qq"])?;
    let install = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "install",
        "-qq",
        "-y",
        "--no-install-recommends",
    ];
    as_root(&[&install[..], &packages].concat()).with_context(|| format!("cannot install {names}"))
}

/// Runs a command as root, with sudo where that is needed.
pub(super) fn as_root(words: &[&str]) -> Result<()> {
    root_command(words).stdout_to_stderr().run()?;
    Ok(())
}

/// A command that runs as root.
pub(super) fn root_command(words: &[&str]) -> Expression {
    let words = if is_root() { words.to_vec() } else { [&["sudo"], words].concat() };
    cmd(words[0], &words[1..])
}

/// Makes sure that python has a module; it is given with the Debian package that brings it.
pub(super) fn need_module(module: &str, package: &str) -> Result<()> {
    let is_there = cmd!("python3", "-c", format!("import {module}")).stderr_null().run().is_ok();
    // No tool has a name with a slash.
    if is_there { Ok(()) } else { need(&[(&format!("python3/{module}"), package)]) }
}

pub(super) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| is_file(&dir.join(tool)))
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_no_installation() {
        need(&[("sh", "dash"), ("ls", "coreutils")]).unwrap();
        assert!(!is_installed("no-such-tool"));
    }
}
