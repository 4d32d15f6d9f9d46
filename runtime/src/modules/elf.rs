//! Finds a section in an ELF file by a few reads of its headers.
//!
//! The file may hold anything: what does not fit is [`None`], and every read is bounded by what the headers claim and
//! the file has.

use crate::sys::file::Fd;

/// Something that can be read at an offset.
pub trait ReadAt {
    /// Fills `buffer` from `offset` on; false if not all of it is there.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> bool;
}

impl ReadAt for Fd {
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> bool {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(n @ 1..) => {
                    buffer = buffer.get_mut(n..).unwrap_or(&mut []);
                    offset += n as u64;
                }
                _ => return false,
            }
        }
        true
    }
}

/// Where a section lies in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// Size in bytes.
    pub size: u64,
}

const FILE_HEADER_SIZE: usize = 64;
const SECTION_HEADER_SIZE: usize = 64;
const SHT_PROGBITS: u32 = 1;
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
const SHF_TLS: u64 = 0x400;
const SHF_COMPRESSED: u64 = 0x800;
const SHN_XINDEX: u16 = 0xffff;
/// More sections than any linker makes; keeps a hostile header from costing seconds.
const MAX_SECTIONS: u64 = 1 << 20;
/// Section headers that one call of the kernel reads. They are put on a stack that may be small.
const HEADERS_AT_ONCE: usize = 24;
/// Longest section name that can be asked for.
const MAX_NAME: usize = 15;

/// The header that a file begins with.
pub type FileHeader = [u8; FILE_HEADER_SIZE];

/// Reads the header that a file begins with.
#[must_use]
pub fn file_header(file: &impl ReadAt) -> Option<FileHeader> {
    let mut header = [0; FILE_HEADER_SIZE];
    file.read_exact_at(&mut header, 0).then_some(header)
}

/// Finds the section of data that is not loaded, has this name (of at most [`MAX_NAME`] bytes) and so many bytes or more,
/// uncompressed.
#[must_use]
pub fn find_section(file: &impl ReadAt, header: &FileHeader, name: &[u8], smallest: usize) -> Option<Extent> {
    let table = SectionTable::of(file, header)?;
    // Added by the last step of a link: it is near the end.
    table.find_last(file, |section| {
        let is_data = section.kind == SHT_PROGBITS && section.flags & (SHF_ALLOC | SHF_COMPRESSED) == 0;
        // Few sections are left whose names have to be read.
        is_data && section.size >= smallest as u64 && table.is_named(file, section, name)
    })
}

/// A section as it is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadedSection {
    /// Address in the file.
    pub svma: u64,
    /// Size in bytes.
    pub size: u64,
}

/// Finds the loaded section that holds an address in the file.
#[must_use]
pub fn section_at(file: &impl ReadAt, svma: u64) -> Option<LoadedSection> {
    let table = SectionTable::of(file, &file_header(file)?)?;
    (0..table.count).find_map(|index| {
        let section = SectionHeader::read(file, table.offset, index)?;
        // Zeroed thread-local data is not in the file's memory, and has an address that overlaps that of other sections.
        let is_elsewhere = section.flags & SHF_TLS != 0 && section.kind == SHT_NOBITS;
        let is_there = section.flags & SHF_ALLOC != 0 && !is_elsewhere;
        (is_there && svma.wrapping_sub(section.svma) < section.size)
            .then_some(LoadedSection { svma: section.svma, size: section.size })
    })
}

/// Where the section headers are.
struct SectionTable {
    offset: u64,
    count: u64,
    names_index: u32,
}

impl SectionTable {
    fn of(file: &impl ReadAt, header: &FileHeader) -> Option<SectionTable> {
        let offset = u64_at(header, 40)?;
        let is_elf = header.starts_with(b"\x7fELF\x02\x01");
        if !is_elf || u16_at(header, 58)? as usize != SECTION_HEADER_SIZE || offset == 0 {
            return None;
        }
        // Numbers that the header has no room for are in the first section.
        let first = || SectionHeader::read(file, offset, 0);
        let count = match u16_at(header, 60)? {
            0 => first()?.size,
            n => u64::from(n),
        };
        let names_index = match u16_at(header, 62)? {
            SHN_XINDEX => first()?.link,
            n => u32::from(n),
        };
        (count <= MAX_SECTIONS).then_some(SectionTable { offset, count, names_index })
    }

    fn is_named(&self, file: &impl ReadAt, section: &SectionHeader, name: &[u8]) -> bool {
        let names = SectionHeader::read(file, self.offset, self.names_index.into());
        names.is_some_and(|names| section.is_named(file, &names, name))
    }

    /// The last section that `is_it`, from the end on.
    fn find_last(&self, file: &impl ReadAt, is_it: impl Fn(&SectionHeader) -> bool) -> Option<Extent> {
        let mut bytes = [0; HEADERS_AT_ONCE * SECTION_HEADER_SIZE];
        let mut end = self.count;
        while end > 0 {
            let begin = end.saturating_sub(HEADERS_AT_ONCE as u64);
            let bytes = bytes.get_mut(..(end - begin) as usize * SECTION_HEADER_SIZE)?;
            let offset = self.offset.checked_add(begin.checked_mul(SECTION_HEADER_SIZE as u64)?)?;
            if !file.read_exact_at(bytes, offset) {
                return None;
            }
            let mut headers = bytes.as_chunks().0.iter().rev();
            if let Some(found) = headers.find_map(|header| SectionHeader::parse(header).filter(&is_it)) {
                return Some(Extent { offset: found.offset, size: found.size });
            }
            end = begin;
        }
        None
    }
}

struct SectionHeader {
    name: u32,
    kind: u32,
    flags: u64,
    svma: u64,
    offset: u64,
    size: u64,
    link: u32,
}

impl SectionHeader {
    fn read(file: &impl ReadAt, table: u64, index: u64) -> Option<SectionHeader> {
        let mut bytes = [0; SECTION_HEADER_SIZE];
        let offset = table.checked_add(index.checked_mul(SECTION_HEADER_SIZE as u64)?)?;
        if file.read_exact_at(&mut bytes, offset) { SectionHeader::parse(&bytes) } else { None }
    }

    fn parse(bytes: &[u8; SECTION_HEADER_SIZE]) -> Option<SectionHeader> {
        Some(SectionHeader {
            name: u32_at(bytes, 0)?,
            kind: u32_at(bytes, 4)?,
            flags: u64_at(bytes, 8)?,
            svma: u64_at(bytes, 16)?,
            offset: u64_at(bytes, 24)?,
            size: u64_at(bytes, 32)?,
            link: u32_at(bytes, 40)?,
        })
    }

    fn is_named(&self, file: &impl ReadAt, names: &SectionHeader, name: &[u8]) -> bool {
        let mut bytes = [0; MAX_NAME + 1];
        let Some(read) = bytes.get_mut(..=name.len()) else { return false };
        names.offset.checked_add(u64::from(self.name)).is_some_and(|at| file.read_exact_at(read, at))
            && read.strip_prefix(name) == Some(b"\0")
    }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

/// The program headers and the build-id of a loaded file, from the bytes of its first page and of its notes.
pub mod loaded {
    use super::{u16_at, u32_at, u64_at};
    pub use crate::sys::loaded::{PT_DYNAMIC, PT_LOAD, PT_NOTE};

    const PROGRAM_HEADER_SIZE: usize = 56;
    /// The segment may be run.
    pub const PF_X: u32 = 1;
    /// The segment may be written.
    pub const PF_W: u32 = 2;
    /// The segment may be read.
    pub const PF_R: u32 = 4;

    /// A program header.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Segment {
        /// `PT_…`.
        pub kind: u32,
        /// `PF_…`.
        pub flags: u32,
        /// Address in the file.
        pub svma: u64,
        /// Bytes that come from the file.
        pub file_size: u64,
        /// Bytes in memory.
        pub memory_size: u64,
    }

    /// The program headers; none if the bytes, the first of the file, do not hold them.
    pub fn segments(first_page: &[u8]) -> impl Iterator<Item = Segment> + use<'_> {
        let table = headers(first_page).unwrap_or(&[]);
        table.chunks_exact(PROGRAM_HEADER_SIZE).filter_map(|bytes| {
            Some(Segment {
                kind: u32_at(bytes, 0)?,
                flags: u32_at(bytes, 4)?,
                svma: u64_at(bytes, 16)?,
                file_size: u64_at(bytes, 32)?,
                memory_size: u64_at(bytes, 40)?,
            })
        })
    }

    /// The word of the file's header that the processor's supplement to the ABI defines bits of.
    #[must_use]
    pub fn flags(first_page: &[u8]) -> Option<u32> {
        u32_at(first_page, 48)
    }

    fn headers(first_page: &[u8]) -> Option<&[u8]> {
        if first_page.get(..6)? != b"\x7fELF\x02\x01"
            || u16_at(first_page, 54)? as usize != PROGRAM_HEADER_SIZE
        {
            return None;
        }
        let start = usize::try_from(u64_at(first_page, 32)?).ok()?;
        let size = usize::from(u16_at(first_page, 56)?) * PROGRAM_HEADER_SIZE;
        first_page.get(start..start.checked_add(size)?)
    }

    /// The build-id among notes.
    #[must_use]
    pub fn build_id(mut notes: &[u8]) -> Option<&[u8]> {
        const NT_GNU_BUILD_ID: u32 = 3;
        loop {
            let name_size = u32_at(notes, 0)? as usize;
            let size = u32_at(notes, 4)? as usize;
            let kind = u32_at(notes, 8)?;
            let name_end = 12usize.checked_add(name_size)?;
            let start = name_end.checked_next_multiple_of(4)?;
            let end = start.checked_add(size)?;
            if kind == NT_GNU_BUILD_ID && notes.get(12..name_end)? == b"GNU\0" {
                return notes.get(start..end);
            }
            notes = notes.get(end.checked_next_multiple_of(4)?..)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    impl ReadAt for [u8] {
        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> bool {
            let Ok(offset) = usize::try_from(offset) else { return false };
            let end = offset.saturating_add(buffer.len());
            self.get(offset..end).map(|bytes| buffer.copy_from_slice(bytes)).is_some()
        }
    }

    impl ReadAt for Vec<u8> {
        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> bool {
            self[..].read_exact_at(buffer, offset)
        }
    }

    /// A file with the sections "", ".allocs" (5 bytes) and ".shstrtab".
    fn small() -> Vec<u8> {
        let mut file = std::vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file.extend_from_slice(b"hello\0.allocs\0.shstrtab\0");
        let table = file.len();
        file[40..48].copy_from_slice(&(table as u64).to_le_bytes());
        file[58..60].copy_from_slice(&64u16.to_le_bytes());
        file[60..62].copy_from_slice(&3u16.to_le_bytes());
        file[62..64].copy_from_slice(&2u16.to_le_bytes());
        file.resize(table + 64, 0);
        for (name, kind, offset, size) in [(1u32, 1u32, 64u64, 5u64), (9, 3, 69, 19)] {
            let mut header = [0; 64];
            header[0..4].copy_from_slice(&name.to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&offset.to_le_bytes());
            header[32..40].copy_from_slice(&size.to_le_bytes());
            file.extend_from_slice(&header);
        }
        file
    }

    #[test]
    fn a_section_is_found_by_its_whole_name() {
        let file = small();
        let check = |name: &[u8], smallest, expect: Option<Extent>| {
            let header = file_header(&file).unwrap();
            assert_eq!(find_section(&file, &header, name, smallest), expect);
        };
        check(b".allocs", 5, Some(Extent { offset: 64, size: 5 }));
        check(b".allocs", 6, None);
        check(b".alloc", 0, None);
        check(b".shstrtab", 0, None);
        check(b"a name that is longer than any that can be", 0, None);
    }

    #[test]
    fn a_real_file_has_a_build_id_and_segments() {
        let file = std::fs::read("/proc/self/exe").unwrap();
        let header = file_header(&file).unwrap();
        assert!(find_section(&file, &header, b".comment", 1).is_some());
        assert_eq!(find_section(&file, &header, b".text", 1), None, "it is loaded");
        let entry = u64_at(&header, 24).unwrap();
        let text = section_at(&file, entry).unwrap();
        assert!(text.svma <= entry && text.size > 1000);
        assert_eq!(section_at(&file, u64::MAX), None);
        assert!(loaded::segments(&file[..4096]).any(|s| s.kind == loaded::PT_LOAD));
    }

    #[test]
    fn a_build_id_is_found_behind_other_notes() {
        let mut notes = Vec::new();
        for (name, kind, desc) in [(&b"XX\0\0"[..3], 9u32, &b"12345"[..]), (b"GNU\0", 3, b"identity")] {
            notes.extend_from_slice(&(name.len() as u32).to_le_bytes());
            notes.extend_from_slice(&(desc.len() as u32).to_le_bytes());
            notes.extend_from_slice(&kind.to_le_bytes());
            for part in [name, desc] {
                notes.extend_from_slice(part);
                notes.resize(notes.len().next_multiple_of(4), 0);
            }
        }
        assert_eq!(loaded::build_id(&notes), Some(&b"identity"[..]));
        assert_eq!(loaded::build_id(&notes[..20]), None);
    }

    proptest! {
        #[test]
        fn hostile_headers_do_no_harm(
            damage in prop::collection::vec((0usize..64 + 24 + 192, any::<u8>()), 0..40),
            len in 0usize..300,
        ) {
            let mut file = small();
            for (at, byte) in damage {
                file[at] = byte;
            }
            file.truncate(len);
            let found = file_header(&file).and_then(|header| find_section(&file, &header, b".allocs", 0));
            let _ = (found, section_at(&file, 64));
            for segment in loaded::segments(&file) {
                prop_assert!(segment.kind == segment.kind);
            }
            let _ = loaded::build_id(&file);
        }
    }
}
