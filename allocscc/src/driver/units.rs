//! Gathers the facts of each source while the compiler compiles: `cc -E` into a process that runs our analysis.
//!
//! The analysis runs in a process of its own (this same program, see [`ANALYSE`]) because it meets whatever text people have
//! written: if it crashes, or overflows its stack, the build goes on without it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::alloca;
use super::arguments::spell;
use super::children::Running;
use super::compiler::Compiler;
use super::hooks::{Hooks, UnitInfo};
use super::language::Language;
use super::plan::{Plan, Source};
use super::spelling;
use super::stack::with_large_stack;
use super::standard_input::Input;

/// First argument of this program when it is to analyse a unit: then the source's name and the options that change what C means.
/// The preprocessed text is on the standard input, the facts go to the standard output.
pub const ANALYSE: &str = "--allocs-internal-analyse";

/// What the analysis of a source gives.
pub struct SourceFacts {
    /// The facts.
    pub bytes: Vec<u8>,
    /// See [`alloca::is_called_in`].
    pub calls_alloca: bool,
}

/// The facts of one source; none if it is in C++.
pub fn facts(
    plan: &Plan,
    source: &Source,
    compiler: &Compiler,
    headers: Option<&Path>,
    input: &Input,
) -> Result<SourceFacts> {
    if !source.language.has_facts() {
        return Ok(SourceFacts { bytes: Vec::new(), calls_alloca: false });
    }
    let mut analysis = Command::new(std::env::current_exe().context("cannot find this program")?);
    analysis.arg(ANALYSE).arg(&source.path).args(spelling::meaning_options(plan));
    analysis.stdout(Stdio::piped()).stderr(if plan.warn { Stdio::inherit() } else { Stdio::null() });
    if source.language == Language::PreprocessedC {
        let analysis = if source.is_standard_input() {
            input.spawn(&mut analysis)
        } else {
            let text = std::fs::File::open(&source.path).context("cannot read the preprocessed source")?;
            Running::spawn(analysis.stdin(text))
        };
        return output(analysis.context("cannot run the analysis")?);
    }
    let arguments = spell(spelling::preprocessor_arguments(plan, source, headers))?;
    let mut preprocessor = compiler.command();
    preprocessor
        .args(&arguments.words)
        .env_remove("DEPENDENCIES_OUTPUT")
        .env_remove("SUNPRO_DEPENDENCIES")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let input = if source.is_standard_input() { input } else { &Input::Nothing };
    let mut preprocessor = input.spawn(&mut preprocessor).context("cannot run the preprocessor")?;
    let text = preprocessor.child.stdout.take().context("no preprocessed text")?;
    let running = Running::spawn(analysis.stdin(Stdio::from(text)));
    // The command holds the reading end of the pipe: as long as it does, the preprocessor could wait for ever on a dead analysis.
    drop(analysis);
    let facts = running.context("cannot run the analysis").and_then(output);
    let status = preprocessor.wait()?;
    ensure!(status.success(), "the preprocessor failed ({status})");
    facts
}

fn output(mut running: Running) -> Result<SourceFacts> {
    let mut bytes = Vec::new();
    running.child.stdout.take().context("no pipe")?.read_to_end(&mut bytes)?;
    let status = running.wait()?;
    match status.code() {
        Some(0) => Ok(SourceFacts { bytes, calls_alloca: false }),
        Some(CALLS_ALLOCA) => Ok(SourceFacts { bytes, calls_alloca: true }),
        Some(REFUSED) => bail!("{}", String::from_utf8_lossy(&bytes)),
        _ => bail!("the analysis of the source crashed ({status})"),
    }
}

/// Exit status of an analysis that printed why there are no facts.
const REFUSED: i32 = 1;

/// Exit status of an analysis that printed facts, of a source that calls alloca; none that a library exits with.
const CALLS_ALLOCA: i32 = 64;

/// The other side of [`facts`], in the process of its own. Returns the exit status.
pub fn analyse(hooks: Hooks, arguments: &[OsString]) -> i32 {
    let result = with_large_stack(|| {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text)?;
        let source = arguments.first().map(PathBuf::from).unwrap_or_default();
        let flags = arguments.iter().skip(1).cloned().collect();
        let facts = (hooks.analyse)(&text, &UnitInfo { source, directory: std::env::current_dir()?, flags })?;
        Ok((facts, if alloca::is_called_in(&text) { CALLS_ALLOCA } else { 0 }))
    });
    let (bytes, status) = match result {
        Ok(found) => found,
        Err(error) => (format!("{error:#}").into_bytes(), REFUSED),
    };
    // The reader may be gone because the compilation failed; then nobody looks at the status either.
    std::io::stdout().lock().write_all(&bytes).map_or(2, |()| status)
}
