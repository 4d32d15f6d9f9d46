//! What the tool says of each call, as `allocs meta` prints it.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::kept::{Kept, array_element, element};
use crate::child;
use crate::stage::Stage;

/// The part of the metadata that is judged.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// The calls that allocate.
    pub sites: Vec<Site>,
    types: Vec<Type>,
}

/// A call instruction.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the documented output")]
pub struct Site {
    pub return_svma: u64,
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    pub file: String,
    pub line: usize,
    pub function: String,
    pub callee: String,
    pub evidence: String,
    pub retypes: bool,
    pub in_wrapper: bool,
    pub reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Type {
    name: String,
    kind: String,
    related: Vec<Related>,
}

#[derive(Debug, Deserialize)]
struct Related {
    #[serde(rename = "type")]
    type_name: Option<String>,
}

impl Metadata {
    /// Reads the metadata of a linked program.
    pub fn read(stage: &Stage, executable: &Path) -> Result<Self> {
        let text = child::printed(Command::new(stage.allocs()).args(["meta", "--json"]).arg(executable))?;
        serde_json::from_str(&text).context("`allocs meta --json` prints something else")
    }

    /// Types by their names, to take apart what the tool has put together.
    pub fn kinds(&self) -> Kinds<'_> {
        Kinds(self.types.iter().map(|ty| (ty.name.as_str(), ty)).collect())
    }
}

/// Types by their names.
pub struct Kinds<'a>(HashMap<&'a str, &'a Type>);

impl<'a> Kinds<'a> {
    /// What a block of a type keeps, in every way to say it.
    pub fn kept(&self, name: &str) -> Vec<Kept> {
        let Some(ty) = self.0.get(name) else { return vec![Kept::Parts(vec![element(name)])] };
        if name.starts_with("__SYNTHUNION_") {
            let choices = ty.members().filter_map(|choice| self.kept(choice).into_iter().next());
            return vec![Kept::OneOf(choices.collect())];
        }
        if name.starts_with("__SYNTH_") {
            let parts: Vec<&str> = ty.members().collect();
            let elements = Kept::Parts(parts.iter().copied().map(element).collect());
            return [elements].into_iter().chain(self.one_that_goes_on(&parts)).collect();
        }
        // One struct, and not an array of it, is the type of blocks that are longer than it.
        let is_struct = ty.kind == "composite" && array_element(name).is_none();
        vec![if is_struct { Kept::Flexible(name.to_owned()) } else { Kept::Parts(vec![element(name)]) }]
    }

    /// A struct, and behind it more elements of the array that is its last member.
    fn one_that_goes_on(&self, parts: &[&str]) -> Option<Kept> {
        let [before @ .., header, tail] = parts else { return None };
        let last = self.0.get(header)?.members().last().and_then(array_element)?;
        let is_more = element(last) == element(tail);
        let before = before.iter().copied().map(element);
        is_more.then(|| match before.len() {
            0 => Kept::Flexible((*header).to_owned()),
            _ => Kept::Parts(before.chain([(*header).to_owned()]).collect()),
        })
    }
}

impl Type {
    fn members(&self) -> impl Iterator<Item = &str> {
        self.related.iter().filter_map(|related| related.type_name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_apart() {
        let text = r#"{ "sites": [], "types": [
            { "name": "__SYNTH_int$64_S__ARR0_signed_char$8", "kind": "composite",
              "related": [{ "type": "int$64" }, { "type": "S" }, { "type": "__ARR0_signed_char$8" }] },
            { "name": "__SYNTHUNION_S___SYNTH_int$64_S__ARR0_signed_char$8", "kind": "composite",
              "related": [{ "type": "S" }, { "type": "__SYNTH_int$64_S__ARR0_signed_char$8" }] },
            { "name": "__SYNTH_S__ARR0_int$32", "kind": "composite",
              "related": [{ "type": "S" }, { "type": "__ARR0_int$32" }] },
            { "name": "S", "kind": "composite", "related": [{ "type": "__ARR8_int$32" }] },
            { "name": "__ARR0_S", "kind": "array", "related": [{ "type": "S" }] }] }"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        let kinds = metadata.kinds();
        let parts = |names: &[&str]| Kept::Parts(names.iter().map(|&name| name.to_owned()).collect());
        let synthetic = parts(&["int$64", "S", "char$8"]);
        let flexible = Kept::Flexible("S".into());
        let check = |name: &str, expect: Vec<Kept>| assert_eq!(kinds.kept(name), expect, "{name}");
        check("__SYNTH_int$64_S__ARR0_signed_char$8", vec![synthetic.clone()]);
        check("__SYNTH_S__ARR0_int$32", vec![parts(&["S", "int$32"]), flexible.clone()]);
        check("S", vec![flexible.clone()]);
        check("__ARR0_S", vec![parts(&["S"])]);
        let either = Kept::OneOf([flexible, synthetic].into());
        check("__SYNTHUNION_S___SYNTH_int$64_S__ARR0_signed_char$8", vec![either]);
    }
}
