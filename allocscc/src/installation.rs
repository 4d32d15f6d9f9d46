//! Our own place in the file system: wherever the directory with `bin`, `lib` and `share` is put, its parts find each other.

use std::path::{Path, PathBuf};

/// Where libraries may be below the prefix; Debian's packages and Fedora's have places of their own.
const LIBRARY_DIRECTORIES: [&str; 3] = ["lib", "lib/x86_64-linux-gnu", "lib64"];

/// The file name of the run-time library.
pub const LIBRARY: &str = "liballocs_preload.so";

/// The directory with our headers and nothing else: `include` may hold those of others, which a compiler must not find
/// with us if it does not without us.
const HEADERS: &str = "share/liballocs/include";

/// The directory that holds our `bin`, with symbolic links followed.
fn prefix() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?.canonicalize().ok()?;
    Some(own.parent()?.parent()?.to_owned())
}

/// The directory of our C headers, if it is there.
pub fn headers() -> Option<PathBuf> {
    prefix().map(|prefix| prefix.join(HEADERS)).filter(|directory| directory.is_dir())
}

/// The run-time library; an error is the places where it is not.
pub fn library() -> Result<PathBuf, Vec<PathBuf>> {
    prefix().map_or(Err(Vec::new()), |prefix| library_below(&prefix))
}

fn library_below(prefix: &Path) -> Result<PathBuf, Vec<PathBuf>> {
    let places = LIBRARY_DIRECTORIES.map(|directory| prefix.join(directory).join(LIBRARY));
    places.iter().find(|place| place.is_file()).cloned().ok_or(places.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_in_each_place_and_else_all_are_named() {
        for place in LIBRARY_DIRECTORIES {
            let prefix = tempfile::tempdir().unwrap();
            let missing = library_below(prefix.path()).unwrap_err();
            assert_eq!(missing.len(), LIBRARY_DIRECTORIES.len());
            let library = prefix.path().join(place).join(LIBRARY);
            std::fs::create_dir_all(library.parent().unwrap()).unwrap();
            std::fs::write(&library, "").unwrap();
            assert_eq!(library_below(prefix.path()).unwrap(), library);
        }
    }
}
