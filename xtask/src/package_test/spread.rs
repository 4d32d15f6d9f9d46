//! Tests and corpus spread over machines: an archive that runs at another path, and parts of the corpus.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use duct::{Expression, cmd};
use serde_json::Value;

use super::Context;
use super::report::Report;
use crate::cargo;
use crate::findings::Findings;

/// Tests of all kinds: ones that read the checkout, that run our programs, that compile with the staged products, and
/// a whole program of the corpus.
const SLICE: &str = "package(xtask) | binary(driver) & test(/headers|search path|allocs run/) \
                     | binary(programs) & test(/^examples/) | binary(corpus) & test(=bzip2)";

pub(super) fn check(context: &Context, report: &mut Report, own: &Path) -> Result<()> {
    let archive = context.work.join("tests.tar.zst");
    let packed = report.check("archive: is packed", || pack(own, &archive));
    if packed.is_some() {
        elsewhere(report, own, &archive)?;
    }
    report.check("corpus: two parts give what the whole gives", || parts(context));
    report.must_fail("corpus: a part is lost", "no file has the results of", || {
        xtask(&["corpus", "--merge", &json(context, "1/2")?])
    });
    Ok(())
}

fn pack(own: &Path, archive: &Path) -> Result<String> {
    let words = ["archive", "--workspace", "--archive-file"].map(OsStr::new);
    cmd(own, words.into_iter().chain([archive.as_os_str()])).dir(cargo::root()?).run()?;
    Ok(format!("{} MB", fs::metadata(archive)?.len() / 1_000_000))
}

/// Runs tests from the archive in a copy of the checkout, while the checkout itself cannot be seen.
fn elsewhere(report: &mut Report, own: &Path, archive: &Path) -> Result<()> {
    let place = tempfile::tempdir()?;
    let copy = place.path().join("checkout");
    let (runner, tests) = (place.path().join("runner"), place.path().join("tests.tar.zst"));
    copy_checkout(&copy)?;
    fs::copy(own, &runner)?;
    fs::copy(archive, &tests)?;
    let run = |filter: &str, stage: &Path| -> Result<String> {
        let unpacked = place.path().join("unpacked");
        fs::create_dir_all(&unpacked)?;
        let words = [
            runner.as_os_str(),
            "run".as_ref(),
            "--archive-file".as_ref(),
            tests.as_os_str(),
            "--extract-to".as_ref(),
            unpacked.as_os_str(),
            "--extract-overwrite".as_ref(),
            "--workspace-remap".as_ref(),
            copy.as_os_str(),
            "-E".as_ref(),
            filter.as_ref(),
        ];
        let output =
            hidden(&words)?.dir(&copy).env("ALLOCS_STAGE", stage).stderr_capture().unchecked().run()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{said}");
        let summary = said.lines().find_map(|line| Some(line.split_once("Summary [")?.1.split_once("] ")?.1));
        Ok(summary.context("no summary")?.to_owned())
    };
    let stage = place.path().join("unpacked/target/stage");
    if can_hide() {
        report.check("archive: runs elsewhere, the checkout hidden", || run(SLICE, &stage));
        report.must_fail("archive: the products are not there", "allocscc is missing", || {
            run("binary(programs) & test(/^examples/)", Path::new("/no-such-stage"))
        });
    } else {
        report.cannot("an archive while the checkout is hidden: unshare is not permitted");
    }
    Ok(())
}

/// A command that sees an empty directory where this checkout is.
fn hidden(words: &[&OsStr]) -> Result<Expression> {
    let script = "mount -t tmpfs none \"$0\" && exec \"$@\"";
    let head = ["--map-root-user", "--mount", "sh", "-c", script].map(OsString::from);
    let root = [cargo::root()?.into_os_string()];
    Ok(cmd("unshare", head.into_iter().chain(root).chain(words.iter().map(Into::into))))
}

fn can_hide() -> bool {
    hidden(&["true".as_ref()]).is_ok_and(|command| command.stderr_null().run().is_ok())
}

/// All of the checkout but what was built in it.
fn copy_checkout(to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(cargo::root()?)? {
        let name = entry?.file_name();
        if name != "target" && name != ".git" {
            cmd!("cp", "-R", cargo::root()?.join(&name), to.join(&name)).run()?;
        }
    }
    Ok(())
}

/// Runs the corpus as a whole and in two parts, which differ in nothing but times.
fn parts(context: &Context) -> Result<String> {
    for part in ["1/1", "1/2", "2/2"] {
        xtask(&["corpus", "--partition", part, "--json", &json(context, part)?])?;
    }
    let merged = context.work.join("merged.json").into_os_string().into_string();
    let merged = merged.ok().context("the target directory is not UTF-8")?;
    let [whole, first, second] = ["1/1", "1/2", "2/2"].map(|part| json(context, part));
    let (whole, first, second) = (whole?, first?, second?);
    let table = xtask(&["corpus", "--merge", &second, &first, "--json", &merged])?;
    let expected = xtask(&["corpus", "--merge", &whole])?;
    ensure!(without_times(&table) == without_times(&expected), "the tables differ:\n{expected}\n{table}");
    let (merged, whole) = (lasting(&merged)?, lasting(&whole)?);
    ensure!(merged == whole, "the results differ");
    Ok(format!("{} programs", whole.programs.len()))
}

/// The file that a part writes.
fn json(context: &Context, part: &str) -> Result<String> {
    let path = context.work.join(format!("part-{}.json", part.replace('/', "-of-")));
    path.into_os_string().into_string().ok().context("the target directory is not UTF-8")
}

/// What was found, without the times of the runs.
fn lasting(file: &str) -> Result<Findings> {
    let mut findings = Findings::read(Path::new(file))?;
    for result in findings.results.values_mut().filter_map(Value::as_object_mut) {
        result.retain(|name, _| !name.starts_with("run_"));
    }
    Ok(findings)
}

/// A table without its columns of times.
fn without_times(table: &str) -> String {
    let columns = regex_lite::Regex::new(r" +[0-9.]+ s| +[0-9.]+x");
    columns.map_or_else(|_| table.to_owned(), |columns| columns.replace_all(table, "").into_owned())
}

fn xtask(words: &[&str]) -> Result<String> {
    let output = cmd(env::current_exe()?, words).stdout_capture().stderr_capture().unchecked().run()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", words.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}
