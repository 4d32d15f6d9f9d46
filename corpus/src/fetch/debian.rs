//! Debian's source packages, by `apt-get source`.
//!
//! The client runs without root and leaves the host as it is: lists, state and cache are below the target directory. Its
//! sources are those that the host is configured with, asked for source packages in place of binary ones.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::manifest::Package;
use crate::{cache, child, places, tools};

/// The archive, downloaded once.
pub(super) fn archive(package: &Package) -> Result<PathBuf> {
    let downloads = places::kept().join("apt/downloads");
    let archive = downloads.join(package.archive());
    if is_complete(&archive, package) {
        return Ok(archive);
    }
    ensure!(
        !super::is_offline(),
        "{} was not downloaded before, and the network is forbidden",
        package.archive()
    );
    fs::create_dir_all(&downloads)?;
    let lock = File::create(places::kept().join("apt/lock"))?;
    lock.lock().context("cannot lock apt's lists")?;
    let client = Client::ready(&places::kept().join("apt")).with_context(|| {
        format!("no apt to ask; {} may lie in a directory that {} names", package.archive(), super::ARCHIVES)
    })?;
    // The lists of an earlier run may still offer what is wanted.
    for update in [false, true] {
        if update {
            client.update()?;
        }
        // The same archive may lie beside one revision in the archive of Debian and no longer beside another one.
        for version in
            client.offered(&package.name)?.iter().filter(|offered| upstream(offered) == package.version)
        {
            let mut download = client.command("apt-get")?;
            download.args(["source", "--download-only", "--tar-only", "-qq"]).current_dir(&downloads);
            let downloaded = child::must(download.arg(format!("{}={version}", package.name)));
            if is_complete(&archive, package) {
                return Ok(archive);
            }
            if update {
                downloaded.with_context(|| format!("apt-get did not download {}", package.archive()))?;
            }
        }
    }
    if archive.is_file() {
        return Ok(archive); // Its checksum is wrong, which the caller says.
    }
    let offered = client.offered(&package.name)?;
    ensure!(
        !offered.is_empty(),
        "apt's sources have no source package {0}: add those of Debian, or put {1} into a directory that {2} names",
        package.name,
        package.archive(),
        super::ARCHIVES
    );
    bail!(
        "apt's sources offer {}, not {}: pin that version and its checksum in corpus.lock.toml, or put {} into a directory that {} names",
        offered.join(", "),
        package.version,
        package.archive(),
        super::ARCHIVES
    )
}

fn is_complete(archive: &Path, package: &Package) -> bool {
    cache::sha256_of(archive).is_ok_and(|sum| sum == package.sha256)
}

/// The version of the upstream authors in one of Debian: `2.39.5` in `1:2.39.5-0+deb12u2`.
fn upstream(version: &str) -> &str {
    let without_epoch = version.split_once(':').map_or(version, |(_, rest)| rest);
    without_epoch.rsplit_once('-').map_or(without_epoch, |(upstream, _)| upstream)
}

/// The client with a configuration of its own.
struct Client {
    configuration: PathBuf,
}

impl Client {
    fn ready(dir: &Path) -> Result<Self> {
        for part in ["sources", "lists/partial", "cache/archives/partial", "state"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let configuration = dir.join("apt.conf");
        let at = |part: &str| dir.join(part).display().to_string();
        let text = format!(
            "Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{}\";\nDir::State \"{}\";\nDir::State::lists \"{}\";\nDir::Cache \"{}\";\nAPT::Sandbox::User \"\";\n",
            at("sources"),
            at("state"),
            at("lists"),
            at("cache")
        );
        fs::write(&configuration, text)?;
        let hosts = hosts_sources()?;
        ensure!(!hosts.is_empty(), "apt has no sources configured, of which to ask for source packages");
        for (name, text) in hosts {
            fs::write(dir.join("sources").join(name), text)?;
        }
        Ok(Self { configuration })
    }

    fn command(&self, tool: &str) -> Result<Command> {
        let mut command = Command::new(tools::find(tool)?);
        command.env("APT_CONFIG", &self.configuration).env("LC_ALL", "C");
        Ok(command)
    }

    fn update(&self) -> Result<()> {
        child::must(self.command("apt-get")?.args(["update", "-qq"])).context("apt-get update").map(drop)
    }

    /// The versions that the lists have of a source package.
    fn offered(&self, name: &str) -> Result<Vec<String>> {
        let Ok(records) = child::printed(self.command("apt-cache")?.args(["showsrc", "--only-source", name]))
        else {
            return Ok(Vec::new()); // It fails where it finds none.
        };
        Ok(records.lines().filter_map(|line| line.strip_prefix("Version: ")).map(str::to_owned).collect())
    }
}

/// The sources that the host's apt is configured with, as sources of source packages: file name and text.
fn hosts_sources() -> Result<Vec<(String, String)>> {
    let mut config = Command::new(tools::find("apt-config")?);
    config.args(["shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]);
    let answer = child::printed(&mut config)?;
    let value = |name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|quoted| PathBuf::from(quoted.trim_matches('\'')))
    };
    let parts = value("PARTS").map(fs::read_dir).into_iter().flatten().flatten();
    let files = parts.flatten().map(|entry| entry.path()).chain(value("LIST"));
    let mut sources = Vec::new();
    for file in files.filter(|file| file.is_file()) {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.push((name, one_line_sources(&text))),
            Some("sources") => sources.push((name, stanza_sources(&text))),
            _ => {}
        }
    }
    Ok(sources)
}

/// `deb …` lines become `deb-src …`.
fn one_line_sources(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("deb "));
    lines.map(|rest| format!("deb-src {rest}\n")).collect()
}

/// `Types: deb` becomes `Types: deb-src`.
fn stanza_sources(text: &str) -> String {
    let types =
        |line: &str| if line.starts_with("Types:") { "Types: deb-src\n".into() } else { format!("{line}\n") };
    text.lines().map(types).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_and_revisions_are_debians() {
        for (version, expect) in [
            ("1.12-1", "1.12"),
            ("1:2.39.5-0+deb12u2", "2.39.5"),
            ("2.3.2+dfsg-8", "2.3.2+dfsg"),
            ("5-a-1", "5-a"),
        ] {
            assert_eq!(upstream(version), expect);
        }
    }

    #[test]
    fn binary_sources_become_those_of_source_packages() {
        let list = "# deb a\ndeb [arch=amd64] mirror:x stable main\ndeb-src mirror:x stable main\n";
        assert_eq!(one_line_sources(list), "deb-src [arch=amd64] mirror:x stable main\n");
        let stanza = "Types: deb deb-src\nSuites: stable\nSigned-By: /k\n";
        assert_eq!(stanza_sources(stanza), "Types: deb-src\nSuites: stable\nSigned-By: /k\n");
    }
}
