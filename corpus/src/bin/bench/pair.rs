//! Instructions that the library adds to a malloc/free pair.

use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;
use corpus::child;
use corpus::stage::Stage;
use corpus::watch::{self, Preloads, Seen, Watch};

const PAIRS: u64 = 100_000;

/// The difference between two lengths of the same loop leaves the start of the process out.
pub(crate) fn extra_instructions(stage: &Stage, preloads: &Preloads) -> Result<f64> {
    let program = watch::compile(&stage.allocscc(), stage, "bench/pair.c", &["-O2"])?;
    let scratch = tempfile::tempdir()?;
    let count = |library, pairs: u64| -> Result<f64> {
        let mut command = Watch::Instructions.command(&program, library, preloads, scratch.path())?;
        command.arg(pairs.to_string()).stdin(Stdio::null());
        child::run(&mut command, scratch.path(), Duration::from_secs(300))?;
        match Watch::Instructions.seen(scratch.path())? {
            Seen::Instructions(count) => Ok(count as f64),
            other => anyhow::bail!("callgrind saw {other:?}"),
        }
    };
    let each = |library| {
        Ok::<_, anyhow::Error>((count(library, 2 * PAIRS)? - count(library, PAIRS)?) / PAIRS as f64)
    };
    Ok(each(true)? - each(false)?)
}
