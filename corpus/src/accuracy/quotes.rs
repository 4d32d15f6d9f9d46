//! Whether each label still quotes the line that it is about.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::labels::Labels;
use super::sources;
use crate::manifest::{Manifest, Program};
use crate::sources::Sources;

/// Checks the labels of a program against its sources, which are fetched where they are not unpacked. Nothing is built.
pub fn check(manifest: &Manifest, program: &Program) -> Result<()> {
    let labels = Labels::read(&program.name)?;
    if labels.call.is_empty() {
        return Ok(());
    }
    let sources = Sources::find(manifest, program)?;
    let mut texts = BTreeMap::new();
    for label in labels.call {
        let file = label.place()?.file.to_owned();
        if !texts.contains_key(&file) {
            let path = sources.path_of(&file).with_context(|| format!("{} is in no package", label.at))?;
            texts.insert(file.clone(), sources::text(&path)?);
        }
        label.check_quote(&texts[&file])?;
    }
    Ok(())
}
