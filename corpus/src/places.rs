//! Where things are: the checkout, the corpus directory, the target directory.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the checkout. Read at run time, so that a test archive works at another path.
pub fn root() -> PathBuf {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let corpus = manifest_dir.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    corpus.parent().map(Path::to_owned).unwrap_or(corpus)
}

/// The directory of the manifest, the mains, the probe and our own small programs.
pub fn corpus() -> PathBuf {
    root().join("corpus")
}

/// Cargo's target directory of this checkout.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Everything that the corpus keeps between runs.
pub fn kept() -> PathBuf {
    target().join("corpus")
}
