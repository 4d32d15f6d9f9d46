//! Latency of type queries.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use corpus::stage::Stage;
use corpus::watch;

/// Runs the measuring program; a query that has no answer is an error, for it would be too fast.
pub(crate) fn latencies(stage: &Stage) -> Result<BTreeMap<String, f64>> {
    let program = watch::compile(&stage.allocscc(), stage, "bench/queries.c", &["-O2"])?;
    let output = Command::new(program)
        .env("LD_PRELOAD", stage.library())
        .env("LIBALLOCS_DEBUG_LEVEL", "0")
        .output()
        .context("cannot run the measuring program")?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "the measuring program ended with {}\n{text}", output.status);
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().with_context(|| format!("not a latency: {line}"));
            let (name, nanoseconds, answer) = (word()?, word()?, word()?);
            ensure!(answer != "(unknown)", "the query {name} has no answer");
            Ok((name.to_owned(), nanoseconds.parse()?))
        })
        .collect()
}
