//! The corpus programs under the library, over plain.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use corpus::build::cost::median;
use corpus::build::{self, Compiler, Variant};
use corpus::manifest::{self, Manifest};
use corpus::stage::Stage;
use corpus::watch::{Preloads, Seen, Watch};
use corpus::workload::{Mode, Step, Workload};
use object::{Object, ObjectSection};

use crate::figures::Program;

const ROUNDS: usize = 5;

/// The section that allocscc adds to a file.
const METADATA: &str = ".allocs";

pub(crate) fn measure(
    manifest: &Manifest,
    program: &manifest::Program,
    stage: &Stage,
    preloads: &Preloads,
) -> Result<Program> {
    eprintln!("measuring {}", program.name);
    let plain = build::build(manifest, program, Compiler::Plain, &Variant::default(), stage)?;
    let built = build::build(manifest, program, Compiler::Allocscc, &Variant::default(), stage)?;
    let workload = Workload::new(program, &built.executable(), preloads)?;
    let cpu = |library| -> Result<f64> {
        Ok(workload
            .run(Mode { library, watch: Watch::Nothing })?
            .iter()
            .map(|step| step.outcome.cpu.as_secs_f64())
            .sum())
    };
    let rounds = (0..ROUNDS).map(|_| Ok(1.0 / cpu(false)? * cpu(true)?)).collect::<Result<Vec<_>>>()?;
    let over_plain = |watch, figure: fn(&[Step]) -> u64| -> Result<f64> {
        let run = |library| -> Result<Vec<Step>> {
            let mode = Mode { library, watch };
            // Callgrind is slow, and the first step is enough to count.
            if watch == Watch::Instructions { Ok(vec![workload.first(mode)?]) } else { workload.run(mode) }
        };
        let plain = figure(&run(false)?);
        Ok(figure(&run(true)?) as f64 / plain as f64)
    };
    Ok(Program {
        name: program.name.clone(),
        instructions: over_plain(Watch::Instructions, |steps| steps.iter().map(instructions).sum())?,
        cpu: median(rounds),
        memory: over_plain(Watch::Peak, |steps| steps.iter().map(peak).max().unwrap_or(0))?,
        metadata: size(&built.executable(), METADATA)? / size(&plain.executable(), ".debug_info")?,
    })
}

fn instructions(step: &Step) -> u64 {
    if let Seen::Instructions(count) = step.seen { count } else { 0 }
}

fn peak(step: &Step) -> u64 {
    if let Seen::Peak(kilobytes) = step.seen { kilobytes } else { 0 }
}

fn size(path: &Path, section: &str) -> Result<f64> {
    let data = fs::read(path)?;
    let file = object::File::parse(&*data)?;
    let found =
        file.section_by_name(section).with_context(|| format!("{} has no {section}", path.display()))?;
    Ok(found.size() as f64)
}
