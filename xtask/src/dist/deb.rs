//! The Debian package.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use duct::cmd;
use flate2::{Compression, GzBuilder};
use regex_lite::Regex;

use super::date::Date;
use super::{VERSION, tree};
use crate::cargo;

const MAINTAINER: &str = "liballocs-rs developers <developers@liballocs-rs.invalid>";

/// Packs a root directory, whose `usr` is laid out; what is in it needs those packages.
pub(super) fn write(root: &Path, depends: &str, date: Date, out: &Path) -> Result<()> {
    let documents = root.join("usr/share/doc/liballocs");
    for name in ["LICENSE", "LICENSE-MIT", "LICENSE-APACHE"] {
        // Debian's `copyright` says the same.
        fs::remove_file(documents.join(name)).with_context(|| format!("{name} is not installed"))?;
    }
    let changes = documents.join("CHANGELOG.md");
    let changelog = changelog(&fs::read_to_string(&changes).context("CHANGELOG.md is not installed")?)?;
    fs::remove_file(changes)?;
    put_gz(&documents.join("changelog.gz"), changelog.as_bytes())?;
    fs::write(documents.join("copyright"), packaging("copyright")?)?;
    let mut packed = vec![documents.join("LICENSES-OF-CRATES")];
    packed.extend(tree::files(&root.join("usr/share/man"))?);
    for path in packed {
        put_gz(&PathBuf::from(format!("{}.gz", path.display())), &fs::read(&path)?)?;
        fs::remove_file(path)?;
    }
    let overrides = root.join("usr/share/lintian/overrides/liballocs");
    fs::create_dir_all(overrides.parent().context("it is in a directory")?)?;
    fs::write(overrides, packaging("lintian-overrides")?)?;
    control(root, depends)?;
    tree::normalise(root, date)?;
    cmd!("dpkg-deb", "--root-owner-group", "--uniform-compression", "-Zxz", "--build", root, out)
        .env("SOURCE_DATE_EPOCH", date.0.to_string())
        // What xz writes depends on whether it may use threads.
        .env("DPKG_DEB_THREADS_MAX", "1")
        .stdout_null()
        .run()
        .context("dpkg-deb (Debian's dpkg) cannot make the package")?;
    Ok(())
}

/// Writes what dpkg reads, into `DEBIAN`.
fn control(root: &Path, depends: &str) -> Result<()> {
    let usr = root.join("usr");
    let files = tree::files(&usr)?;
    // As dpkg counts: a kilobyte for whatever is no file.
    let mut size = (tree::paths(&usr)?.len() - files.len()) as u64;
    for file in &files {
        size += fs::metadata(file)?.len().div_ceil(1024);
    }
    let names: Vec<&Path> = files.iter().map(|file| file.strip_prefix(root)).collect::<Result<_, _>>()?;
    let sums = cmd("md5sum", &names).dir(root).read().context("cannot run md5sum")?;
    let text = packaging("control")?
        .replace("{version}", VERSION)
        .replace("{maintainer}", MAINTAINER)
        .replace("{size}", &size.to_string())
        .replace("{depends}", depends);
    let dir = root.join("DEBIAN");
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("control"), text)?;
    fs::write(dir.join("md5sums"), sums + "\n")?;
    fs::write(dir.join("triggers"), packaging("triggers")?)?;
    Ok(())
}

fn packaging(name: &str) -> Result<String> {
    let path = cargo::root()?.join("dist/debian").join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn put_gz(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    fs::write(path, packed.finish()?).with_context(|| format!("cannot write {}", path.display()))
}

/// The changelog in Debian's form: a section `## [VERSION] - DATE` becomes an entry, its paragraphs and points a list.
fn changelog(text: &str) -> Result<String> {
    let heading = Regex::new(r"^\[?([0-9]+\.[0-9]+\.[0-9]+).*?([0-9]{4}-[0-9]{2}-[0-9]{2})")?;
    let mut out = String::new();
    for section in text.split("\n## ").skip(1) {
        let (first, body) = section.split_once('\n').unwrap_or((section, ""));
        let found = heading.captures(first);
        let found = found.with_context(|| format!("CHANGELOG.md: `{first}` has no version and date"))?;
        let (version, day) = (&found[1], &found[2]);
        ensure!(!out.is_empty() || version == VERSION, "CHANGELOG.md starts with {version}, not {VERSION}");
        out += &format!("liballocs ({version}) unstable; urgency=medium\n\n");
        for point in points(body) {
            out += &wrapped(&point);
        }
        let day = Date::of_day(day)?.format("+%a, %d %b %Y %T %z")?;
        out += &format!("\n -- {MAINTAINER}  {day}\n\n");
    }
    ensure!(!out.is_empty(), "CHANGELOG.md has no section");
    Ok(out.trim_end().to_owned() + "\n")
}

/// The words of each paragraph and of each point of a list.
fn points(body: &str) -> Vec<Vec<&str>> {
    let mut points: Vec<Vec<&str>> = Vec::new();
    let mut is_new = true;
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let text = line.strip_prefix("- ");
        if (is_new || text.is_some()) && !line.is_empty() {
            points.push(Vec::new());
        }
        is_new = line.is_empty();
        if let Some(point) = points.last_mut() {
            point.extend(text.unwrap_or(line).split_whitespace());
        }
    }
    points
}

/// Lines of up to 78 letters, the first behind a star.
fn wrapped(words: &[&str]) -> String {
    let (mut out, mut line) = (String::new(), "  *".to_owned());
    for word in words {
        if line.chars().count() + 1 + word.chars().count() > 78 {
            out += &format!("{line}\n");
            line = "   ".to_owned();
        }
        line += &format!(" {word}");
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_becomes_debians() {
        let long = "word ".repeat(20);
        let text = format!(
            "# Changes\n\nIn order.\n\n## [{VERSION}] - 2026-11-22\n\nThe first.\n\n### Added\n\n- {long}\n  more\n- Two.\n\n\
             ## 0.0.1 (2026-11-01)\n- Zero.\n"
        );
        let first = ["word"; 15].join(" ");
        let expected = format!(
            "liballocs ({VERSION}) unstable; urgency=medium\n\n  * The first.\n  * {first}\n    {} more\n  * Two.\n\n \
             -- {MAINTAINER}  Sun, 22 Nov 2026 00:00:00 +0000\n\nliballocs (0.0.1) unstable; urgency=medium\n\n  * \
             Zero.\n\n -- {MAINTAINER}  Sun, 01 Nov 2026 00:00:00 +0000\n",
            ["word"; 5].join(" ")
        );
        assert_eq!(changelog(&text).unwrap(), expected);
        assert!(changelog("\n## 9.9.9 (2026-11-22)\n").is_err() && changelog("\n## Unreleased\n").is_err());
    }
}
