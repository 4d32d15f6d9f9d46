//! The file in which the link editor writes its map for us.

use std::path::Path;

use tempfile::TempPath;

use super::children;

/// A temporary file, gone with this value or when a signal ends us.
pub struct LinkMap(TempPath);

impl LinkMap {
    /// An empty file in the directory for temporary files. `None` where there is none, or its name would break the option's syntax.
    #[must_use]
    pub fn new() -> Option<LinkMap> {
        let file =
            tempfile::Builder::new().prefix("allocscc-").suffix(".map").tempfile().ok()?.into_temp_path();
        if file.as_os_str().as_encoded_bytes().contains(&b',') {
            return None;
        }
        children::remember(&file);
        Some(LinkMap(file))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LinkMap {
    fn drop(&mut self) {
        children::forget(&self.0);
    }
}
