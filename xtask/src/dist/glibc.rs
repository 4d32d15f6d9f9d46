//! Which glibc and which libraries a linked file needs, by what it states itself.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader as _};

/// A version of glibc, as in `GLIBC_2.28`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version(u32, u32);

/// The oldest glibc that the products run with.
pub(crate) const OLDEST: Version = Version(2, 28);

/// What glibc itself consists of, so that a file needs no other package.
const PARTS: [&str; 6] =
    ["libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "ld-linux-x86-64.so.2"];

impl Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Version {
    /// The version that the name of a symbol version stands for.
    fn of(name: &str) -> Option<Self> {
        // Some have a third number.
        let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

/// What a file needs.
struct Needs {
    /// Names of libraries.
    libraries: BTreeSet<String>,
    /// Names of the versions of symbols.
    versions: BTreeSet<String>,
}

/// What a linker of this host adds to the tools, and zig's does not.
pub(super) const LIBGCC: &str = "libgcc_s.so.1";

/// The oldest glibc that runs a file. It needs glibc alone; the library, which every program loads, `libc.so.6` alone.
pub(crate) fn needed_by(file: &Path) -> Result<Version> {
    needed_besides(&[], file)
}

/// The same for a file that may need some more libraries.
pub(super) fn needed_besides(more: &[&str], file: &Path) -> Result<Version> {
    let data = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let needs = Needs::of(&data).with_context(|| format!("{} is no dynamic ELF file", file.display()))?;
    let is_library = file.extension().is_some_and(|extension| extension == "so");
    let parts = if is_library { &PARTS[..1] } else { &PARTS[..] };
    let is_other =
        |library: &&String| !parts.contains(&library.as_str()) && !more.contains(&library.as_str());
    if let Some(other) = needs.libraries.iter().find(is_other) {
        bail!("{} needs {other}", file.display());
    }
    needs.glibc().with_context(|| file.display().to_string())
}

impl Needs {
    fn of(data: &[u8]) -> Result<Self> {
        let header = FileHeader64::<Endianness>::parse(data)?;
        let endian = header.endian()?;
        let sections = header.sections(endian, data)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut libraries, mut versions) = (BTreeSet::new(), BTreeSet::new());
        let (entries, strings) = sections.dynamic(endian, data)?.context("it has no dynamic section")?;
        let strings = sections.strings(endian, data, strings)?;
        for entry in entries.iter().filter(|entry| entry.d_tag(endian) == DT_NEEDED) {
            libraries.insert(text(strings.get(u32::try_from(entry.d_val(endian))?).unwrap_or_default()));
        }
        if let Some((mut files, strings)) = sections.gnu_verneed(endian, data)? {
            let strings = sections.strings(endian, data, strings)?;
            while let Some((_, mut names)) = files.next()? {
                while let Some(name) = names.next()? {
                    versions.insert(text(name.name(endian, strings)?));
                }
            }
        }
        Ok(Self { libraries, versions })
    }

    /// The newest version of a symbol. Fails for what no version of glibc promises, such as `GLIBC_PRIVATE`.
    fn glibc(&self) -> Result<Version> {
        let mut newest = Version(2, 0);
        // The library that has the versions `GCC_…` is looked at by its name.
        for name in self.versions.iter().filter(|name| !name.starts_with("GCC_")) {
            let version = Version::of(name).with_context(|| format!("it needs symbols of {name}"))?;
            newest = newest.max(version);
        }
        Ok(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order_by_number() {
        let of = |name| Version::of(name);
        assert!(of("GLIBC_2.4") < of("GLIBC_2.28") && of("GLIBC_2.2.5") == Some(Version(2, 2)));
        assert_eq!((of("GLIBC_PRIVATE"), of("GLIBC_ABI_DT_RELR"), of("GCC_3.0")), (None, None, None));
        assert_eq!(OLDEST.to_string(), "2.28");
    }

    #[test]
    fn what_this_test_needs_is_known() {
        let needs = Needs::of(&fs::read("/proc/self/exe").unwrap()).unwrap();
        assert!(needs.libraries.contains("libc.so.6"));
        assert!(needs.versions.iter().any(|name| name.starts_with("GLIBC_2.")));
        let only = |name: &str| Needs { libraries: BTreeSet::new(), versions: [name.to_owned()].into() };
        assert_eq!(only("GLIBC_2.34").glibc().unwrap(), Version(2, 34));
        assert!(only("GLIBC_PRIVATE").glibc().unwrap_err().to_string().contains("GLIBC_PRIVATE"));
    }
}
