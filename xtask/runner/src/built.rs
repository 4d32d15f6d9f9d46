//! The tests of a workspace, built: by Cargo here, or by another machine that packed them into an archive.

use std::io::{BufWriter, stderr};
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use guppy::graph::PackageGraph;
use nextest_runner::list::BinaryList;
use nextest_runner::redact::Redactor;
use nextest_runner::reuse_build::{
    ArchiveEvent, ArchiveFormat, ArchiveReporter, ExtractDestination, PathMapper, ReuseBuildInfo,
};

use crate::cargo;

/// Where the built tests come from.
#[derive(clap::Args)]
pub(crate) struct Source {
    #[command(flatten)]
    build: cargo::Build,
    /// Takes the tests from this archive, and builds nothing
    #[arg(long, value_name = "FILE", conflicts_with = "Build")]
    archive_file: Option<Utf8PathBuf>,
    /// Unpacks the archive to this directory instead of a temporary one
    #[arg(long, value_name = "DIR", requires = "archive_file")]
    extract_to: Option<Utf8PathBuf>,
    /// Overwrites what an earlier run has unpacked there
    #[arg(long, requires = "extract_to")]
    extract_overwrite: bool,
    /// Where the checkout is now that the archive was built from
    #[arg(long, value_name = "DIR", requires = "archive_file")]
    workspace_remap: Option<Utf8PathBuf>,
}

/// Test executables, and the workspace that they belong to.
pub(crate) struct Built {
    pub(crate) metadata: Arc<String>,
    pub(crate) graph: Arc<PackageGraph>,
    pub(crate) binaries: Arc<BinaryList>,
    /// Where things are now, which were elsewhere when they were built.
    pub(crate) paths: PathMapper,
    /// The unpacked archive, which may be in a temporary directory.
    _archive: Option<ReuseBuildInfo>,
}

impl Source {
    /// Builds or unpacks the tests.
    pub(crate) fn built(&self) -> Result<Built> {
        match &self.archive_file {
            None => Built::by_cargo(&self.build),
            Some(file) => self.unpacked(file).with_context(|| format!("cannot use the archive {file}")),
        }
    }

    fn unpacked(&self, file: &Utf8Path) -> Result<Built> {
        let place = match &self.extract_to {
            Some(dir) => {
                ExtractDestination::Destination { dir: dir.clone(), overwrite: self.extract_overwrite }
            }
            None => ExtractDestination::TempDir { persist: false },
        };
        let remap = self.workspace_remap.as_deref().map(camino::absolute_utf8).transpose()?;
        let mut reporter = ArchiveReporter::new(false, Redactor::noop());
        let mut writer = BufWriter::new(stderr());
        let report = |event: ArchiveEvent<'_>| reporter.report_event(event, &mut writer);
        let format = ArchiveFormat::autodetect(file)?;
        let archive = ReuseBuildInfo::extract_archive(file, format, place, report, remap.as_deref())?;
        Built::unpacked(archive)
    }
}

impl Built {
    pub(crate) fn by_cargo(options: &cargo::Build) -> Result<Self> {
        let platforms = cargo::platforms()?;
        let metadata = cargo::metadata(&platforms)?;
        let graph = PackageGraph::from_json(&metadata)?;
        let binaries = cargo::binaries(options, &graph, platforms)?;
        Ok(Self {
            metadata: Arc::new(metadata),
            graph: Arc::new(graph),
            binaries: Arc::new(binaries),
            paths: PathMapper::noop(),
            _archive: None,
        })
    }

    fn unpacked(archive: ReuseBuildInfo) -> Result<Self> {
        let workspace = archive.cargo_metadata().context("it does not describe the workspace")?;
        let (metadata, graph) = (workspace.json.clone(), workspace.graph.clone());
        let binaries = archive.binaries_metadata().context("it lists no tests")?.binary_list.clone();
        let paths = PathMapper::new(
            graph.workspace().root(),
            archive.workspace_remap(),
            &binaries.rust_build_meta.target_directory,
            archive.target_dir_remap(),
            &binaries.rust_build_meta.build_directory,
            archive.build_dir_remap().or(archive.target_dir_remap()),
            archive.libdir_mapper.clone(),
        )?;
        Ok(Self { metadata, graph, binaries, paths, _archive: Some(archive) })
    }

    /// The root of the checkout, where it is now.
    pub(crate) fn root(&self) -> &Utf8Path {
        self.paths.new_workspace_root().unwrap_or_else(|| self.graph.workspace().root())
    }
}
