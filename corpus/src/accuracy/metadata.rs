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
}

#[derive(Debug, Deserialize)]
struct Type {
    name: String,
    kind: String,
    makes_precise: bool,
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

impl Kinds<'_> {
    /// What a block of a type keeps.
    pub fn kept(&self, name: &str) -> Kept {
        let parts =
            |name: &str| self.0.get(name).map(|ty| ty.related.iter().filter_map(|r| r.type_name.as_deref()));
        if name.starts_with("__SYNTHUNION_")
            && let Some(choices) = parts(name)
        {
            return Kept::OneOf(choices.map(|choice| self.kept(choice)).collect());
        }
        if name.starts_with("__SYNTH_")
            && let Some(parts) = parts(name)
        {
            return Kept::Parts(parts.map(element).collect());
        }
        let goes_on = |ty: &&Type| ty.kind == "composite" && ty.makes_precise;
        match self.0.get(name) {
            Some(ty) if array_element(name).is_none() && goes_on(ty) => Kept::Flexible(name.to_owned()),
            _ => Kept::Parts(vec![element(name)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_apart() {
        let text = r#"{ "sites": [], "types": [
            { "name": "__SYNTH_int$64_S__ARR0_signed_char$8", "kind": "composite", "makes_precise": true,
              "related": [{ "type": "int$64" }, { "type": "S" }, { "type": "__ARR0_signed_char$8" }] },
            { "name": "__SYNTHUNION_S___SYNTH_int$64_S__ARR0_signed_char$8", "kind": "composite", "makes_precise": false,
              "related": [{ "type": "S" }, { "type": "__SYNTH_int$64_S__ARR0_signed_char$8" }] },
            { "name": "S", "kind": "composite", "makes_precise": true, "related": [{ "type": "__ARR0_int$32" }] },
            { "name": "__ARR0_S", "kind": "array", "makes_precise": true, "related": [{ "type": "S" }] }] }"#;
        let metadata: Metadata = serde_json::from_str(text).unwrap();
        let kinds = metadata.kinds();
        let synthetic = Kept::Parts(vec!["int$64".into(), "S".into(), "char$8".into()]);
        let flexible = Kept::Flexible("S".into());
        let check = |name: &str, expect: &Kept| assert_eq!(kinds.kept(name), *expect, "{name}");
        check("__SYNTH_int$64_S__ARR0_signed_char$8", &synthetic);
        check("S", &flexible);
        check("__ARR0_S", &Kept::Parts(vec!["S".into()]));
        let either = Kept::OneOf([flexible, synthetic].into());
        check("__SYNTHUNION_S___SYNTH_int$64_S__ARR0_signed_char$8", &either);
    }
}
