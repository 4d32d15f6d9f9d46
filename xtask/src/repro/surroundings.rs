//! A copy of the checkout, and what is around it while the products are made there.

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use duct::cmd;

use crate::cargo;

/// Where, how and as whom a build runs.
pub(super) struct Surroundings {
    checkout: PathBuf,
    umask: &'static str,
    locale: &'static str,
    /// A directory with that locale, where the system may not have it.
    locales: Option<PathBuf>,
    zone: &'static str,
    /// Another directory for cargo's own, with what is downloaded in it.
    cargo_home: Option<PathBuf>,
    /// Files are this old; those of a fresh copy are new.
    files_from: Option<&'static str>,
    /// The numbers that the user and the group seem to have.
    user: Option<&'static str>,
}

/// One with an order of letters, capital letters and messages of its own.
const OTHER_LOCALE: &str = "tr_TR.UTF-8";

impl Surroundings {
    pub(super) fn usual(place: &Path) -> Self {
        Self {
            checkout: place.join("a"),
            umask: "022",
            locale: "C",
            locales: None,
            zone: "UTC",
            cargo_home: None,
            files_from: None,
            user: None,
        }
    }

    pub(super) fn other(place: &Path) -> Result<Self> {
        let namespaces = cmd!("unshare", "--user", "--map-user=4711", "--map-group=4711", "true");
        let can_be_another = namespaces.stderr_null().stdout_null().run().is_ok();
        let locales = place.join("locales");
        fs::create_dir_all(&locales)?;
        let made = cmd!("localedef", "--inputfile=tr_TR", "--charmap=UTF-8", locales.join(OTHER_LOCALE));
        let has_locale = made.stderr_null().stdout_null().run().is_ok();
        Ok(Self {
            checkout: place.join("another place/with a longer name"),
            umask: "077",
            locale: if has_locale { OTHER_LOCALE } else { "C.UTF-8" },
            locales: has_locale.then_some(locales),
            zone: "Asia/Kathmandu",
            cargo_home: Some(place.join("home of cargo")),
            files_from: Some("2001-02-03 04:05:06"),
            user: can_be_another.then_some("4711"),
        })
    }

    /// Cargo's target directory.
    pub(super) fn target(&self) -> PathBuf {
        self.checkout.join("target")
    }

    /// The directory that holds what was made.
    pub(super) fn products(&self) -> PathBuf {
        self.target().join("dist")
    }

    /// Makes the products in the copy, with that program.
    pub(super) fn make(&self, xtask: &Path) -> Result<()> {
        if let Some(home) = &self.cargo_home {
            borrow_cargo_home(home)?;
        }
        let mut words: Vec<OsString> = Vec::new();
        if let Some(user) = self.user {
            let map = |what: &str| format!("--map-{what}={user}").into();
            words.extend(["unshare".into(), "--user".into(), map("user"), map("group")]);
        }
        let command = format!("umask {}; exec \"$0\" dist", self.umask);
        words.extend(["sh".into(), "-c".into(), command.into(), xtask.into()]);
        let mut command = cmd(&words[0], &words[1..])
            .dir(&self.checkout)
            .env("CARGO_MANIFEST_DIR", self.checkout.join("xtask"))
            .env("LC_ALL", self.locale)
            .env("LANG", self.locale)
            .env("TZ", self.zone)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("SOURCE_DATE_EPOCH");
        if let Some(locales) = &self.locales {
            command = command.env("LOCPATH", locales);
        }
        if let Some(home) = &self.cargo_home {
            command = command.env("CARGO_HOME", home);
        }
        command.stdout_to_stderr().run().context("the products cannot be made")?;
        Ok(())
    }

    /// Copies what git knows, as it is in the checkout now.
    pub(super) fn copy_checkout(&self) -> Result<()> {
        let root = cargo::root()?;
        let listed =
            cmd!("git", "ls-files", "-z").dir(&root).read().context("git does not list the checkout")?;
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (root.join(name), self.checkout.join(name));
            fs::create_dir_all(to.parent().context("a file is in a directory")?)?;
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
            if let Some(date) = self.files_from {
                cmd!("touch", "--date", date, &to).run()?;
            }
        }
        Ok(())
    }
}

impl Display for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {}, umask {}, locale {}, ", self.checkout.display(), self.umask, self.locale)?;
        write!(f, "time zone {}, user {}", self.zone, self.user.unwrap_or("as usual"))?;
        if let Some(home) = &self.cargo_home {
            write!(f, ", CARGO_HOME {}", home.display())?;
        }
        self.files_from.map_or(Ok(()), |date| write!(f, ", files of {date}"))
    }
}

/// Makes a directory that is cargo's by another path; what was downloaded is in it.
fn borrow_cargo_home(home: &Path) -> Result<()> {
    let usual = env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual =
        usual.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).context("HOME is not set")?;
    fs::create_dir_all(home)?;
    for name in ["registry", "git", "config.toml"] {
        if usual.join(name).exists() {
            symlink(usual.join(name), home.join(name))?;
        }
    }
    Ok(())
}
