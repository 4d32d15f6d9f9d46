//! Host tools: found on the path, or named with the Debian package that has them.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail};

/// The Debian package of each tool that the corpus may run.
const PACKAGES: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("c++", "g++"),
    ("clang++-14", "clang-14"),
    ("ld", "binutils"),
    ("strip", "binutils"),
    ("objcopy", "binutils"),
    ("ldd", "libc-bin"),
    ("valgrind", "valgrind"),
    ("gcc-12", "gcc-12"),
    ("clang-19", "clang-19"),
    ("clang-14", "clang-14"),
    ("gdb", "gdb"),
    ("cargo", "cargo"),
    ("pkg-config", "pkgconf"),
    ("cmake", "cmake"),
    ("groff", "groff-base"),
    ("ld.lld-14", "lld-14"),
    ("make", "make"),
    ("perl", "perl"),
    ("tar", "tar"),
    ("gzip", "gzip"),
    ("bzip2", "bzip2"),
    ("xz", "xz-utils"),
    ("cp", "coreutils"),
    ("apt-get", "apt"),
    ("apt-cache", "apt"),
    ("apt-config", "apt"),
];

/// The path of a tool.
pub fn find(tool: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).map(|dir| dir.join(tool)).find(|file| file.is_file()) {
        return Ok(found);
    }
    match PACKAGES.iter().find(|(name, _)| *name == tool) {
        Some((_, package)) => bail!("{tool} is missing: install the Debian package {package}"),
        None => bail!("{tool} is missing"),
    }
}

/// The clang to test with: clang 14, which the expectations were made with, else any.
pub fn clang() -> Result<PathBuf> {
    find("clang-14").or_else(|missing| find("clang").map_err(|_| missing))
}

/// The same for C++.
pub fn clang_cplusplus() -> Result<PathBuf> {
    find("clang++-14").or_else(|missing| find("clang++").map_err(|_| missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named() {
        assert_eq!(find("no-such-tool").unwrap_err().to_string(), "no-such-tool is missing");
        assert!(find("sh").unwrap().is_absolute());
    }
}
