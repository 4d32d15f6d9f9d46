//! The flake, under a real Nix with a look-alike of nixpkgs made of the host's tools.

use anyhow::Result;

use super::Context;
use super::report::Report;

pub(super) fn check(_context: &Context, _report: &mut Report) -> Result<()> {
    Ok(())
}
