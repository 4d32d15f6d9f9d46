//! Where the debug information of a stripped file is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use object::Object;
use object::read::elf::ElfFile64;

use crate::image::elf::{Elf, SHT_NOBITS};

/// The bytes of the file that has the debug information of `file`, whose bytes are `stripped`: the one that is `named`, else the one for
/// its build-id below `root`, else the one that its `.gnu_debuglink` names.
pub(super) fn find(file: &Path, stripped: &[u8], named: Option<&Path>, root: &Path) -> Result<Vec<u8>> {
    let elf = ElfFile64::<object::LittleEndian>::parse(stripped)?;
    let id = elf.build_id()?.filter(|id| id.len() > 1);
    if let Some(path) = named {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        ensure!(has_debug_info(&bytes), "{} has no debug information", path.display());
        let other = ElfFile64::<object::LittleEndian>::parse(&*bytes)?;
        ensure!(other.build_id()? == id, "{} has another build-id: it is of another build", path.display());
        return Ok(bytes);
    }
    let mut places = Vec::new();
    if let Some(id) = id {
        let path = root.join(by_build_id(id, "debug"));
        if let Ok(bytes) = std::fs::read(&path) {
            let other = ElfFile64::<object::LittleEndian>::parse(&*bytes)
                .with_context(|| path.display().to_string())?;
            if other.build_id()? == Some(id) && has_debug_info(&bytes) {
                return Ok(bytes);
            }
        }
        places.push(path);
    }
    if let Some((name, sum)) = elf.gnu_debuglink()? {
        let name = OsStr::from_bytes(name);
        let file = file.canonicalize()?;
        let directory = file.parent().context("no directory")?;
        let below_root = root.join(directory.strip_prefix("/").unwrap_or(directory));
        for place in [directory.to_path_buf(), directory.join(".debug"), below_root] {
            let path = place.join(name);
            if let Ok(bytes) = std::fs::read(&path)
                && crc32(&bytes) == sum
                && has_debug_info(&bytes)
            {
                return Ok(bytes);
            }
            places.push(path);
        }
    }
    if places.is_empty() {
        bail!("it has no debug information, and neither a build-id nor a .gnu_debuglink to find it by");
    }
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    bail!("it has no debug information, and that is not in {} either", places.join(", nor in "))
}

/// `.build-id/xx/yyyy.suffix`.
pub(super) fn by_build_id(id: &[u8], suffix: &str) -> PathBuf {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (first, rest) = id.split_at(1.min(id.len()));
    Path::new(".build-id").join(digits(first)).join(format!("{}.{suffix}", digits(rest)))
}

/// Whether an ELF file has debug information itself.
pub(super) fn has_debug_info(bytes: &[u8]) -> bool {
    let Ok(Some(elf)) = Elf::parse(bytes) else { return false };
    let is_info = |name: &[u8]| matches!(name, b".debug_info" | b".zdebug_info");
    elf.sections.iter().any(|s| is_info(s.name) && s.sh_type != SHT_NOBITS && s.sh_size != 0)
}

/// The checksum of `.gnu_debuglink`, which is that of gzip.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let mut value = i as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 != 0 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[i] = value;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum: u32, byte| TABLE[usize::from(sum as u8 ^ byte)] ^ (sum >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn paths_of_build_ids() {
        assert_eq!(by_build_id(&[0xab, 0xcd, 0x01], "meta"), Path::new(".build-id/ab/cd01.meta"));
    }
}
