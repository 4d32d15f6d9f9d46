//! The licence texts of what others wrote and is linked into the products, which most of these licences want handed on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use duct::cmd;
use regex_lite::Regex;

use super::crates::Crate;
use super::zig;
use crate::cargo;

/// What a name of a file with such a text starts with.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// A list of the crates and the other parts, then each text once, with the parts that it belongs to.
pub(super) fn of(crates: &[Crate], host_libc: bool) -> Result<String> {
    let mut out = "What is linked into allocscc, allocs and the library, with its licences.\n\n".to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |name: String, licence: &str, its_texts: Vec<String>| {
        out += &format!("{name}: {licence}\n");
        for text in its_texts {
            texts.entry(text).or_default().push(name.clone());
        }
    };
    for one in crates {
        add(format!("{} {}", one.name, one.version), &one.licence, texts_of(one)?);
    }
    add("Rust's standard library".to_owned(), "MIT OR Apache-2.0", vec![of_standard_library()?]);
    if !host_libc {
        let (name, version) = zig::package()?;
        add(format!("compiler-rt of {name} {version}"), "MIT", vec![read(&zig::file("LICENSE")?)?]);
        let unwinder = read(&zig::file("lib/libunwind/LICENSE.TXT")?)?;
        add("libunwind of LLVM".to_owned(), "Apache-2.0 WITH LLVM-exception", vec![unwinder]);
    }
    let mut texts: Vec<_> = texts.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();
    for (names, text) in texts {
        out += &format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), names.join(", "));
    }
    Ok(out)
}

/// The texts that a crate brings, else the standard text of its licence.
fn texts_of(one: &Crate) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(&one.dir).with_context(|| format!("cannot list {}", one.dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    if files.is_empty() {
        return Ok(vec![standard_text(one)?]);
    }
    files.iter().map(|file| read(file)).collect()
}

/// The MIT licence, which is also one of ours, with the crate's line of copyright.
fn standard_text(one: &Crate) -> Result<String> {
    let is_mit = one.licence.split([' ', '/']).any(|word| word == "MIT") && !one.licence.contains("AND");
    ensure!(is_mit, "{} brings no licence text, and there is none here for {}", one.name, one.licence);
    let source = fs::read_to_string(one.dir.join("src/lib.rs")).unwrap_or_default();
    let holders =
        source.lines().find_map(|line| line.strip_prefix("// ").filter(|line| line.starts_with("Copyright")));
    let holders = holders
        .with_context(|| format!("{} brings no licence text and names no copyright holder", one.name))?;
    let ours = read(&cargo::root()?.join("LICENSE-MIT"))?;
    let line =
        ours.lines().find(|line| line.starts_with("Copyright")).context("LICENSE-MIT names no holder")?;
    Ok(ours.replace(line, holders))
}

/// The notices that the Rust toolchain has for the standard library and the crates in it.
fn of_standard_library() -> Result<String> {
    let sysroot = PathBuf::from(cmd!("rustc", "--print", "sysroot").read().context("cannot run rustc")?);
    let notices = read(&sysroot.join("share/doc/rust/COPYRIGHT-library.html"))
        .context("this Rust toolchain has no notices of its standard library; those of rustup have")?;
    plain(&notices)
}

/// A page without its markup.
fn plain(page: &str) -> Result<String> {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let text = Regex::new("<[^>]*>")?.replace_all(body, "");
    let text = Regex::new(r"[ \t]+\n")?.replace_all(&text, "\n").into_owned();
    let text = Regex::new(r"\n{3,}")?.replace_all(&text, "\n\n").into_owned();
    let characters = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    let text = characters.iter().fold(text, |text, (code, character)| text.replace(code, character));
    Ok(text.trim().to_owned())
}

fn read(file: &Path) -> Result<String> {
    let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = String::from_utf8_lossy(&text).trim().replace("\r\n", "\n");
    ensure!(!text.is_empty(), "{} is an empty licence", file.display());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::crates;
    use super::*;

    #[test]
    fn every_crate_in_the_products_has_a_text() {
        let crates = crates::linked().unwrap();
        let all = of(&crates, true).unwrap();
        let line = "-".repeat(80);
        for one in &crates {
            let name = format!("{} {}", one.name, one.version);
            let mut parts = all.split(&line).skip(1).filter_map(|part| part.trim_start().split_once("\n\n"));
            let has_text =
                parts.any(|(names, text)| names.split(", ").any(|one| one == name) && text.len() > 300);
            assert!(has_text, "{name}");
        }
        assert!(
            all.contains("Copyright (C) 2018-present iced project and contributors\n\nPermission is hereby")
        );
        assert!(all.contains("The Rust Standard Library is dual-licensed under Apache 2.0 and MIT terms."));
    }

    #[test]
    fn a_crate_without_a_text_has_the_standard_one_or_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let check = |licence: &str, source: &str| {
            fs::create_dir_all(place.path().join("src")).unwrap();
            fs::write(place.path().join("src/lib.rs"), source).unwrap();
            let (name, version, sha256) = ("a".to_owned(), "1.0.0".to_owned(), String::new());
            texts_of(&Crate {
                name,
                version,
                licence: licence.to_owned(),
                sha256,
                dir: place.path().to_owned(),
            })
        };
        let texts = check("MIT OR Apache-2.0", "// Copyright 2020 Somebody\n").unwrap();
        assert!(texts[0].contains("\n\nCopyright 2020 Somebody\n\nPermission"), "{texts:?}");
        let why = |result: Result<Vec<String>>| result.unwrap_err().to_string();
        assert!(why(check("MIT", "fn f() {}")).contains("names no copyright holder"));
        assert!(
            why(check("BSD-3-Clause", "// Copyright 2020 Somebody\n")).contains("brings no licence text")
        );
        assert!(
            why(check("MIT AND BSD-3-Clause", "// Copyright 2020 S\n")).contains("brings no licence text")
        );
        fs::write(place.path().join("LICENSE"), " \n").unwrap();
        assert!(why(check("MIT", "")).contains("is an empty licence"));
    }

    #[test]
    fn a_page_becomes_plain_text() {
        let page = "<head>\n<title>t</title>\n</head>\n<body>\n<p>a &#60;b@c&#62;</p>\n   \n\n\n<pre>  &#38;#34;</pre>\n</body>";
        assert_eq!(plain(page).unwrap(), "a <b@c>\n\n  &#34;");
    }
}
