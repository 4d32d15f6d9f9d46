//! Our own test runner: that it does what cargo-nextest does, on the tests of this project and on tests that fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use duct::cmd;
use regex_lite::Regex;
use serde_json::Value;

use super::Context;
use super::report::Report;
use super::spread;
use crate::nextest::{self, Runner};
use crate::{cargo, install};

/// Quick tests, for a run that both runners do.
const QUICK: &str = "kind(lib)";

pub(super) fn check(context: &Context, report: &mut Report) -> Result<()> {
    if context.smoke {
        return Ok(());
    }
    let Some(Ready { path, .. }) = report.check("test runner: builds", ready) else { return Ok(()) };
    let own = Runner::Own(path.clone());
    let installed = Runner::installed();
    let installed = installed.as_ref();
    match installed {
        None => report.cannot("whether our test runner does what cargo-nextest does: that is not installed"),
        Some(nextest) => {
            report.check("test runner: lists what nextest lists", || same_lists(&own, nextest));
            report.check("test runner: has the outcomes that nextest has", || same_outcomes(&own, nextest));
        }
    }
    report.check("test runner: parts make up the whole", || parts(&own));
    report.check("test runner: exit codes and counts", || failing(context, &own, installed));
    report.check("test runner: clippy", clippy);
    spread::check(context, report, &path)
}

/// What the first check finds.
struct Ready {
    path: PathBuf,
    crates: usize,
}

impl std::fmt::Display for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} crates in its lock file", self.crates)
    }
}

fn ready() -> Result<Ready> {
    install::stage()?;
    let lock = fs::read_to_string(cargo::root()?.join("xtask/runner/Cargo.lock"))?;
    Ok(Ready { path: nextest::build()?, crates: lock.matches("[[package]]").count() })
}

fn same_lists(own: &Runner, nextest: &Runner) -> Result<String> {
    let (ours, theirs) = (list(own, &[])?, list(nextest, &[])?);
    ensure!(ours == theirs, "the lists differ in {:?}", ours.symmetric_difference(&theirs));
    Ok(format!("{} tests", ours.len()))
}

fn parts(own: &Runner) -> Result<String> {
    let whole = list(own, &[])?;
    let [first, second] = ["count:1/2", "count:2/2"].map(|part| list(own, &["--partition", part]));
    let (first, second) = (first?, second?);
    ensure!(first.is_disjoint(&second), "both parts have {:?}", first.intersection(&second).next());
    ensure!(&first | &second == whole, "the parts are not the whole");
    Ok(format!("{} + {} = {} tests", first.len(), second.len(), whole.len()))
}

/// The tests that a runner means, each with its executable.
fn list(runner: &Runner, words: &[&str]) -> Result<BTreeSet<(String, String)>> {
    let words = [&["list", "--workspace", "--message-format", "json"], words].concat();
    let listed: Value =
        serde_json::from_str(&runner.command(words).dir(cargo::root()?).stderr_null().read()?)?;
    let suites = listed["rust-suites"].as_object().context("the list has no suites")?;
    let mut tests = BTreeSet::new();
    for (suite, content) in suites {
        let cases = content["testcases"].as_object().context("a suite has no tests")?;
        let meant = cases.iter().filter(|(_, case)| case["filter-match"]["status"] == "matches");
        tests.extend(meant.map(|(case, _)| (suite.clone(), case.clone())));
    }
    Ok(tests)
}

fn same_outcomes(own: &Runner, nextest: &Runner) -> Result<String> {
    let run = |runner: &Runner| -> Result<Outcomes> {
        let command = runner.command(["run", "--workspace", "-E", QUICK]).dir(cargo::root()?);
        outcomes(&command.unchecked().stderr_capture().run()?)
    };
    let (ours, theirs) = (run(own)?, run(nextest)?);
    ensure!(ours == theirs, "ours: {ours:?}, nextest's: {theirs:?}");
    Ok(ours.summary)
}

/// What a run says, without times and without an order.
#[derive(Debug, PartialEq)]
struct Outcomes {
    code: Option<i32>,
    tests: BTreeSet<(String, String)>,
    summary: String,
}

fn outcomes(output: &Output) -> Result<Outcomes> {
    let text = String::from_utf8_lossy(&output.stderr);
    let of_test = Regex::new(r"(?m)^ +([A-Z ]+) \[[^\]]*\] (?:\([^)]*\) )?(.+)$")?;
    let of_run = Regex::new(r"(?m)^ +Summary \[[^\]]*\] (.+)$")?;
    let tests = of_test.captures_iter(&text).map(|found| (found[1].to_owned(), found[2].to_owned()));
    let summary = of_run.captures(&text).map_or_else(String::new, |found| found[1].to_owned());
    Ok(Outcomes { code: output.status.code(), tests: tests.collect(), summary })
}

/// A package with tests that pass, fail and hang.
const FAILING: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        "[workspace]\n[package]\nname = \"failing\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [features]\nbroken = []\n",
    ),
    (
        "src/lib.rs",
        "#[test]\nfn passes() {}\n\
         #[test]\nfn fails() { panic!(\"as it should\") }\n\
         #[test]\nfn hangs() { std::thread::sleep(std::time::Duration::from_secs(600)) }\n",
    ),
    (
        ".config/nextest.toml",
        "[profile.default]\nfail-fast = false\nslow-timeout = { period = \"1s\", terminate-after = 1 }\n\
         [profile.ci]\njunit = { path = \"junit.xml\" }\n",
    ),
];

/// Command lines, the exit code that each must have, and what the summary must say.
const ENDINGS: [(&[&str], i32, &str); 5] = [
    (&["run", "passes"], 0, "1 test run: 1 passed, 2 skipped"),
    (&["run", "--retries", "1", "fails"], 100, "1 test run: 0 passed, 1 failed, 2 skipped"),
    (&["run", "--profile", "ci"], 100, "3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped"),
    (&["run", "no_such_test"], 4, "0 tests run: 0 passed, 3 skipped"),
    (&["run", "--test", "no_such_executable"], 101, ""),
];

fn failing(context: &Context, own: &Runner, nextest: Option<&Runner>) -> Result<String> {
    let dir = context.work.join("failing");
    for (name, text) in FAILING {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().context("a file is in a directory")?)?;
        fs::write(path, text)?;
    }
    for (words, code, summary) in ENDINGS {
        let ours = ending(&dir, own, words)?;
        ensure!(ours.code == Some(code), "{words:?} ends with {:?} instead of {code}", ours.code);
        ensure!(ours.summary == summary, "{words:?} says `{}` instead of `{summary}`", ours.summary);
        if let Some(nextest) = nextest {
            let theirs = ending(&dir, nextest, words)?;
            ensure!(ours == theirs, "{words:?}, ours: {ours:?}, nextest's: {theirs:?}");
        }
    }
    let junit = fs::read_to_string(dir.join("target/nextest/ci/junit.xml")).context("no JUnit file")?;
    ensure!(
        junit.contains("tests=\"3\"") && junit.contains("failures=\"2\""),
        "the JUnit file is wrong:\n{junit}"
    );
    Ok(format!("{} endings", ENDINGS.len()))
}

fn ending(dir: &Path, runner: &Runner, words: &[&str]) -> Result<Outcomes> {
    let command = runner.command(words.iter().copied()).dir(dir).env_remove("CARGO_TARGET_DIR");
    outcomes(&command.unchecked().stderr_capture().run()?)
}

fn clippy() -> Result<&'static str> {
    let manifest: PathBuf = cargo::root()?.join("xtask/runner/Cargo.toml");
    let target = cargo::target()?.join("runner");
    cmd!(cargo::program(), "clippy", "--quiet", "--manifest-path", manifest, "--", "-D", "warnings")
        .env("CARGO_TARGET_DIR", target)
        .run()?;
    Ok("no warning")
}
