//! `-Wallocs`: says why a file has no metadata, or less than it could have.

use std::fmt::Display;
use std::path::Path;

/// Prints the warning if the user wants to see it.
pub fn warn(wanted: bool, file: &Path, reason: impl Display) {
    if wanted {
        eprintln!("{}: warning: allocscc: {reason:#} [-Wallocs]", file.display());
    }
}
