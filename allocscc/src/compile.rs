//! The compile step: from a preprocessed source to the bytes of its facts.

use anyhow::{Result, anyhow};

use crate::driver::hooks::UnitInfo;
use crate::driver::warning::warn_from_analysis;
use crate::sites::codec;
use crate::sites::extract::{self, facts_of_unit};
use crate::sites::functions::DeclaredFunctions;

/// Allocation functions declared by hand, in the environment.
pub const DECLARED_FUNCTIONS: &str = "LIBALLOCS_ALLOC_FNS";

/// Makes the facts of a source.
pub fn analyse(preprocessed: &[u8], unit: &UnitInfo) -> Result<Vec<u8>> {
    let declared = declared_functions()?;
    let unit = extract::UnitInfo {
        source: unit.source.to_string_lossy().into_owned(),
        directory: unit.directory.to_string_lossy().into_owned(),
        declared,
    };
    let facts = facts_of_unit(preprocessed, &unit);
    for (place, reason) in &facts.skipped {
        warn_from_analysis(
            format_args!("{}:{}", place.file, place.line),
            format_args!("skipped a declaration: {reason}"),
        );
    }
    Ok(codec::encode(&facts))
}

/// The functions that the environment declares to allocate.
pub fn declared_functions() -> Result<DeclaredFunctions> {
    match std::env::var(DECLARED_FUNCTIONS) {
        Ok(text) => DeclaredFunctions::parse(&text).map_err(|why| anyhow!("{DECLARED_FUNCTIONS}: {why}")),
        Err(_) => Ok(DeclaredFunctions::default()),
    }
}
