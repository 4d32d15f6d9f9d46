//! What `.config/nextest.toml` and the command line say about which tests run, and how.

use std::collections::BTreeSet;
use std::io::{IsTerminal, stderr};

use anyhow::{Result, bail};
use nextest_filtering::{Filterset, FiltersetKind, KnownGroups, ParseContext};
use nextest_runner::cargo_config::{CargoConfigs, EnvironmentMap};
use nextest_runner::config::core::{EvaluatableProfile, NextestConfig, ToolConfigFile, get_num_cpus};
use nextest_runner::double_spawn::DoubleSpawnInfo;
use nextest_runner::helpers::{ShowTerminalProgress, ThemeCharacters, force_or_new_run_id};
use nextest_runner::list::{ListProgressOptions, RustTestArtifact, TestExecuteContext, TestList};
use nextest_runner::partition::PartitionerBuilder;
use nextest_runner::reporter::ShowProgress;
use nextest_runner::run_mode::NextestRunMode;
use nextest_runner::runner::VersionEnvVars;
use nextest_runner::target_runner::TargetRunner;
use nextest_runner::test_filter::{FilterBound, RunIgnored, TestFilter, TestFilterPatterns};

use crate::built::Built;

/// Which tests are meant.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// The profile of `.config/nextest.toml`
    #[arg(short = 'P', long, default_value = NextestConfig::DEFAULT_PROFILE)]
    pub(crate) profile: String,
    /// Only the tests that this filterset matches
    #[arg(short = 'E', long, value_name = "EXPRESSION")]
    filterset: Vec<String>,
    /// Only one part, as `count:1/2`, `slice:1/2` or `hash:1/2`
    #[arg(long, value_name = "PART")]
    partition: Option<PartitionerBuilder>,
    /// Only the tests whose name contains one of these
    filters: Vec<String>,
}

/// The configuration of the checkout.
pub(crate) fn config(built: &Built) -> Result<NextestConfig> {
    let context = ParseContext::new(&built.graph);
    let of_tools = std::iter::empty::<&ToolConfigFile>();
    Ok(NextestConfig::from_sources(built.root(), &context, None, of_tools, &BTreeSet::new())?)
}

/// Reads filtersets; all that is wrong with one is in the error.
pub(crate) fn filtersets(
    built: &Built,
    texts: &[String],
    kind: FiltersetKind,
    groups: &KnownGroups,
) -> Result<Vec<Filterset>> {
    let context = ParseContext::new(&built.graph);
    let read = |text: &String| match Filterset::parse(text.clone(), &context, kind, groups) {
        Ok(filterset) => Ok(filterset),
        Err(wrong) => {
            let reasons: Vec<String> = wrong.errors.iter().map(ToString::to_string).collect();
            bail!("in the filterset `{text}`: {}", reasons.join("; "))
        }
    };
    texts.iter().map(read).collect()
}

/// The tests that are meant, and how they are started.
pub(crate) struct Tests<'a> {
    pub(crate) list: &'a TestList<'a>,
    pub(crate) profile: &'a EvaluatableProfile<'a>,
    pub(crate) started: &'a TestExecuteContext<'a>,
    pub(crate) progress: ShowTerminalProgress,
}

/// Asks each test executable what tests it has, marks those that are meant, and hands them to `work`.
pub(crate) fn with_tests<T>(
    built: &Built,
    selection: &Selection,
    work: impl FnOnce(&Tests<'_>) -> Result<T>,
) -> Result<T> {
    let config = config(built)?;
    let profile = config.profile(&selection.profile)?;
    let filter = filter(built, selection, &profile.known_groups())?;
    let meta = built.binaries.rust_build_meta.map_paths(&built.paths);
    let profile = profile.apply_build_platforms(&meta.build_platforms);
    let cargo_configs = CargoConfigs::new(Vec::<String>::new())?;
    let started = TestExecuteContext {
        run_id: force_or_new_run_id(),
        version_env_vars: &versions()?,
        profile_name: profile.name(),
        double_spawn: &DoubleSpawnInfo::disabled(),
        target_runner: &TargetRunner::new(&cargo_configs, &meta.build_platforms)?,
    };
    let colour = stderr().is_terminal();
    let progress = ShowTerminalProgress::from_cargo_configs(&cargo_configs, colour);
    let list = TestList::new(
        &started,
        RustTestArtifact::from_binary_list(&built.graph, built.binaries.clone(), &meta, &built.paths, None)?,
        meta,
        &filter,
        selection.partition.as_ref(),
        built.root().to_owned(),
        EnvironmentMap::new(&cargo_configs),
        &profile,
        FilterBound::DefaultSet,
        get_num_cpus(),
        ListProgressOptions::new(ShowProgress::default(), progress, ThemeCharacters::default(), colour),
    )?;
    work(&Tests { list: &list, profile: &profile, started: &started, progress })
}

fn filter(built: &Built, selection: &Selection, groups: &KnownGroups) -> Result<TestFilter> {
    let filtersets = filtersets(built, &selection.filterset, FiltersetKind::Test, groups)?;
    let patterns = TestFilterPatterns::new(selection.filters.clone());
    Ok(TestFilter::new(NextestRunMode::Test, RunIgnored::Default, patterns, filtersets)?)
}

/// Tests can ask which nextest runs them.
fn versions() -> Result<VersionEnvVars> {
    let current_version = env!("CARGO_PKG_VERSION").parse()?;
    Ok(VersionEnvVars { current_version, required_version: None, recommended_version: None })
}
