//! The Docker image, built and run by a real engine.

use anyhow::{Context as _, Result};

use super::Context;
use super::engine::Engine;
use super::report::Report;

pub(super) fn check(context: &Context, report: &mut Report) -> Result<()> {
    let engine = Engine::start(context)?;
    report.check("docker: the base image", || engine.base("bookworm"));
    report.check("docker: the engine stops", || engine.stop());
    Ok(())
}
