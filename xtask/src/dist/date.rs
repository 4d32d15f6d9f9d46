//! The one date in the products: that of `SOURCE_DATE_EPOCH`, or the newest one in the changelog.

use std::{env, fs};

use anyhow::{Context, Result};
use duct::cmd;
use regex_lite::Regex;

use crate::cargo;

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date(pub(super) u64);

impl Date {
    /// The date of what is built now.
    pub(super) fn of_build() -> Result<Self> {
        if let Some(seconds) = env::var_os("SOURCE_DATE_EPOCH") {
            let seconds = seconds.to_str().and_then(|text| text.parse().ok());
            return seconds.map(Self).context("SOURCE_DATE_EPOCH is no number of seconds");
        }
        let path = cargo::root()?.join("CHANGELOG.md");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let newest = newest(&text).context("CHANGELOG.md has no date such as 2026-11-22")?;
        Self::of_day(&newest)
    }

    /// Midnight of a day, given as `2026-11-22`, at Greenwich.
    pub(super) fn of_day(day: &str) -> Result<Self> {
        Ok(Self(date(&["--date", &format!("{day} 00:00:00 UTC"), "+%s"])?.parse()?))
    }

    /// As `date` prints it in that format.
    pub(super) fn format(self, format: &str) -> Result<String> {
        date(&["--date", &format!("@{}", self.0), format])
    }
}

fn newest(text: &str) -> Option<String> {
    let day = Regex::new(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b").ok()?;
    day.find_iter(text).map(|day| day.as_str().to_owned()).max()
}

fn date(arguments: &[&str]) -> Result<String> {
    cmd("date", [&["--utc"], arguments].concat()).env("LC_ALL", "C").read().context("cannot run date")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        let text = "# Changes\n## 0.2 (2026-11-22)\nsince 1.20.3\n## 0.1 (2025-12-31)\n";
        assert_eq!(newest(text).as_deref(), Some("2026-11-22"));
        let day = Date::of_day("2026-11-22").unwrap();
        assert_eq!(day, Date(1_795_305_600));
        assert_eq!(day.format("+%a, %d %b %Y %T %z").unwrap(), "Sun, 22 Nov 2026 00:00:00 +0000");
        assert_eq!(newest("none"), None);
    }
}
