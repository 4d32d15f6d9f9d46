//! The figures, and their table.

use std::collections::BTreeMap;
use std::fmt;

use corpus::build::cost::Cost;
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
    /// Its builds.
    pub builds: Builds,
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
    /// Size of the metadata over .debug_info.
    pub metadata: f64,
}

/// What the build of one corpus program costs.
#[derive(Debug, Serialize)]
pub(crate) struct Build {
    pub name: String,
    #[serde(flatten)]
    pub cost: Cost,
}

impl Build {
    fn ratios(&self) -> [f64; 4] {
        [self.cost.cpu, self.cost.cpu_over_debug, self.cost.link, self.cost.memory]
    }
}

/// What the builds cost.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Builds(pub Vec<Build>);

impl fmt::Display for Builds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:12}{:>14}{:>10}{:>14}{:>10}{:>10}",
            "build over", "cc", "cc -g", "its link", "ms", "memory"
        )?;
        let mut row = |name: &str, r: [f64; 4], milliseconds: f64| {
            let [cpu, debug, link, memory] = r;
            writeln!(f, "{name:12}{cpu:>14.3}{debug:>10.3}{link:>14.2}{milliseconds:>10.0}{memory:>10.2}")
        };
        for build in &self.0 {
            row(&build.name, build.ratios(), build.cost.link_milliseconds)?;
        }
        let milliseconds = || self.0.iter().map(|build| build.cost.link_milliseconds);
        let worst = |index: usize| self.0.iter().map(|build| build.ratios()[index]).fold(0.0, f64::max);
        row("worst", std::array::from_fn(worst), milliseconds().fold(0.0, f64::max))?;
        let mean = |index: usize| geomean(self.0.iter().map(|build| build.ratios()[index]));
        row("geomean", std::array::from_fn(mean), milliseconds().sum::<f64>() / self.0.len() as f64)
    }
}

fn geomean(ratios: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = ratios.len();
    (ratios.map(f64::ln).sum::<f64>() / count as f64).exp()
}

impl Program {
    fn ratios(&self) -> [f64; 4] {
        [self.instructions, self.cpu, self.memory, self.metadata]
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "instructions added to a malloc/free pair  {:>8.1}", self.pair_instructions)?;
        writeln!(f, "µs added to the start of /bin/true        {:>8.0}", self.startup_microseconds)?;
        for (name, nanoseconds) in &self.query_nanoseconds {
            writeln!(f, "ns of a type query, {name:20}  {nanoseconds:>8.1}")?;
        }
        let heads = ["instructions", "CPU time", "memory", "metadata"];
        writeln!(f, "\n{:12}{:>14}{:>10}{:>10}{:>10}", "over plain", heads[0], heads[1], heads[2], heads[3])?;
        let mut row = |name: &str, r: [f64; 4]| {
            writeln!(f, "{name:12}{:>14.3}{:>10.3}{:>10.3}{:>10.2}", r[0], r[1], r[2], r[3])
        };
        for program in &self.programs {
            row(&program.name, program.ratios())?;
        }
        let mean = |index: usize| geomean(self.programs.iter().map(|program| program.ratios()[index]));
        row("geomean", std::array::from_fn(mean))?;
        write!(f, "\n{}", self.builds)
    }
}
