//! `allocs meta add FILE`: gives a file that another compiler made its metadata, without building it again.
//!
//! It is the link step without the facts of the source, but for those of objects that `allocscc -c` made: types, static objects and frames
//! are the same, and the type of an allocation is that of the variable that receives it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use allocs_metadata::{Evidence, Metadata, SECTION_NAME};
use anyhow::{Context, Result, bail, ensure};

use super::debug_file;
use crate::driver::LinkOutput;
use crate::driver::finish::replace;
use crate::driver::inputs::LinkInputs;
use crate::driver::records::{FACTS_SECTION, Record};
use crate::driver::stack::with_large_stack;
use crate::emit::Aligned;
use crate::image::elf::{Elf, FileKind};
use crate::image::rewrite::{Edit, rewrite};
use crate::image::unstrip::with_debug_sections;
use crate::link;

/// Arguments of `allocs meta add`.
#[derive(clap::Args, Debug)]
pub struct Add {
    /// An executable or shared object whose debug information it has itself, or is apart from it.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Take the debug information from this file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    debug: Option<PathBuf>,
    /// Where debug information apart from its files is.
    #[arg(long, value_name = "DIR", default_value = "/usr/lib/debug", value_hint = clap::ValueHint::DirPath)]
    debug_root: PathBuf,
    /// Leave the file alone, and write its metadata below this directory, which META_BASE then names.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    base: Option<PathBuf>,
    /// Replace the metadata that the file has.
    #[arg(long)]
    replace: bool,
}

impl Add {
    /// Makes the metadata and puts it where it is wanted.
    pub fn run(&self) -> Result<()> {
        self.add().with_context(|| self.file.display().to_string())
    }

    fn add(&self) -> Result<()> {
        let file = std::fs::read(&self.file).context("cannot be read")?;
        let elf = Elf::parse(&file)?.context("not an ELF file for x86-64 with section headers")?;
        ensure!(elf.kind == FileKind::Linked, "neither an executable nor a shared object");
        if elf.named(SECTION_NAME).next().is_some() && !self.replace {
            bail!("it has metadata already; --replace makes it anew");
        }
        if self.base.is_none() {
            // Replacing a file takes no permission to write it, but who has none does not expect it to change.
            rustix::fs::access(&self.file, rustix::fs::Access::WRITE_OK)
                .map_err(std::io::Error::from)
                .context("it cannot be written; --base writes the metadata elsewhere")?;
        }
        let metadata = self.metadata(&elf)?;
        match &self.base {
            Some(base) => write_beside(base, &metadata)?,
            None => {
                let remove = [SECTION_NAME, FACTS_SECTION].map(str::as_bytes);
                let edit = Edit {
                    remove: &|section| remove.contains(&section.name),
                    strip_symbols: false,
                    replace: &[],
                    add: Some((SECTION_NAME, &metadata)),
                };
                replace(&self.file, &rewrite(&elf, &edit)?)?;
            }
        }
        report(&self.file, &metadata)
    }

    fn metadata(&self, elf: &Elf) -> Result<Vec<u8>> {
        let facts = elf.named(FACTS_SECTION).map(|s| s.bytes(elf.file)).collect::<Result<Vec<_>>>()?.concat();
        let facts = Record::read_all(&facts)?;
        let whole = if self.debug.is_none() && debug_file::has_debug_info(elf.file) {
            elf.file.to_vec()
        } else {
            let debug = debug_file::find(&self.file, elf.file, self.debug.as_deref(), &self.debug_root)?;
            let debug = Elf::parse(&debug)?.context("the debug information is that of another machine")?;
            with_debug_sections(elf, &debug)?
        };
        let alternate =
            Elf::parse(&whole)?.is_some_and(|elf| elf.named(".gnu_debugaltlink").next().is_some());
        ensure!(!alternate, "its debug information is in part in a file of dwz's, which is not read");
        let output = LinkOutput {
            path: &self.file,
            bytes: &whole,
            facts: facts.iter().map(|record| record.payload).filter(|facts| !facts.is_empty()).collect(),
            map: None,
            keeps_debug_info: true,
            wants_alloc_types: false,
            inputs: &LinkInputs::default(),
        };
        let annotation =
            with_large_stack(|| link::annotate(&output))?.context("the analysis found nothing")?;
        Ok(annotation.metadata)
    }
}

/// Puts the metadata where the library looks for that of a file with its build-id.
fn write_beside(base: &Path, metadata: &[u8]) -> Result<()> {
    let aligned = Aligned::copy(metadata);
    let id = Metadata::parse(aligned.bytes())?.build_id();
    ensure!(id.len() > 1, "it has no build-id, by which the library finds metadata apart from a file");
    let path = base.join(debug_file::by_build_id(id, "meta"));
    let directory = path.parent().context("no directory")?;
    std::fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    let write = || -> Result<()> {
        // Like any file that is made, less what the umask says: its reader may be somebody else.
        let permissions = std::fs::Permissions::from_mode(0o666);
        let mut new =
            tempfile::Builder::new().prefix(".allocs-").permissions(permissions).tempfile_in(directory)?;
        new.write_all(metadata)?;
        new.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

fn report(file: &Path, metadata: &[u8]) -> Result<()> {
    let aligned = Aligned::copy(metadata);
    let m = Metadata::parse(aligned.bytes())?;
    let is_typed = |evidence: u8| Evidence::from_u8(evidence) != Evidence::None;
    let typed = m.sites().iter().filter(|site| is_typed(site.evidence)).count();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: {} types, {} static objects, {} frames, {} of {} allocation sites with a type",
        file.display(),
        m.types().len(),
        m.statics().len(),
        m.frames().len(),
        typed,
        m.sites().len(),
    )
    .context("writing to standard output")
}
