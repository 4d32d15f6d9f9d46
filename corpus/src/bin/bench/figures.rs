//! The figures, and their table.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// All figures of one measurement.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    /// Instructions that the library adds to a malloc/free pair.
    pub pair_instructions: f64,
    /// Time that it adds to the start of /bin/true.
    pub startup_microseconds: f64,
    /// Latency of a type query over a null call, by what it asks about.
    pub query_nanoseconds: BTreeMap<String, f64>,
    /// The corpus.
    pub programs: Vec<Program>,
}

/// One corpus program; every figure is a ratio to plain.
#[derive(Debug, Serialize)]
pub(crate) struct Program {
    pub name: String,
    /// Instructions under the library.
    pub instructions: f64,
    /// CPU time under the library, median of interleaved runs.
    pub cpu: f64,
    /// Peak of resident memory under the library.
    pub memory: f64,
    /// CPU time of the build.
    pub build: f64,
    /// Size of the metadata over .debug_info.
    pub metadata: f64,
}

impl Program {
    fn ratios(&self) -> [f64; 5] {
        [self.instructions, self.cpu, self.memory, self.build, self.metadata]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "instructions added to a malloc/free pair  {:>8.1}", self.pair_instructions)?;
        writeln!(f, "µs added to the start of /bin/true        {:>8.0}", self.startup_microseconds)?;
        for (name, nanoseconds) in &self.query_nanoseconds {
            writeln!(f, "ns of a type query, {name:20}  {nanoseconds:>8.1}")?;
        }
        let heads = ["instructions", "CPU time", "memory", "build", "metadata"];
        writeln!(
            f,
            "\n{:12}{:>14}{:>10}{:>10}{:>10}{:>10}",
            "over plain", heads[0], heads[1], heads[2], heads[3], heads[4]
        )?;
        let mut row = |name: &str, r: [f64; 5]| {
            writeln!(f, "{name:12}{:>14.3}{:>10.3}{:>10.3}{:>10.2}{:>10.2}", r[0], r[1], r[2], r[3], r[4])
        };
        for program in &self.programs {
            row(&program.name, program.ratios())?;
        }
        let mean = |index: usize| {
            let logs: f64 = self.programs.iter().map(|program| program.ratios()[index].ln()).sum();
            (logs / self.programs.len() as f64).exp()
        };
        row("geomean", std::array::from_fn(mean))
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
