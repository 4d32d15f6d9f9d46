//! The figures of one program's test, as JSON for the table of `cargo xtask corpus`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::census::Summary;
use crate::parsed::Parsed;
use crate::places;

/// What the test of one program found; what it did not reach is missing.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The program.
    pub program: String,
    /// Lines of C that it is made of.
    pub lines: Option<u64>,
    /// How much of it our front end reads; missing where the package's own scripts build it.
    pub parsed: Option<Parsed>,
    /// CPU time of the build with the plain compiler.
    pub build_plain: Option<Duration>,
    /// CPU time of the build with `allocscc`.
    pub build_allocscc: Option<Duration>,
    /// CPU time of the workload without the library.
    pub run_plain: Option<Duration>,
    /// CPU time of the workload with the library.
    pub run_library: Option<Duration>,
    /// The census, added up over the steps.
    pub summary: Option<Summary>,
    /// Functions that call alloca.
    pub alloca: Vec<String>,
    /// How the census compares; missing where the test did not come so far.
    pub snapshot: Option<Verdict>,
    /// Why the test failed.
    pub failure: Option<String>,
}

/// How a census compares with its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is the same.
    Same,
    /// It differs.
    Changed,
    /// It differed, and was accepted.
    Blessed,
}

impl Report {
    /// Writes `results/NAME.json` under a temporary name and renames it.
    pub fn write(&self) -> Result<()> {
        let dir = places::kept().join("results");
        fs::create_dir_all(&dir)?;
        let file = tempfile::NamedTempFile::new_in(&dir)?;
        serde_json::to_writer_pretty(&file, self)?;
        let path = dir.join(format!("{}.json", self.program));
        file.persist(&path).map(drop).with_context(|| format!("cannot write {}", path.display()))
    }
}
