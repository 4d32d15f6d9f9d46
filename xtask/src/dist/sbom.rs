//! The list of what is in the products, as SPDX 2.3 in JSON.

use std::path::Path;

use anyhow::{Context, Result};
use duct::cmd;
use serde_json::{Value, json};

use super::crates::Crate;
use super::date::Date;
use super::{VERSION, zig};

/// The list for the given archives, which are its files.
pub(super) fn text(crates: &[Crate], host_libc: bool, date: Date, archives: &[&Path]) -> Result<String> {
    let mut packages = vec![part("SPDXRef-liballocs", "liballocs", VERSION, "MIT OR Apache-2.0")];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-liballocs")];
    let mut add = |id: &str, package: Value| {
        packages.push(package);
        relationships.push(relationship("SPDXRef-liballocs", "STATIC_LINK", id));
    };
    for one in crates {
        let id = format!("SPDXRef-crate-{}-{}", one.name.replace('_', "-"), one.version);
        add(&id, of_crate(one, &id));
    }
    let compiler = cmd!("rustc", "--version").read().context("cannot run rustc")?;
    let version = compiler.split(' ').nth(1).context("rustc states no version")?;
    add("SPDXRef-rust-std", part("SPDXRef-rust-std", "rust-std", version, "MIT OR Apache-2.0"));
    if !host_libc {
        // Start-up code, libunwind and compiler-rt.
        let (name, version) = zig::package()?;
        let licence = "MIT AND Apache-2.0 WITH LLVM-exception";
        add("SPDXRef-zig", part("SPDXRef-zig", &name, &version, licence));
    }
    let mut files = Vec::new();
    for archive in archives {
        let file = file(archive)?;
        relationships.push(relationship(
            "SPDXRef-liballocs",
            "GENERATES",
            file["SPDXID"].as_str().unwrap_or_default(),
        ));
        files.push(file);
    }
    let sums: Vec<&str> =
        files.iter().filter_map(|file| file["checksums"][0]["checksumValue"].as_str()).collect();
    let document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": format!("liballocs-{VERSION}"),
        "documentNamespace": format!("https://spdx.org/spdxdocs/liballocs-{VERSION}-{}", sums.first().unwrap_or(&"")),
        "creationInfo": {
            "created": date.format("+%Y-%m-%dT%H:%M:%SZ")?,
            "creators": [format!("Tool: cargo-xtask-dist-{VERSION}")],
        },
        "packages": packages,
        "files": files,
        "relationships": relationships,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn of_crate(one: &Crate, id: &str) -> Value {
    let mut package = part(id, &one.name, &one.version, &one.licence.replace('/', " OR "));
    package["checksums"] = json!([{ "algorithm": "SHA256", "checksumValue": one.sha256 }]);
    package["externalRefs"] = json!([{
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": format!("pkg:cargo/{}@{}", one.name, one.version),
    }]);
    package
}

fn part(id: &str, name: &str, version: &str, licence: &str) -> Value {
    json!({
        "SPDXID": id,
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    })
}

fn file(path: &Path) -> Result<Value> {
    let name = path.file_name().and_then(|name| name.to_str()).context("an archive has a name")?;
    let sum = |tool: &str| -> Result<String> {
        let line = cmd!(tool, path).read().with_context(|| format!("cannot run {tool}"))?;
        Ok(line.split(' ').next().unwrap_or_default().to_owned())
    };
    Ok(json!({
        "SPDXID": format!("SPDXRef-file-{}", name.replace('_', "-")),
        "fileName": format!("./{name}"),
        "checksums": [
            { "algorithm": "SHA256", "checksumValue": sum("sha256sum")? },
            { "algorithm": "SHA1", "checksumValue": sum("sha1sum")? },
        ],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }))
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}
