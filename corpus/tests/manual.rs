//! The manual pages: they are well-formed, name every option and variable, and their example does what they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use corpus::stage::Stage;
use corpus::{child, places, tools};
use regex_lite::Regex;

fn pages() -> Result<Vec<PathBuf>> {
    let stage = Stage::ready()?;
    let mut pages = Vec::new();
    for section in ["man1", "man3", "man7"] {
        for entry in fs::read_dir(stage.prefix().join("share/man").join(section))? {
            pages.push(entry?.path());
        }
    }
    Ok(pages)
}

/// Formats a page as a terminal shows it, without overstriking.
fn formatted(page: &Path) -> Result<String> {
    let mut groff = Command::new(tools::find("groff")?);
    // Pages that stand for another name it from the directory above.
    let root = page.parent().and_then(Path::parent).context("a page is in man/manN")?;
    groff
        .current_dir(root)
        .args(["-mandoc", "-ww", "-rLL=200n", "-Tascii", "-P-c", "-P-b", "-P-u"])
        .arg(page);
    let output = groff.output()?;
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
    Ok(String::from_utf8(output.stdout)?)
}

fn formatted_named(name: &str) -> Result<String> {
    let page = pages()?.into_iter().find(|page| page.ends_with(name)).context(name.to_owned())?;
    formatted(&page)
}

#[test]
fn pages_are_well_formed() -> Result<()> {
    let pages = pages()?;
    ensure!(pages.len() == 8, "{pages:?}");
    for page in pages {
        let text = formatted(&page)?;
        ensure!(text.contains("NAME") && !text.contains('@'), "{}:\n{text}", page.display());
    }
    Ok(())
}

#[test]
fn every_option_of_allocs_is_there() -> Result<()> {
    let page = formatted_named("allocs.1")?;
    let stage = Stage::ready()?;
    let help = |words: &[&str]| -> Result<String> {
        child::printed(Command::new(stage.allocs()).args(words).arg("--help"))
    };
    let all = help(&[])?;
    let command = Regex::new(r"(?m)^  ([a-z]+)  ")?;
    let commands: Vec<&str> =
        command.captures_iter(&all).map(|found| found.get(1).map_or("", |m| m.as_str())).collect();
    ensure!(commands.contains(&"run") && commands.contains(&"meta"), "no commands in\n{all}");
    let mut texts = vec![all.clone()];
    for command in commands {
        ensure!(page.contains(&format!("     {command} ")), "allocs.1 does not describe {command}");
        if command != "help" {
            texts.push(help(&[command])?);
        }
    }
    texts.push(help(&["meta", "add"])?);
    for found in Regex::new(r"(?m)(?:^|[ ,])(--?[a-zA-Z]+)")?.captures_iter(&texts.concat()) {
        let option = found.get(1).map_or("", |m| m.as_str());
        ensure!(page.contains(option), "allocs.1 does not describe {option}");
    }
    for option in ["-Wallocs", "-gallocs"] {
        ensure!(formatted_named("allocscc.1")?.contains(option), "allocscc.1 does not describe {option}");
    }
    Ok(())
}

/// The variables that the products read, by the string literals in their sources.
#[test]
fn every_variable_is_there() -> Result<()> {
    let name = Regex::new(r#""((?:LIBALLOCS|ALLOCSCC|META)_[A-Z_]+)""#)?;
    let mut variables = BTreeSet::new();
    let mut dirs = vec![places::root().join("allocscc/src"), places::root().join("runtime/src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let text = fs::read_to_string(&path)?;
                variables.extend(
                    name.captures_iter(&text).filter_map(|found| Some(found.get(1)?.as_str().to_owned())),
                );
            }
        }
    }
    ensure!(variables.len() >= 8, "only {variables:?}");
    let text = formatted_named("liballocs.7")? + &formatted_named("allocscc.1")?;
    for variable in variables {
        ensure!(text.contains(&format!("     {variable}\n")), "no manual page describes {variable}");
    }
    Ok(())
}

#[test]
fn the_example_does_what_the_page_says() -> Result<()> {
    let page = formatted_named("liballocs.3")?;
    let (_, example) = page.split_once("EXAMPLES\n").context("no example")?;
    let (program, rest) = example.split_once("     It prints").context("not what it prints")?;
    let (_, said) = rest.split_once("\n\n").context("nothing is printed")?;
    let said = said.lines().next().unwrap_or_default().trim();
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("example.c"), program)?;
    let mut build = Command::new(stage.allocscc());
    child::must(build.current_dir(scratch.path()).args([
        "-Wall",
        "-Wextra",
        "-Werror",
        "example.c",
        "-o",
        "example",
    ]))?;
    let plain = child::printed(&mut Command::new(scratch.path().join("example")))?;
    ensure!(plain == "liballocs is not loaded\n", "{plain}");
    let mut run = Command::new(stage.allocs());
    let printed =
        child::printed(run.arg("run").arg(scratch.path().join("example")).env("LIBALLOCS_ERR", "/dev/null"))?;
    ensure!(printed.trim() == said, "{printed} instead of {said}");
    Ok(())
}
