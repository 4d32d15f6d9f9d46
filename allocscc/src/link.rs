//! The link step: from a linked file with debug information, and the facts of its sources, to the metadata section.
//!
//! The order is the story: read the DWARF; find what the source says of each allocation; find which instructions those are;
//! write it all down.

use anyhow::{Context, Result};

use crate::driver::hooks::LinkOutput;
use crate::dwarf::Contents;
use crate::dwarf::units::{DebugData, Units};
use crate::emit;
use crate::graph::names::Names;

/// Makes the metadata of a file that was just linked.
pub fn annotate(output: &LinkOutput<'_>) -> Result<Option<Vec<u8>>> {
    let data = DebugData::load(output.bytes).context("reading the linked file")?;
    let units = Units::new(&data).context("reading the debug information")?;
    let mut contents = Contents::read(&units);
    let mut names = Names::default();
    let wanted = contents.types.named();
    let metadata = emit::metadata(emit::Input {
        types: &mut contents.types.types,
        names: &mut names,
        wanted: &wanted,
        statics: &contents.statics,
        frames: &contents.frames,
        sites: &[],
        build_id: data.file().build_id(),
    })?;
    Ok(Some(metadata))
}
