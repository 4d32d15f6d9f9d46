//! The table at the end of `cargo xtask corpus`.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::findings::Findings;

/// The figures that the test of a program leaves behind.
#[derive(Deserialize)]
struct Report {
    program: String,
    lines: Option<u64>,
    parsed: Option<Parsed>,
    build_plain: Option<Duration>,
    build_allocscc: Option<Duration>,
    run_plain: Option<Duration>,
    run_library: Option<Duration>,
    summary: Option<Summary>,
    alloca: Vec<String>,
    snapshot: Option<String>,
    failure: Option<String>,
}

#[derive(Default, Deserialize)]
struct Parsed {
    declarations: usize,
    skipped: Vec<String>,
}

#[derive(Deserialize)]
struct Summary {
    allocations: u64,
    bytes: u64,
    typed: u64,
    typed_bytes: u64,
    buffers: u64,
    buffers_bytes: u64,
    foreign: u64,
    foreign_bytes: u64,
}

/// Prints a row for each program that was run.
pub(crate) fn print(findings: &Findings) -> Result<()> {
    println!(
        "{:12} {:>9} {:>9} {:>10} {:>8} {:>8} {:>12} {:>8} {:>8} {:>8}  snapshot",
        "program", "lines", "build", "over cc -g", "run", "over", "allocations", "foreign", "typed", "bytes"
    );
    let mut callers = Vec::new();
    let (mut programs, mut lines) = (0, 0);
    let mut parsed = Parsed::default();
    for result in findings.rows() {
        let report = Report::deserialize(result).with_context(|| format!("not a result: {result}"))?;
        println!("{}", report.row());
        if let Some(of_program) = report.parsed {
            parsed.declarations += of_program.declarations;
            let named = |place: String| format!("  {}: {place}", report.program);
            parsed.skipped.extend(of_program.skipped.into_iter().map(named));
        }
        callers.extend(report.alloca);
        programs += 1;
        lines += report.lines.unwrap_or(0);
    }
    println!("{:12} {lines:>9} of C in {programs} programs", "total");
    println!(
        "foreign: made by files without metadata, such as the C library for itself; typed and bytes are shares of the rest"
    );
    println!(
        "external declarations that could not be read: {} of {}",
        parsed.skipped.len(),
        parsed.declarations
    );
    parsed.skipped.iter().for_each(|place| println!("{place}"));
    match callers.len() {
        0 => println!("no function calls alloca"),
        count => println!("functions that call alloca: {count}: {}", callers.join(", ")),
    }
    Ok(())
}

impl Report {
    fn row(&self) -> String {
        let seconds =
            |time: Option<Duration>| time.map_or("-".into(), |time| format!("{:.2} s", time.as_secs_f64()));
        let over = |time: Option<Duration>, plain: Option<Duration>| match (time, plain) {
            (Some(time), Some(plain)) => {
                format!("{:.2}x", time.as_secs_f64() / plain.as_secs_f64().max(0.001))
            }
            _ => "-".into(),
        };
        // A character buffer is typed too: as characters, on positive evidence.
        let share = |part: u64, whole: u64| format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64);
        let (allocations, foreign, typed, bytes) = match &self.summary {
            Some(s) => (
                s.allocations.to_string(),
                s.foreign.to_string(),
                share(s.typed + s.buffers, s.allocations - s.foreign),
                share(s.typed_bytes + s.buffers_bytes, s.bytes - s.foreign_bytes),
            ),
            None => ("-".into(), "-".into(), "-".into(), "-".into()),
        };
        let verdict = match (&self.snapshot, &self.failure) {
            (Some(verdict), _) => verdict.as_str(),
            (None, Some(_)) => "not reached: the test failed",
            (None, None) => "-",
        };
        format!(
            "{:12} {:>9} {:>9} {:>10} {:>8} {:>8} {allocations:>12} {foreign:>8} {typed:>8} {bytes:>8}  {verdict}",
            self.program,
            self.lines.map_or("-".into(), |lines| lines.to_string()),
            seconds(self.build_allocscc),
            over(self.build_allocscc, self.build_plain),
            seconds(self.run_library),
            over(self.run_library, self.run_plain),
        )
    }
}
