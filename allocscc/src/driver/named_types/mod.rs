//! Types that a program names at link time: `extern struct uniqtype __uniqtype__point;`.
//!
//! Before a link, [`scan`] looks for symbols of types in what is linked, and in the preprocessed text of what is compiled in the same command
//! if [`sources`] says that they may be there. The link editor then finds an archive at the end of its inputs that has an object for each
//! ([`objects`]), of which it takes those that it looks for. A program that names no type gets none of all that.

mod objects;
mod scan;
mod sources;

pub use objects::{canonical_of_symbol, is_of_c};

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;

use allocs_metadata::link_time::SYMBOL_PREFIX;
use anyhow::{Context, Result, ensure};
use tempfile::TempPath;

use super::arguments::spell;
use super::children;
use super::compiler::Compiler;
use super::inputs::for_each_object;
use super::language::Language;
use super::plan::{Action, Plan, Source, WordKind};
use super::spelling;
use super::standard_input::Input;
use super::warning::warn;
use crate::image::object_file::archive;

/// The files that a link needs for the types that its inputs name; gone with this value or when a signal ends us.
pub struct NamedTypes {
    archive: File,
    /// Which symbols of an executable others see.
    exported: Option<File>,
}

impl NamedTypes {
    /// Looks for names of types. `None` where there are none, or the command makes no final link.
    pub fn of_link(
        plan: &Plan,
        compiler: &Compiler,
        headers: Option<&Path>,
        input: &Input,
    ) -> Option<NamedTypes> {
        if plan.action != Action::Link || plan.is_relocatable {
            return None;
        }
        let mut symbols = BTreeSet::new();
        for path in plan.inputs.existing(plan.is_static) {
            for_each_object(&path, |object| scan::add(object, &mut symbols));
        }
        if let Err(reason) = of_sources(plan, compiler, headers, input, &mut symbols) {
            warn(plan.warn, compiler.name(), format_args!("cannot see which types are named: {reason:#}"));
        }
        if symbols.is_empty() {
            return None;
        }
        let archive = File::new(".a", &archive(&objects::members(&symbols)))
            .inspect_err(|reason| {
                warn(plan.warn, &plan.linked_file(), format_args!("no objects for types: {reason:#}"))
            })
            .ok()?;
        let export = format!("{{ {SYMBOL_PREFIX}*; }};\n");
        let exported =
            if plan.is_static || plan.is_shared { None } else { File::new(".list", export.as_bytes()).ok() };
        Some(NamedTypes { archive, exported })
    }

    /// Adds them to the words of the command.
    pub fn add_to(&self, words: &mut Vec<OsString>) {
        let option = |option: &str, file: &File| {
            let mut word = OsString::from(option);
            word.push(&file.0);
            word
        };
        let end = words.iter().position(|word| word == "--");
        let at = end.unwrap_or(words.len());
        words.splice(at..at, self.exported.iter().map(|file| option("-Wl,--dynamic-list=", file)));
        // It stands behind all that may look for what is in it.
        words.push(option(if end.is_some() { "" } else { "-Wl," }, &self.archive));
    }
}

/// A temporary file.
struct File(TempPath);

impl File {
    fn new(suffix: &str, contents: &[u8]) -> Result<File> {
        let mut file = tempfile::Builder::new().prefix("allocscc-").suffix(suffix).tempfile()?;
        file.write_all(contents)?;
        let path = file.into_temp_path();
        ensure!(!path.as_os_str().as_encoded_bytes().contains(&b','), "its name has a comma");
        children::remember(&path);
        Ok(File(path))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        children::forget(&self.0);
    }
}

/// Adds the symbols in the sources of the command.
fn of_sources(
    plan: &Plan,
    compiler: &Compiler,
    headers: Option<&Path>,
    input: &Input,
    symbols: &mut BTreeSet<String>,
) -> Result<()> {
    for word in plan.words.iter().filter(|word| word.kind == WordKind::Input(Language::Other)) {
        if let Some(text) = plan.compiled_file(word).and_then(|path| std::fs::read(path).ok()) {
            scan::add(&text, symbols);
        }
    }
    let mut sources = sources::Sources::new(plan);
    let in_all = !plan.sources.is_empty() && sources.included_by_option(plan);
    for source in &plan.sources {
        let may_name_types = in_all
            || match input {
                Input::Text(text) if source.is_standard_input() => {
                    sources.text_may_name_types(text, Path::new(""))
                }
                _ => sources.may_name_types(&source.path),
            };
        if may_name_types {
            scan::add(&preprocessed(plan, source, compiler, headers, input)?, symbols);
        }
    }
    Ok(())
}

fn preprocessed(
    plan: &Plan,
    source: &Source,
    compiler: &Compiler,
    headers: Option<&Path>,
    input: &Input,
) -> Result<Vec<u8>> {
    if source.language == Language::PreprocessedC && !source.is_standard_input() {
        return std::fs::read(&source.path).context("cannot read the preprocessed source");
    }
    let arguments = spell(spelling::preprocessor_arguments(plan, source, headers))?;
    let mut command = compiler.command();
    command.args(&arguments.words).env_remove("DEPENDENCIES_OUTPUT").env_remove("SUNPRO_DEPENDENCIES");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let input = if source.is_standard_input() { input } else { &Input::Nothing };
    let mut running = input.spawn(&mut command).context("cannot run the preprocessor")?;
    let mut text = Vec::new();
    running.child.stdout.take().context("no preprocessed text")?.read_to_end(&mut text)?;
    // What the preprocessor refuses the compiler will refuse too, and say why.
    running.wait()?;
    Ok(text)
}
