//! One program in one cell: built with both compilers, its code compared, run in every way.

use anyhow::{Context, Result};

use super::cell::Cell;
use super::claims::Claims;
use crate::build::{self, Built, Compiler};
use crate::manifest::{Manifest, Program};
use crate::objects;
use crate::stage::Stage;
use crate::watch::{Preloads, Watch};
use crate::workload::{self, Mode, Step, Workload};

/// What a program does in a cell.
#[derive(Debug)]
pub enum Measured {
    /// The plain compiler does not build it; why.
    NotBuildable(String),
    /// It was built and ran.
    Ran(Ran),
}

/// What the runs of a program showed.
#[derive(Debug)]
pub struct Ran {
    /// The steps of the program as the plain compiler built it.
    pub plain: Vec<Step>,
    /// What the censuses say.
    pub claims: Claims,
}

/// Builds and runs a program.
pub fn measure(
    manifest: &Manifest,
    program: &Program,
    cell: &Cell,
    stage: &Stage,
    preloads: &Preloads,
) -> Result<Measured> {
    let build = |compiler| build::build(manifest, program, compiler, &cell.variant, stage);
    let plain = match build(Compiler::Plain) {
        Ok(plain) => plain,
        Err(error) => return Ok(Measured::NotBuildable(format!("{error:#}"))),
    };
    let built = build(Compiler::Allocscc)?;
    same_code(cell, &plain, &built)?;
    let run = |built: &Built, library, watch| {
        Workload::new(program, &built.executable(), preloads)?.run(Mode { library, watch })
    };
    let expected = run(&plain, false, Watch::Nothing)?;
    workload::same_output(&expected, &run(&built, false, Watch::Nothing)?, "when built with allocscc")?;
    let census = run(&built, true, Watch::Census)?;
    workload::same_output(&expected, &census, "with the census")?;
    workload::same_counts(&run(&built, false, Watch::Count)?, &census)?;
    Ok(Measured::Ran(Ran { plain: expected, claims: Claims::of(&census) }))
}

/// The code of every object must be the same; where the objects hold none yet, that of the program.
fn same_code(cell: &Cell, plain: &Built, built: &Built) -> Result<()> {
    if cell.is_lto {
        return objects::same_code(&plain.executable(), &built.executable()).context("the linked code");
    }
    plain.same_code(built)
}
