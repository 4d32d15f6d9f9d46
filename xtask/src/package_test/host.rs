//! The tarball and the .deb, installed on plain Debian releases.

use anyhow::Result;

use super::Context;
use super::report::Report;

pub(super) fn check(_context: &Context, _report: &mut Report) -> Result<()> {
    Ok(())
}
