//! `archive`: packs the test executables and what the profile adds to them, to be run on another machine.

use std::io::{BufWriter, stderr};

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use nextest_filtering::{FiltersetKind, KnownGroups};
use nextest_runner::config::core::NextestConfig;
use nextest_runner::redact::Redactor;
use nextest_runner::reuse_build::{
    ArchiveEvent, ArchiveFormat, ArchiveReporter, apply_archive_filters, archive_to_file,
};
use nextest_runner::test_filter::BinaryFilter;

use crate::built::Built;
use crate::{cargo, selected};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    build: cargo::Build,
    /// The archive to write, which ends in `.tar.zst`
    #[arg(long, value_name = "FILE")]
    archive_file: Utf8PathBuf,
    /// How hard it is compressed
    #[arg(long, value_name = "LEVEL", default_value_t = 0, allow_negative_numbers = true)]
    zstd_level: i32,
    /// The profile of `.config/nextest.toml`
    #[arg(short = 'P', long, default_value = NextestConfig::DEFAULT_PROFILE)]
    profile: String,
    /// Only the test executables that this filterset matches
    #[arg(short = 'E', long, value_name = "EXPRESSION")]
    filterset: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let file = &options.archive_file;
    let format = ArchiveFormat::autodetect(file)?;
    let built = Built::by_cargo(&options.build)?;
    let config = selected::config(&built)?;
    let profile = config
        .profile(&options.profile)?
        .apply_build_platforms(&built.binaries.rust_build_meta.build_platforms);
    let kind = FiltersetKind::TestArchive;
    let filtersets = selected::filtersets(&built, &options.filterset, kind, &KnownGroups::Unavailable)?;
    let filter = BinaryFilter::new(filtersets);
    let context = profile.filterset_ecx();
    let (binaries, counts) =
        apply_archive_filters(&built.graph, built.binaries.clone(), &filter, &context, &built.paths)?;
    let mut reporter = ArchiveReporter::new(false, Redactor::noop());
    let mut writer = BufWriter::new(stderr());
    let report = |event: ArchiveEvent<'_>| reporter.report_event(event, &mut writer);
    archive_to_file(
        profile,
        &binaries,
        counts,
        &built.metadata,
        &built.graph,
        &built.paths,
        format,
        options.zstd_level,
        false,
        file,
        report,
        Redactor::noop(),
    )
    .with_context(|| format!("cannot write {file}"))
}
