//! The tarball: one directory that runs from wherever it is unpacked.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::VERSION;
use super::date::Date;
use super::tree::{self, Kind};

/// The name of the directory.
pub(super) fn top() -> String {
    format!("liballocs-{VERSION}-x86_64-linux")
}

/// Packs a directory under that name. Nobody's name, number or clock gets into it.
pub(super) fn write(dir: &Path, top: &str, date: Date, out: &Path) -> Result<()> {
    let file = File::create(out).with_context(|| format!("cannot write {}", out.display()))?;
    let mut archive = Builder::new(GzBuilder::new().mtime(0).write(file, Compression::best()));
    for path in [&[dir.to_owned()][..], &tree::paths(dir)?].concat() {
        let mut header = Header::new_ustar();
        header.set_mtime(date.0);
        header.set_uid(0);
        header.set_gid(0);
        let below = path.strip_prefix(dir)?;
        let name = if below == Path::new("") { top.into() } else { Path::new(top).join(below) };
        match Kind::of(&path)? {
            Kind::Directory => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                archive.append_data(&mut header, name, &[][..])?;
            }
            Kind::File(mode) => {
                let bytes = fs::read(&path)?;
                header.set_mode(mode);
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, name, &*bytes)?;
            }
            Kind::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                archive.append_link(&mut header, name, target)?;
            }
        }
    }
    archive.into_inner()?.finish()?.flush().with_context(|| format!("cannot write {}", out.display()))
}
