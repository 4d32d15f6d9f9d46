//! What a query says of statics, functions, frames and sites is what gdb says.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use corpus::programs::build::build;
use corpus::programs::{self, Mode};
use corpus::stage::Stage;
use corpus::{child, places, tools};
use regex_lite::Regex;

/// Prints what the program was told in lines that begin with `told`, and asks the debugger the same.
const SCRIPT: &str = r#"
set pagination off
set startup-with-shell off
break stop
run
set $i = 0
while $i < 8
  printf "told %d %s+%lu: %s\n", $i, names[$i], offsets[$i], types[$i]
  info symbol addresses[$i]
  set $i = $i + 1
end
whatis table
whatis number
whatis text
whatis ask
printf "told site %s\n", site_name
info line *((char*)site - 1)
up
printf "told end 0x%lx of %s\n", ends[5], names[5]
info frame
up
printf "told end 0x%lx of %s\n", ends[6], names[6]
info frame
kill
"#;

#[test]
fn a_debugger_says_the_same() -> Result<()> {
    let said = session()?;
    let check = || -> Result<()> {
        let symbols = all(&said, r"told \d (?:\w+\.)?(\w+)\+(\d+): .*\n(\w+)(?: \+ (\d+))? in section")?;
        ensure!(symbols.len() == 6, "{} symbols", symbols.len());
        for [name, offset, their_name, their_offset] in &symbols {
            let offset = if offset == "0" { "" } else { offset };
            ensure!((name, offset) == (their_name, their_offset), "{name} + {offset}");
        }
        let types = all(&said, r"(?m)^told [0-3] \S+: (.*)$")?;
        let theirs = all(&said, r"(?m)^type = (.*)$")?;
        ensure!(types.len() == 4 && theirs.len() == 4, "{} and {} types", types.len(), theirs.len());
        let spelled = |text: &str| text.replace("const ", "").replace(' ', "");
        for ([ours], [theirs]) in types.iter().zip(&theirs) {
            ensure!(spelled(ours) == spelled(theirs), "{ours}");
        }
        let [[file, line, function, their_line, their_file, their_function]] =
            &all(&said, r#"told site (.*):(\d+) (\w+)\nLine (\d+) of "(.*)" .*<(\w+)[+>]"#)?[..]
        else {
            anyhow::bail!("no line of the site");
        };
        ensure!([file, line, function] == [their_file, their_line, their_function], "the site");
        let frames = all(
            &said,
            r"told end (0x\w+) of debugger_c_(\w+)_vaddrs_\w+\nStack level \d, frame at (0x\w+):\n.* in (\w+) ",
        )?;
        ensure!(frames.len() == 2, "{} frames", frames.len());
        for [end, function, their_end, their_function] in &frames {
            ensure!([end, function] == [their_end, their_function], "the frame of {function}");
        }
        Ok(())
    };
    check().with_context(|| said.clone())
}

/// What the debugger printed.
fn session() -> Result<String> {
    let stage = Stage::ready()?;
    let all = programs::all(&places::corpus().join("programs"))?;
    let program = all.iter().find(|program| program.name == "queries/debugger").context("no such program")?;
    let built = build(program, &Mode::Library, &stage)?;
    let scratch = tempfile::tempdir()?;
    let script = scratch.path().join("script");
    std::fs::write(&script, SCRIPT)?;
    let mut gdb = Command::new(tools::find("gdb")?);
    gdb.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C")]);
    let preload = format!("set environment LD_PRELOAD {}", stage.library().display());
    gdb.args(["-q", "-batch", "-nx", "-ex", &preload, "-x"]).arg(script).arg(built);
    let outcome = child::run(&mut gdb, scratch.path(), Duration::from_secs(60))?;
    let said = String::from_utf8(outcome.stdout)?;
    ensure!(outcome.status.success(), "{said}\n{}", String::from_utf8_lossy(&outcome.stderr));
    Ok(said)
}

/// The groups of each place that matches; one that matches nothing is empty.
fn all<const N: usize>(text: &str, pattern: &str) -> Result<Vec<[String; N]>> {
    let pattern = Regex::new(pattern)?;
    let groups = |found: regex_lite::Captures<'_>| {
        std::array::from_fn(|group| {
            found.get(group + 1).map_or(String::new(), |text| text.as_str().to_owned())
        })
    };
    Ok(pattern.captures_iter(text).map(groups).collect())
}
