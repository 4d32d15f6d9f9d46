//! Cargo as a child: how every command builds things and finds what was built.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use duct::{Expression, cmd};

/// The root of the checkout.
pub(crate) fn root() -> Result<PathBuf> {
    let xtask =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    Ok(xtask.parent().context("xtask is in the workspace")?.to_owned())
}

/// Cargo's target directory.
pub(crate) fn target() -> Result<PathBuf> {
    let root = root()?;
    Ok(env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir)))
}

/// The cargo that runs this command.
pub(crate) fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// A cargo command in the root of the checkout.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Result<Expression> {
    Ok(cmd(program(), arguments).dir(root()?))
}
