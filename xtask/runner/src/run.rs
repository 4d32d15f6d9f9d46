//! `run`: each test in a process of its own, with the groups, timeouts and retries of the profile.

use std::io::{IsTerminal, stderr};
use std::{env, fs};

use anyhow::{Context, Result, anyhow};
use nextest_metadata::NextestExitCode;
use nextest_runner::config::elements::{MaxFail, RetryPolicy, TestThreads};
use nextest_runner::input::InputHandlerKind;
use nextest_runner::reporter::events::{RunFailureStep, RunOutcome};
use nextest_runner::reporter::structured::StructuredReporter;
use nextest_runner::reporter::{ReporterBuilder, ReporterOutput};
use nextest_runner::runner::TestRunnerBuilder;
use nextest_runner::signal::SignalHandlerKind;
use nextest_runner::test_output::CaptureStrategy;

use crate::selected::{Selection, Tests, with_tests};
use crate::{Failure, built};

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: built::Source,
    #[command(flatten)]
    selection: Selection,
    /// Runs all tests although some fail
    #[arg(long, conflicts_with = "fail_fast")]
    no_fail_fast: bool,
    /// Stops at the first test that fails
    #[arg(long)]
    fail_fast: bool,
    /// Runs one test at a time and does not capture what it prints
    #[arg(long)]
    no_capture: bool,
    /// How many tests run at the same time
    #[arg(short = 'j', long, value_name = "COUNT")]
    test_threads: Option<TestThreads>,
    /// How often a test that fails is run again
    #[arg(long, value_name = "COUNT")]
    retries: Option<u32>,
    /// Succeeds also where there is no test to run
    #[arg(long, value_enum, default_value_t)]
    no_tests: NoTests,
}

/// What it means that no test was run.
#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
enum NoTests {
    Pass,
    #[default]
    Fail,
}

impl Options {
    fn capture(&self) -> CaptureStrategy {
        if self.no_capture { CaptureStrategy::None } else { CaptureStrategy::Split }
    }

    fn runner(&self) -> TestRunnerBuilder {
        let mut builder = TestRunnerBuilder::default();
        builder.set_capture_strategy(self.capture());
        if self.no_fail_fast || self.fail_fast {
            builder.set_max_fail(MaxFail::from_fail_fast(self.fail_fast));
        }
        if let Some(threads) = self.test_threads {
            builder.set_test_threads(threads);
        }
        if let Some(count) = self.retries {
            builder.set_retries(RetryPolicy::new_without_delay(count));
        }
        builder
    }

    fn reporter(&self) -> ReporterBuilder {
        let mut builder = ReporterBuilder::default();
        builder.set_no_capture(self.no_capture).set_colorize(stderr().is_terminal());
        builder
    }

    fn verdict(&self, outcome: RunOutcome) -> Result<()> {
        let (code, message) = match outcome {
            RunOutcome::Success => return Ok(()),
            RunOutcome::NoTestsRun if self.no_tests == NoTests::Pass => return Ok(()),
            RunOutcome::NoTestsRun => (NextestExitCode::NO_TESTS_RUN, "no tests to run"),
            RunOutcome::Cancelled { step: RunFailureStep::SetupScript }
            | RunOutcome::Failed { step: RunFailureStep::SetupScript } => {
                (NextestExitCode::SETUP_SCRIPT_FAILED, "a setup script failed")
            }
            RunOutcome::Cancelled { .. } | RunOutcome::Failed { .. } => {
                (NextestExitCode::TEST_RUN_FAILED, "test run failed")
            }
        };
        Err(Failure { code, message }.into())
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let built = options.source.built()?;
    options.verdict(with_tests(&built, &options.selection, |tests| execute(options, tests))?)
}

fn execute(options: &Options, tests: &Tests<'_>) -> Result<RunOutcome> {
    if tests.profile.junit().is_some() {
        let dir = tests.profile.store_dir();
        fs::create_dir_all(dir).with_context(|| format!("cannot make {dir}"))?;
    }
    let runner = options.runner().build(
        tests.started.run_id,
        tests.started.version_env_vars.clone(),
        tests.list,
        tests.profile,
        env::args().collect(),
        SignalHandlerKind::Standard,
        InputHandlerKind::Noop,
        tests.started.double_spawn.clone(),
        tests.started.target_runner.clone(),
    )?;
    let (output, more) = (ReporterOutput::Terminal, StructuredReporter::new());
    let mut reporter = options.reporter().build(tests.list, tests.profile, tests.progress, output, more);
    let outcome = runner
        .try_execute(|event| reporter.report_event(event))
        .map_err(|error| anyhow!("the tests could not be run to the end: {error}"))?;
    reporter.finish();
    Ok(outcome)
}
