//! What a build by allocscc costs over one by `cc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::{Build, Variant};
use crate::manifest::{Manifest, Program};
use crate::sources::Sources;
use crate::stage::Stage;
use crate::{child, tools};

/// Rounds of builds, and links in each of them: an odd number, so that there is a middle.
const ROUNDS: usize = 3;
const LINKS: usize = 3;

/// Ratios of a build by allocscc to others with the same flags.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// CPU time of all processes, over `cc`.
    pub cpu: f64,
    /// The same over `cc -g`.
    pub cpu_over_debug: f64,
    /// CPU time of the link, over that of objects with debug information by `cc -g`.
    pub link: f64,
    /// How much more that is, in milliseconds.
    pub link_milliseconds: f64,
    /// Memory of the largest process of all compilations, over that of `cc -g`.
    pub memory: f64,
}

/// What one compiler took.
#[derive(Default)]
struct Taken {
    compile: Duration,
    links: Vec<Duration>,
    /// In kilobytes.
    peak: u64,
}

/// Builds with allocscc, `cc` and `cc -g`, file by file in turns, so that all meet the same machine. Nothing is taken from the cache.
/// The program must be built from a list of sources.
pub fn of(manifest: &Manifest, program: &Program, stage: &Stage) -> Result<Cost> {
    ensure!(program.build.tree.is_none(), "{} is not built file by file", program.name);
    let sources = Sources::find(manifest, program)?;
    let cc = tools::find("cc")?;
    let rounds: Vec<[Taken; 3]> =
        (0..ROUNDS).map(|_| round(program, &sources, &stage.allocscc(), &cc)).collect::<Result<_>>()?;
    let of_rounds = |ratio: &dyn Fn(&[Taken; 3]) -> f64| median(rounds.iter().map(ratio).collect());
    let over = |other: usize| of_rounds(&|round| round[0].total() / round[other].total());
    let links = |of: usize| median(rounds.iter().flat_map(|round| round[of].seconds_of_links()).collect());
    Ok(Cost {
        cpu: over(1),
        cpu_over_debug: over(2),
        link: links(0) / links(2),
        link_milliseconds: 1000.0 * (links(0) - links(2)),
        memory: of_rounds(&|round| round[0].peak as f64 / round[2].peak as f64),
    })
}

impl Taken {
    fn seconds_of_links(&self) -> impl Iterator<Item = f64> {
        self.links.iter().map(Duration::as_secs_f64)
    }

    /// Of a whole build, in seconds.
    fn total(&self) -> f64 {
        self.compile.as_secs_f64() + median(self.seconds_of_links().collect())
    }
}

/// One build each by allocscc, `cc` and `cc -g`.
fn round(program: &Program, sources: &Sources, allocscc: &Path, cc: &Path) -> Result<[Taken; 3]> {
    let scratch = tempfile::tempdir()?;
    let variant = Variant::default();
    let drivers: [(&Path, &[&str]); 3] = [(allocscc, &[]), (cc, &[]), (cc, &["-g"])];
    let dirs: [PathBuf; 3] = ["allocscc", "cc", "cc-g"].map(|name| scratch.path().join(name));
    let builds = [0, 1, 2].map(|index| {
        let (driver, extra) = drivers[index];
        Build { program, sources, variant: &variant, driver: driver.to_owned(), extra, dir: &dirs[index] }
    });
    let mut taken = [(); 3].map(|()| Taken::default());
    dirs.iter().try_for_each(fs::create_dir)?;
    for source in 0..sources.files.len() {
        for (build, taken) in builds.iter().zip(&mut taken) {
            let outcome = child::succeeded(&mut build.compile(source))?;
            taken.compile += outcome.cpu;
            taken.peak = taken.peak.max(outcome.peak);
        }
    }
    for _ in 0..LINKS {
        for (build, taken) in builds.iter().zip(&mut taken) {
            taken.links.push(child::succeeded(&mut build.link())?.cpu);
        }
    }
    Ok(taken)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
