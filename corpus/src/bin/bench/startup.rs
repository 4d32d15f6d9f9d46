//! Time that the library adds to the start and end of an empty process.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use corpus::stage::Stage;

use corpus::build::cost::median;

const STARTS: usize = 500;

/// The difference of the medians of interleaved starts of /bin/true.
pub(crate) fn extra_microseconds(stage: &Stage) -> Result<f64> {
    let (mut plain, mut library) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        plain.push(start(&mut Command::new("/bin/true"))?);
        library.push(start(Command::new("/bin/true").env("LD_PRELOAD", stage.library()))?);
    }
    Ok(median(library) - median(plain))
}

fn start(command: &mut Command) -> Result<f64> {
    let begin = Instant::now();
    command.stdin(Stdio::null()).status().context("cannot start /bin/true")?;
    Ok(begin.elapsed().as_secs_f64() * 1e6)
}
