//! The flake, under a real Nix with a look-alike of nixpkgs made of the host's tools.

mod place;

use std::fs;

use anyhow::{Context as _, Result, ensure};
use duct::cmd;

use super::Context;
use super::readme;
use super::report::Report;
use crate::cargo;
use place::Place;

/// A program with one allocation of a type that has a name.
const HELLO: &str = "#include <stdio.h>\n#include <stdlib.h>\nstruct greeting { const char *word; };\n\
    int main(void) { struct greeting *g = malloc(sizeof *g); g->word = \"hello\"; puts(g->word); return 0; }\n";

/// The kinds of outputs, and which of each must not be missing.
const OUTPUTS: [(&str, &str); 5] = [
    ("packages", "default allocscc docker runtime"),
    ("devShells", "default"),
    ("checks", "build clippy docs example fmt nextest rebuilt-hello corpus-bzip2"),
    ("apps", "default allocs allocscc corpus"),
    ("formatter", ""),
];

pub(super) fn check(context: &Context, report: &mut Report) -> Result<()> {
    let place = Place::make(context).context("nix: cannot prepare")?;
    // What cargo has not fetched yet, because only other packages were built so far.
    cargo::cargo(["fetch", "--quiet", "--locked"])?.run().context("cannot fetch the crates of Cargo.lock")?;
    let built = smoke(&place, report).is_some();
    if built && !context.smoke {
        builds(&place, report);
        checks(&place, report);
        negative_controls(&place, report);
    }
    if !place.is_sandboxed()? {
        report.cannot("nix: the sandbox, because the kernel allows none here");
    }
    for what in [
        "nix: nixpkgs itself; nix/README.md lists which of its attributes were checked only by reading",
        "nix: that the revision in flake.lock has the hash that is written there",
        "nix: the image under Docker, because the look-alike of dockerTools makes none",
    ] {
        report.cannot(what);
    }
    report.check("nix: clean up", || place.clean().map(|()| "done"));
    Ok(())
}

/// What every change must pass. None if nothing was built that other checks could use.
fn smoke(place: &Place, report: &mut Report) -> Option<()> {
    report.check("nix: flake.lock is the lock of flake.nix", || lock(place));
    report.check("nix: take the look-alike of nixpkgs", || place.replace_nixpkgs().map(|()| "done"))?;
    report.check("nix: flake show", || show(place));
    report.check("nix: flake check, without builds", || {
        place.nix(&["flake", "check", "--no-build"]).map(|_| "all outputs evaluate")
    });
    report.check("nix: build", || place.build(&[".#default", ".#runtime"]).map(|_| "built"))?;
    report.check("nix: the README's block", || readme_block(place));
    report.check("nix: run", || run(place));
    Some(())
}

fn lock(place: &Place) -> Result<&'static str> {
    let metadata = place.nix(&["flake", "metadata", "--json", "--no-update-lock-file"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let nodes = metadata["locks"]["nodes"].as_object().context("it has no inputs")?;
    let inputs: Vec<&String> = nodes.keys().filter(|name| *name != "root").collect();
    ensure!(inputs == ["nixpkgs"], "its inputs are {inputs:?}");
    Ok("one input")
}

fn show(place: &Place) -> Result<String> {
    let shown: serde_json::Value = serde_json::from_str(&place.nix(&["flake", "show", "--json"])?)?;
    let mut count = 0;
    for (kind, names) in OUTPUTS {
        let outputs = shown[kind]["x86_64-linux"].as_object().with_context(|| format!("no {kind}"))?;
        for name in names.split_whitespace() {
            ensure!(outputs.contains_key(name), "{kind} has no {name}");
        }
        count += if names.is_empty() { 1 } else { outputs.len() };
    }
    Ok(format!("{count} outputs"))
}

fn readme_block(place: &Place) -> Result<&'static str> {
    fs::write(place.checkout().join("hello.c"), HELLO)?;
    place.script(&readme::block("With Nix")?)?;
    let meta = place.script("./result/bin/allocs meta hello")?;
    ensure!(meta.contains("greeting from malloc"), "the metadata of hello has no site of its type");
    Ok("as it stands; what it built knows its type")
}

fn run(place: &Place) -> Result<&'static str> {
    place.nix(&["run", ".", "--", "-O2", "-o", "hello-run", "hello.c"])?;
    let said = place.nix(&["run", ".#allocs", "--", "run", "./hello-run"])?;
    ensure!(said == "hello\n", "the program says {said:?}");
    Ok("both apps")
}

fn builds(place: &Place, report: &mut Report) {
    report.check("nix: rebuild", || {
        place.build(&["--rebuild", ".#liballocs", ".#default", ".#runtime"]).map(|_| "bit-identical")
    });
    report.check("nix: develop has its tools", || {
        let tools =
            ["cargo", "cargo-clippy", "cargo-fmt", "rustc", "gcc", "clang", "gdb", "valgrind", "ccache"];
        let found = |tool: &str| format!("command -v {tool} | grep -q '^{}/'\n", place.store().display());
        let script: String = tools.iter().map(|tool| found(tool)).collect();
        place.nix(&["develop", "--command", "sh", "-e", "-c", &script])?;
        Ok(format!("{} of {}", tools.len(), tools.len()))
    });
    report.check("nix: a package of nixpkgs, rebuilt", || rebuilt(place));
    report.check("nix: image", || {
        let image = place.build(&[".#docker"])?.pop().context("no image")?;
        let config = cmd!("tar", "-xzOf", image, "./config.json").read()?;
        let config: serde_json::Value = serde_json::from_str(&config)?;
        ensure!(config["User"] == "1000:1000", "its user is {}", config["User"]);
        Ok("its parts are built; it is not for root")
    });
}

/// A package of nixpkgs by its name, compiled by allocscc.
fn rebuilt(place: &Place) -> Result<&'static str> {
    let hello = place.build(&[".#rebuilt.hello"])?.pop().context("nothing was built")?;
    let hello = hello.join("bin/hello").display().to_string();
    let meta = place.nix(&["run", ".#allocs", "--", "meta", &hello])?;
    ensure!(meta.contains(" from malloc at "), "its metadata has no allocation site");
    Ok("its metadata has its allocation")
}

/// The flake's checks, one by one. `nextest` and the other corpus programs take long, and CI runs them without Nix.
fn checks(place: &Place, report: &mut Report) {
    for name in ["fmt", "clippy", "docs", "example", "rebuilt-hello", "devShell", "corpus-bzip2"] {
        report.check(&format!("nix: check {name}"), || {
            place.build(&[&format!(".#checks.x86_64-linux.{name}")]).map(|_| "built")
        });
    }
}

fn negative_controls(place: &Place, report: &mut Report) {
    report.must_fail("nix: a misspelt output", "does not provide attribute", || place.build(&[".#allocsc"]));
    report.must_fail("nix: a misspelt attribute of nixpkgs", "attribute 'gdbb' missing", || {
        place.with_edit("nix/tools.nix", ["    gdb\n", "    gdbb\n"], || {
            place.nix(&["flake", "check", "--no-build"])
        })
    });
    report.must_fail("nix: a wrong expectation", "the example does not say", || {
        place.with_edit("nix/checks.nix", ["size 168", "size 169"], || {
            place.build(&[".#checks.x86_64-linux.example"])
        })
    });
    report.must_fail("nix: a wrong checksum", "hash mismatch in fixed-output derivation", || {
        place.with_edit("corpus/corpus.lock.toml", ["\"225b", "\"0000"], || {
            place.build(&[".#checks.x86_64-linux.corpus-bzip2"])
        })
    });
    report.must_fail("nix: a wrong snapshot", "snapshots/bzip2.snap differs", || {
        place.with_edit("snapshots/bzip2.snap", ["allocations", "alocations"], || {
            place.build(&[".#checks.x86_64-linux.corpus-bzip2"])
        })
    });
}
