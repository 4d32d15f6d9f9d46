//! `-Wallocs`: says why a file has no metadata, or less than it could have.

use std::fmt::Display;
use std::path::Path;

/// Prints the warning from inside an analysis: that is a process whose standard error goes nowhere unless the user wants to see it.
pub fn warn_from_analysis(place: impl Display, reason: impl Display) {
    eprintln!("{place}: warning: allocscc: {reason:#} [-Wallocs]");
}

/// Prints the warning if the user wants to see it.
pub fn warn(wanted: bool, file: &Path, reason: impl Display) {
    if wanted {
        warn_from_analysis(file.display(), reason);
    }
}
