//! The compile step: from a preprocessed source to the bytes of its facts.

use std::ffi::OsString;

use anyhow::{Result, anyhow};

use crate::driver::hooks::UnitInfo;
use crate::driver::warning::warn_from_analysis;
use crate::sites::codec;
use crate::sites::extract::{self, facts_of_unit};
use crate::sites::functions::DeclaredFunctions;

/// Allocation functions declared by hand, in the environment.
pub const DECLARED_FUNCTIONS: &str = "LIBALLOCS_ALLOC_FNS";

/// Functions declared by hand that allocate from pools, and those that free what these gave.
const DECLARED_POOLS: [&str; 2] = ["LIBALLOCS_SUBALLOC_FNS", "LIBALLOCS_SUBFREE_FNS"];

/// Makes the facts of a source.
pub fn analyse(preprocessed: &[u8], unit: &UnitInfo) -> Result<Vec<u8>> {
    let declared = declared_functions()?;
    let unit = extract::UnitInfo {
        source: unit.source.to_string_lossy().into_owned(),
        directory: unit.directory.to_string_lossy().into_owned(),
        declared,
        merges_literals: merges_literals(&unit.flags),
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

/// Whether gcc puts string literals into sections that the link editor merges: with optimisation, unless told otherwise.
/// The last option of a kind counts. clang always does.
fn merges_literals(flags: &[OsString]) -> bool {
    let flags = || flags.iter().rev().map(|flag| flag.as_encoded_bytes());
    let told = flags().find_map(|flag| match flag {
        b"-fmerge-constants" | b"-fmerge-all-constants" => Some(true),
        b"-fno-merge-constants" | b"-fno-merge-all-constants" => Some(false),
        _ => None,
    });
    let is_optimised = || flags().find(|flag| flag.starts_with(b"-O")).is_some_and(|level| level != b"-O0");
    told.unwrap_or_else(is_optimised)
}

/// The functions that the environment declares.
pub fn declared_functions() -> Result<DeclaredFunctions> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let [pools, frees] = DECLARED_POOLS;
    let explain = |name: &'static str| move |why| anyhow!("{name}: {why}");
    let mut declared =
        DeclaredFunctions::parse(&text(DECLARED_FUNCTIONS)).map_err(explain(DECLARED_FUNCTIONS))?;
    declared.add_pools(&text(pools)).map_err(explain(pools))?;
    declared.add_pool_frees(&text(frees)).map_err(explain(frees))?;
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use super::merges_literals;

    fn check(flags: &str, expected: bool) {
        let flags: Vec<_> = flags.split_whitespace().map(Into::into).collect();
        assert_eq!(merges_literals(&flags), expected, "{flags:?}");
    }

    #[test]
    fn the_last_option_says_whether_literals_are_merged() {
        check("", false);
        check("-std=gnu11 -fPIC", false);
        check("-O0", false);
        check("-O", true);
        check("-Og", true);
        check("-O2 -O0", false);
        check("-O0 -Os", true);
        check("-O2 -fno-merge-constants", false);
        check("-fno-merge-constants -fmerge-all-constants", true);
    }
}
