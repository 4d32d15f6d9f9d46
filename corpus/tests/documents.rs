//! What is written for users of the C interface is complete and true: header comments, and the code that the guide quotes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use corpus::stage::Stage;
use corpus::{child, places, tools};
use regex_lite::Regex;

/// A function of a header.
#[derive(Debug, Default)]
struct Function {
    /// The comment before it, or before the functions that it stands together with.
    comment: String,
    /// The names of its parameters.
    parameters: Vec<String>,
}

/// The functions that a header declares, by name.
fn functions(header: &str) -> Result<BTreeMap<String, Function>> {
    let declares = Regex::new(
        r"^(?:LIBALLOCS_(?:OPTIONAL|OPTIONAL_VOID|QUERY)_\(|static .*\*__liballocs_get_or_create_)",
    )?;
    let query = Regex::new(r"(?s)^LIBALLOCS_(\w+?)_?\((?:[^,(]*, )?\s*(\w+),\s*\(([^)]*)\)")?;
    let variadic = Regex::new(r"(?s)^static [^;{]*\*(__liballocs_get_or_create_\w+)\(([^)]*)\)")?;
    let mut found = BTreeMap::new();
    let mut comment = String::new();
    for paragraph in header.split("\n\n") {
        let mut lines = paragraph.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("/*") {
                comment = line.to_owned();
                while !comment.ends_with("*/") {
                    comment += lines.next().context("a comment ends")?;
                }
            } else if declares.is_match(line) {
                let mut text = line.to_owned();
                while !(text.ends_with(')') || text.ends_with(';') || text.ends_with('{')) {
                    let Some(next) = lines.next() else { break };
                    text += next;
                }
                let Some(parts) = query.captures(&text) else {
                    let parts = variadic.captures(&text).with_context(|| text.clone())?;
                    found.insert(parts[1].to_owned(), function(&comment, &parts[2]));
                    continue;
                };
                if &parts[1] == "QUERY" {
                    found.insert(format!("__liballocs_{}", &parts[2]), function(&comment, &parts[3]));
                }
                found.insert(parts[2].to_owned(), function(&comment, &parts[3]));
            }
        }
        comment.clear();
    }
    Ok(found)
}

fn function(comment: &str, parameters: &str) -> Function {
    let name = |parameter: &str| {
        let word = parameter.rsplit([' ', '*']).next().unwrap_or_default();
        word.trim_end_matches('_').to_owned()
    };
    let parameters = parameters.split(',').map(name).filter(|name| !["void", "..."].contains(&name.as_str()));
    Function { comment: comment.to_owned(), parameters: parameters.collect() }
}

/// Each function that the library exports for its headers has a comment there that names its parameters, but for those
/// that the rules at the top of `liballocs.h` are about.
#[test]
fn every_exported_function_is_documented() -> Result<()> {
    let stage = Stage::ready()?;
    let mut declared = BTreeMap::new();
    let mut rules = String::new();
    for entry in fs::read_dir(stage.include())? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        if path.ends_with("liballocs.h") {
            rules = text.split_once("*/").context("liballocs.h begins with a comment")?.0.to_owned();
        }
        declared.extend(functions(&text).with_context(|| path.display().to_string())?);
    }
    for rule in ["Arguments: ", "Ownership: ", "Errors: ", "Cost: ", "Threads and signals: "] {
        ensure!(rules.contains(rule), "liballocs.h has no rule for all functions that begins with {rule}");
    }
    let mut missing = Vec::new();
    let exported = exported(&stage)?;
    ensure!(exported.len() > 50, "the library exports only {exported:?}");
    for name in exported {
        match declared.get(&name) {
            None => missing.push(format!("{name}: no header declares it")),
            Some(function) if function.comment.is_empty() => missing.push(format!("{name}: no comment")),
            Some(Function { comment, parameters }) => {
                let names = |text: &str, parameter: &str| {
                    text.contains(&format!("`{parameter}`")) || text.contains(&format!("`*{parameter}`"))
                };
                let unnamed = parameters.iter().filter(|p| !names(comment, p) && !names(&rules, p));
                missing.extend(unnamed.map(|p| format!("{name}: the comment does not say what `{p}` is")));
            }
        }
    }
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(())
}

/// The functions that the library exports for its headers.
fn exported(stage: &Stage) -> Result<Vec<String>> {
    let mut nm = Command::new(tools::find("nm")?);
    let listed = child::printed(nm.args(["-D", "--defined-only"]).arg(stage.library()))?;
    let ours = Regex::new(r"^(?:__liballocs_|alloc_|__lookup_|__uniqtype_|fake_dladdr$|uniqtype_to_c$)")?;
    let names = listed.lines().filter_map(|line| line.split_once(" T ")).map(|(_, name)| name);
    // What these are called by is a function of the header with further arguments.
    let renamed = |name: &str| name.replace("__liballocs_make_", "__liballocs_get_or_create_");
    Ok(names.filter(|name| ours.is_match(name)).map(renamed).collect())
}

#[test]
fn a_function_without_its_comment_is_noticed() -> Result<()> {
    let header = "/* Its `size`. */\nLIBALLOCS_QUERY_(int, f, (void *obj_, int *size_),\n\t(obj_, size_), 0)\n\n\
                  LIBALLOCS_OPTIONAL_VOID_(g, (void), ())\n";
    let found = functions(header)?;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["__liballocs_f", "f", "g"]);
    assert_eq!((found["f"].comment.as_str(), found["g"].comment.as_str()), ("/* Its `size`. */", ""));
    assert_eq!(found["f"].parameters, ["obj", "size"]);
    assert!(found["g"].parameters.is_empty());
    Ok(())
}

/// Each block of C in the guide stands, as it is, in the file that the line before it names.
#[test]
fn the_guide_quotes_the_examples() -> Result<()> {
    let guide = places::root().join("docs/writing-tools.md");
    let text = fs::read_to_string(&guide)?;
    let named = Regex::new(r"\]\(([^)]+\.c)\)[^\n]*\n\n```c\n$")?;
    let mut rest = text.as_str();
    let mut quoted = 0;
    while let Some(at) = rest.find("```c\n") {
        let (before, block) = rest.split_at(at + "```c\n".len());
        let (code, after) = block.split_once("```\n").context("a block of code ends")?;
        let file = named.captures(before).with_context(|| format!("no file is named before\n{code}"))?;
        let file = guide.parent().unwrap_or(Path::new("")).join(&file[1]);
        let source = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        ensure!(source.contains(code), "{} does not have\n{code}", file.display());
        quoted += 1;
        rest = after;
    }
    ensure!(quoted >= 3, "the guide quotes only {quoted} pieces of code");
    Ok(())
}
