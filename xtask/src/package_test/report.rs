//! What was checked, how it ended, and how long it took.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The checks so far.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
    missing: Vec<String>,
}

struct Row {
    name: String,
    /// What it found, or why it failed.
    outcome: Result<String>,
    time: Duration,
}

impl Report {
    /// Runs one check and says at once how it ended. What it returns is its finding, in a few words; a check that
    /// failed gives None, so that the caller leaves out the checks that need it.
    pub(super) fn check<T: Display>(&mut self, name: &str, run: impl FnOnce() -> Result<T>) -> Option<T> {
        eprintln!("{name} …");
        let start = Instant::now();
        let result = run();
        let time = start.elapsed();
        let (outcome, value) = match result {
            Ok(value) => (Ok(value.to_string()), Some(value)),
            Err(error) => (Err(error), None),
        };
        let row = Row { name: name.to_owned(), outcome, time };
        eprintln!("{row}");
        self.rows.push(row);
        value
    }

    /// A negative control: it must fail, and for the reason that its message contains.
    pub(super) fn must_fail<T>(&mut self, name: &str, reason: &str, run: impl FnOnce() -> Result<T>) {
        self.check(name, || match run() {
            Ok(_) => bail!("it succeeded, but must fail with `{reason}`"),
            Err(error) if format!("{error:#}").contains(reason) => Ok("fails, as it should"),
            Err(error) => Err(error.context(format!("it failed, but not with `{reason}`"))),
        });
    }

    /// Names something that this machine cannot have, and what stays unchecked because of it.
    pub(super) fn cannot(&mut self, what: &str) {
        eprintln!("cannot be checked here: {what}");
        self.missing.push(what.to_owned());
    }

    /// Prints the table and the counts; returns the number of failed checks.
    pub(super) fn print(&self) -> usize {
        println!();
        for row in &self.rows {
            println!("{row}");
        }
        for what in &self.missing {
            println!("cannot be checked here: {what}");
        }
        let failed = self.rows.iter().filter(|row| row.outcome.is_err()).count();
        println!("{} passed, {failed} failed", self.rows.len() - failed);
        failed
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.time.as_secs_f64();
        match &self.outcome {
            Ok(finding) => write!(f, "ok    {seconds:6.1} s  {}: {finding}", self.name),
            Err(error) => write!(f, "FAIL  {seconds:6.1} s  {}: {error:#}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_control_that_succeeds_or_fails_otherwise_is_a_failure() {
        let mut report = Report::default();
        report.must_fail("as it should", "no such file", || -> Result<()> { bail!("no such file: x") });
        assert_eq!(report.print(), 0);
        report.must_fail("succeeds", "no such file", || Ok(()));
        report.must_fail("another reason", "no such file", || -> Result<()> { bail!("out of memory") });
        assert_eq!(report.print(), 2);
    }

    #[test]
    fn what_a_check_returns_is_its_finding() {
        let mut report = Report::default();
        assert_eq!(report.check("size", || Ok("3 MB".to_owned())).as_deref(), Some("3 MB"));
        assert_eq!(report.check("size", || -> Result<String> { bail!("no file") }), None);
        assert_eq!(report.print(), 1);
    }
}
