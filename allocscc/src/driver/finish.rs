//! After a link: adds the metadata to the linked file, and takes out what only the analysis needed.
//!
//! That, too, happens in a process of its own (this same program, see [`FINISH`]). If it crashes, the linked file is as the linker
//! left it, and a second try without analysis brings it into its final form.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use allocs_metadata::{FILE_HAS_HOOKS, SECTION_NAME};
use anyhow::{Context, Result};

use super::arguments::Arguments;
use super::children;
use super::compiler::Driven;
use super::debug::DebugRequest;
use super::hooks::{Annotate, Hooks, LinkOutput};
use super::inputs;
use super::plan::{Plan, Source, Strip};
use super::records::{FACTS_SECTION, Record};
use super::stack::with_large_stack;
use super::standard_input::Input;
use super::warning::warn;
use crate::image::append::append_to_file;
use crate::image::debug_info::{debug_info_of_sources, debug_info_size, is_debug_section};
use crate::image::elf::{Elf, FileKind, Section, set_flags};
use crate::image::rewrite::{Edit, rewrite};

/// First argument of this program when it is to finish a linked file: then whether to analyse it, then the file that holds the link
/// editor's map (or an empty word), then the original command line. The records of the sources in that command are on the standard input.
pub const FINISH: &str = "--allocs-internal-finish";

const WITH_ANALYSIS: &str = "analyse";
const WITHOUT_ANALYSIS: &str = "edit";

/// Finishes the file that `plan` has linked. `facts` are those of the sources in the command, `map` holds the link editor's map.
/// Returns the symbols of types that the file needs and nothing describes.
pub fn run(plan: &Plan, facts: &[&[u8]], map: Option<&Path>) -> Vec<String> {
    let mut section = Vec::new();
    for payload in facts {
        Record { payload, asked: plan.debug != DebugRequest::Nothing, unasked_debug_info: 0 }
            .write(&mut section);
    }
    let input = Input::Text(Arc::new(section));
    let analysed = run_once(plan, &input, WITH_ANALYSIS, map);
    if let Err(reason) = &analysed {
        warn(plan.warn, &plan.linked_file(), format_args!("the analysis failed: {reason:#}"));
        if let Err(reason) = run_once(plan, &input, WITHOUT_ANALYSIS, None) {
            warn(plan.warn, &plan.linked_file(), format_args!("it keeps debug info: {reason:#}"));
        }
    }
    analysed.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns what the process printed.
fn run_once(plan: &Plan, input: &Input, mode: &str, map: Option<&Path>) -> Result<String> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    plan.driven.name(&mut command);
    command.arg(FINISH).arg(mode).arg(map.unwrap_or(Path::new(""))).args(&plan.arguments.given);
    command.stdout(Stdio::piped());
    if !plan.warn {
        command.stderr(Stdio::null());
    }
    let mut running = input.spawn(&mut command)?;
    let mut printed = String::new();
    running.child.stdout.take().context("no pipe")?.read_to_string(&mut printed)?;
    let status = running.wait()?;
    anyhow::ensure!(status.success(), "{status}");
    Ok(printed)
}

/// The other side of [`run`], in the process of its own. Returns the exit status.
pub fn finish(hooks: Hooks, mut arguments: Vec<OsString>) -> i32 {
    let mut own = arguments.drain(..arguments.len().min(2));
    let (mode, map) = (own.next().unwrap_or_default(), own.next().unwrap_or_default());
    drop(own);
    // A map that cannot be read costs the string literals.
    let map = std::fs::read(map).ok().map(|map| String::from_utf8_lossy(&map).into_owned());
    let plan = Plan::new(Arguments::new(arguments), Driven::from_own_name());
    let path = plan.linked_file();
    let mut section = Vec::new();
    let result = children::listen()
        .and_then(|()| std::io::stdin().lock().read_to_end(&mut section))
        .map_err(anyhow::Error::from)
        .and_then(|_| {
            let analysis =
                (mode == WITH_ANALYSIS).then_some(Analysis { annotate: hooks.annotate, map: map.as_deref() });
            finish_file(&plan, &path, &section, analysis)
        });
    if let Err(reason) = &result {
        warn(plan.warn, &path, reason);
    }
    i32::from(result.is_err())
}

/// What analyses a linked file, and what it needs beside the file.
struct Analysis<'a> {
    annotate: Annotate,
    map: Option<&'a str>,
}

fn finish_file(plan: &Plan, path: &Path, compiled_here: &[u8], analysis: Option<Analysis<'_>>) -> Result<()> {
    let Ok(file) = std::fs::read(path) else { return Ok(()) };
    let Some(elf) = Elf::parse(&file)? else { return Ok(()) };
    match elf.kind {
        FileKind::Object => add_to_relocatable(plan, path, &elf, compiled_here),
        FileKind::Linked => finish_linked(plan, path, &elf, compiled_here, analysis),
    }
}

/// `-r`: the records of the inputs are there already; those of the sources in this command, and what the linker dropped, come
/// behind them.
fn add_to_relocatable(plan: &Plan, path: &Path, elf: &Elf, compiled_here: &[u8]) -> Result<()> {
    let carried = Carried::new(plan, elf)?;
    let mut records = Record::read_all(compiled_here)?;
    if plan.debug == DebugRequest::Nothing
        && let Some(first) = records.first_mut()
    {
        let of_inputs = inputs::debug_info_of_objects(&plan.inputs);
        first.unasked_debug_info = debug_info_size(elf)?.saturating_sub(of_inputs);
    }
    let in_output = carried.in_output()?;
    records.extend(carried.records()?.into_iter().filter(|record| !in_output.contains(record)));
    if records.is_empty() {
        return Ok(());
    }
    let mut section = Vec::new();
    for record in &records {
        record.write(&mut section);
    }
    append_to_file(path, elf, FACTS_SECTION, &section)
}

/// The facts that the inputs brought.
struct Carried {
    /// What the linker put into its output.
    in_output: Vec<u8>,
    /// What it may have left behind: with `-flto`, and where a linker script discards what it does not know.
    in_inputs: inputs::FactsOfInputs,
}

impl Carried {
    fn new(plan: &Plan, elf: &Elf) -> Result<Carried> {
        let in_output =
            elf.named(FACTS_SECTION).map(|s| s.bytes(elf.file)).collect::<Result<Vec<_>>>()?.concat();
        let in_inputs = if plan.lto || in_output.is_empty() {
            inputs::facts_of_inputs(&plan.inputs, plan.is_static)
        } else {
            inputs::FactsOfInputs::default()
        };
        Ok(Carried { in_output, in_inputs })
    }

    fn in_output(&self) -> Result<Vec<Record<'_>>> {
        Record::read_all(&self.in_output)
    }

    fn records(&self) -> Result<Vec<Record<'_>>> {
        let mut records = self.in_output()?;
        for section in &self.in_inputs.sections {
            for record in Record::read_all(section)? {
                if !records.contains(&record) {
                    records.push(record);
                }
            }
        }
        Ok(records)
    }
}

fn finish_linked(
    plan: &Plan,
    path: &Path,
    elf: &Elf,
    compiled_here: &[u8],
    analysis: Option<Analysis<'_>>,
) -> Result<()> {
    let carried = Carried::new(plan, elf)?;
    let here = Record::read_all(compiled_here)?;
    let linked = carried.records()?;
    let keeps_debug_info = plan.strip == Strip::Nothing
        && wants_debug_info(plan, elf, &here, &linked, carried.in_inputs.has_foreign_debug_info)
            .inspect_err(|reason| warn(plan.warn, path, format_args!("it keeps debug info: {reason:#}")))
            .unwrap_or(true);
    let facts = linked.iter().chain(&here).map(|record| record.payload).filter(|facts| !facts.is_empty());
    let mut annotation = None;
    if let Some(Analysis { annotate, map }) = analysis {
        let output = LinkOutput {
            path,
            bytes: elf.file,
            facts: facts.collect(),
            map,
            keeps_debug_info,
            wants_alloc_types: plan.alloc_types && keeps_debug_info,
            inputs: &plan.inputs,
        };
        match with_large_stack(|| annotate(&output)) {
            Ok(made) => {
                // Those of a shared library may be described by a file that is loaded with it.
                let undescribed =
                    made.iter().filter(|_| !plan.is_shared).flat_map(|made| &made.undescribed_types);
                undescribed.for_each(|symbol| println!("{symbol}"));
                annotation = made;
            }
            Err(reason) => warn(plan.warn, path, reason),
        }
    }
    let metadata = annotation.as_ref().map(|annotation| &annotation.metadata[..]);
    let debug_sections = annotation.as_ref().map_or(&[][..], |annotation| &annotation.debug_sections);
    let remove = |section: &Section| {
        section.name == FACTS_SECTION.as_bytes() || (!keeps_debug_info && is_debug_section(section))
    };
    let edit = |replace| Edit {
        remove: &remove,
        strip_symbols: plan.strip == Strip::Symbols,
        replace,
        add: metadata.map(|bytes| (SECTION_NAME, bytes)),
    };
    let rewritten = match rewrite(elf, &edit(debug_sections)) {
        Err(reason) if !debug_sections.is_empty() => {
            warn(
                plan.warn,
                path,
                format_args!("the debug information does not say what calls allocate: {reason:#}"),
            );
            rewrite(elf, &edit(&[]))
        }
        rewritten => rewritten,
    };
    match rewritten {
        Ok(mut bytes) => {
            if annotation.as_ref().is_some_and(|annotation| annotation.has_hooks) {
                set_flags(&mut bytes, FILE_HAS_HOOKS);
            }
            replace(path, &bytes)
        }
        Err(reason) => {
            warn(plan.warn, path, format_args!("it keeps debug info and symbols: {reason:#}"));
            metadata.map_or(Ok(()), |bytes| append_to_file(path, elf, SECTION_NAME, bytes))
        }
    }
}

/// Whether somebody asked for debug info that is in the linked file.
///
/// Sizes tell: the linker concatenates `.debug_info`, and each object made by us says how many of its bytes nobody asked for. What is
/// more than their sum was asked for, or comes from an object that another compiler made.
fn wants_debug_info(
    plan: &Plan,
    elf: &Elf,
    here: &[Record],
    linked: &[Record],
    has_foreign_debug_info: bool,
) -> Result<bool> {
    if here.iter().any(|record| record.asked) || linked.iter().any(|record| record.asked) {
        return Ok(true);
    }
    if plan.lto {
        return Ok(has_foreign_debug_info);
    }
    let total = debug_info_size(elf)?;
    let unasked = linked.iter().map(|record| record.unasked_debug_info);
    let linked = unasked.fold(0, u64::saturating_add);
    if total <= linked || here.is_empty() {
        return Ok(total > linked);
    }
    let compiled = plan.words.iter().filter_map(|word| plan.compiled_file(word));
    let mut stems: Vec<&OsStr> = compiled.filter_map(Path::file_stem).collect();
    if plan.sources.iter().any(Source::is_standard_input) {
        stems.extend(["-", "<stdin>"].map(OsStr::new));
    }
    Ok(total > linked.saturating_add(debug_info_of_sources(elf.file, &stems)?))
}

/// Puts a new file in the place of `path` in one step, with the same permissions.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    // The new file comes where a symbolic link points to, as with the linker's own output.
    let path: PathBuf = path.canonicalize()?;
    let directory = path.parent().context("no directory")?;
    let mut new = tempfile::Builder::new().prefix(".allocscc-").tempfile_in(directory)?;
    children::remember(new.path());
    new.write_all(bytes)?;
    let mode = std::fs::metadata(&path)?.permissions().mode();
    new.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    let name = new.path().to_path_buf();
    let result = new.persist(&path).context("cannot replace the linked file");
    children::forget(&name);
    result.map(|_| ())
}
