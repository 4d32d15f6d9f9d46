//! What came of one program in one cell, and the table of all.

use std::fmt;

use anyhow::Result;

use super::compare::{self, Difference};
use super::measure::{Measured, Ran};
use crate::census::Summary;
use crate::workload;

/// What came of one program in one cell.
#[derive(Debug)]
pub enum Outcome {
    /// The plain compiler does not build it; why.
    NotBuildable(String),
    /// Something before the comparison went wrong.
    Failed(String),
    /// It says this, and differs so from the baseline.
    Compared(Summary, Vec<Difference>),
}

impl Outcome {
    /// Judges a program by what it does in the baseline; there is none if that failed.
    pub fn of(measured: Result<Measured>, baseline: Option<&Ran>) -> Self {
        let ran = match measured {
            Err(error) => return Self::Failed(format!("{error:#}")),
            Ok(Measured::NotBuildable(why)) => return Self::NotBuildable(why),
            Ok(Measured::Ran(ran)) => ran,
        };
        let Some(baseline) = baseline else { return Self::Failed("there is no baseline".to_owned()) };
        if let Err(error) = workload::same_output(&baseline.plain, &ran.plain, "from the baseline's") {
            return Self::Failed(format!("{error:#}"));
        }
        let differences = compare::differences(&baseline.claims, &ran.claims);
        Self::Compared(ran.claims.summary, differences)
    }

    /// Whether it makes the whole fail.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::NotBuildable(_) => false,
            Self::Failed(_) => true,
            Self::Compared(_, differences) => differences.iter().any(Difference::is_defect),
        }
    }

    /// What is to be said beside the table, a line each.
    pub fn remarks(&self) -> Vec<String> {
        match self {
            Self::NotBuildable(why) => vec![format!("the plain compiler does not build it: {why}")],
            Self::Failed(why) => vec![why.clone()],
            Self::Compared(_, differences) => differences.iter().map(Difference::to_string).collect(),
        }
    }
}

impl fmt::Display for Outcome {
    /// The last columns of its row: the shares that are typed, by count and by bytes, and the verdict.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: u64, whole: u64| format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64);
        match self {
            Self::NotBuildable(_) => write!(f, "{:>9} {:>9}  not buildable", "-", "-"),
            Self::Failed(_) => write!(f, "{:>9} {:>9}  FAILED", "-", "-"),
            Self::Compared(summary, differences) => {
                let count = share(summary.typed + summary.buffers, summary.allocations - summary.foreign);
                let bytes =
                    share(summary.typed_bytes + summary.buffers_bytes, summary.bytes - summary.foreign_bytes);
                let defects = differences.iter().filter(|difference| difference.is_defect()).count();
                let verdict = match (defects, differences.len()) {
                    (0, 0) => "same".to_owned(),
                    (0, merged) => format!("same, but for {merged} sites that the compiler merged"),
                    (defects, _) => format!("{defects} DIFFERENCES"),
                };
                write!(f, "{count:>9} {bytes:>9}  {verdict}")
            }
        }
    }
}
