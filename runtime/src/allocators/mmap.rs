//! Mappings, asked of the kernel when nothing else knows an address.
//!
//! Linux 6.11 and later answer for one address (`PROCMAP_QUERY`); otherwise `/proc/self/maps` is read up to the line that
//! counts. The file is opened for each question, so no descriptor of ours is ever seen by the program.
//!
//! # Safety
//! The kernel fills [`ProcmapQuery`] and writes the name into the buffer that it is told, up to its size.
//!
//! A query may run on a signal stack of 8 KiB, so what is large here lies in mappings of its own.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::sys::Errno;
use crate::sys::file::{Fd, ioctl};
use crate::sys::memory::PAGE_SIZE;
use crate::types::scratch::Scratch;

/// Longest name of a mapping that is kept; a longer one is cut.
const MAX_NAME: usize = 4096;

/// A mapping of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// First byte.
    pub start: Avma,
    /// One past the last byte.
    pub end: Avma,
    /// What the kernel calls it.
    pub kind: Kind,
    /// Where in its file it begins.
    pub offset: usize,
}

/// What the kernel calls a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The program break.
    Heap,
    /// The main thread's stack.
    Stack,
    /// Any other.
    Other,
}

impl Mapping {
    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.end.0.saturating_sub(self.start.0)
    }

    /// All pages of a loaded file, of which the kernel has a mapping for each kind of access.
    #[must_use]
    pub fn of_file(start: Avma, end: Avma) -> Mapping {
        Mapping { start, end: Avma(end.0.next_multiple_of(PAGE_SIZE)), kind: Kind::Other, offset: 0 }
    }

    /// The part before the end of a loaded file that begins in it or before, and the part behind, either of which may be
    /// empty: the kernel makes one mapping of a file's zeroed memory and of anonymous memory that follows it at once.
    #[must_use]
    pub fn split_at_file(self, file_end: Avma) -> [Mapping; 2] {
        let cut = Avma(file_end.0.next_multiple_of(PAGE_SIZE)).max(self.start).min(self.end);
        let offset = self.offset.wrapping_add(cut.0.saturating_sub(self.start.0));
        [Mapping { end: cut, ..self }, Mapping { start: cut, offset, ..self }]
    }
}

impl Kind {
    fn of_name(name: &[u8]) -> Kind {
        match name {
            b"[heap]" => Kind::Heap,
            b"[stack]" => Kind::Stack,
            _ => Kind::Other,
        }
    }
}

/// A mapping with its name.
#[derive(Debug)]
pub struct Named {
    /// The mapping.
    pub mapping: Mapping,
    name: Scratch<u8>,
}

impl Named {
    /// Path of the file, or what the kernel calls it (`[heap]`); empty for anonymous memory.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.name.as_slice()
    }

    fn holds(&self, p: Avma) -> bool {
        p.is_in(self.mapping.start, self.mapping.size())
    }
}

/// The mapping that holds an address. `None` if it is not mapped, or the kernel does not say.
#[cold]
#[inline(never)]
#[must_use]
pub fn mapping_at(address: Avma) -> Option<Mapping> {
    let fd = Fd::open(c"/proc/self/maps").ok()?;
    // Only the names of kinds matter, and they are short.
    match ask(&fd, address, &mut [0; 16]) {
        Ok((mapping, _)) => Some(mapping),
        Err(NOT_MAPPED) => None,
        Err(_) => search(&fd, |named| named.holds(address)).map(|named| named.mapping),
    }
}

/// The same with its name.
#[cold]
#[inline(never)]
#[must_use]
pub fn named_at(address: Avma) -> Option<Named> {
    let fd = Fd::open(c"/proc/self/maps").ok()?;
    let mut name = Scratch::default();
    name.fill(0, MAX_NAME)?;
    match ask(&fd, address, name.as_mut_slice()) {
        Ok((mapping, len)) => {
            name.truncate(len);
            Some(Named { mapping, name })
        }
        Err(NOT_MAPPED) => None,
        Err(_) => search(&fd, |named| named.holds(address)),
    }
}

/// Calls `f` with each mapping by ascending address, until it says true; gives that mapping.
pub fn find_mapping(f: impl FnMut(&Named) -> bool) -> Option<Named> {
    search(&Fd::open(c"/proc/self/maps").ok()?, f)
}

const NOT_MAPPED: Errno = Errno(2);

/// `struct procmap_query`.
#[repr(C)]
struct ProcmapQuery {
    size: u64,
    query_flags: u64,
    query_addr: u64,
    vma_start: u64,
    vma_end: u64,
    vma_flags: u64,
    vma_page_size: u64,
    vma_offset: u64,
    inode: u64,
    dev_major: u32,
    dev_minor: u32,
    vma_name_size: u32,
    build_id_size: u32,
    vma_name_addr: u64,
    build_id_addr: u64,
}

const _: () = assert!(size_of::<ProcmapQuery>() == 104);

/// The mapping that holds an address, and how many bytes of `name` its name has: none if it has no name or a longer one.
fn ask(fd: &Fd, address: Avma, name: &mut [u8]) -> Result<(Mapping, usize), Errno> {
    // _IOWR('f', 17, struct procmap_query)
    const PROCMAP_QUERY: usize = 3 << 30 | size_of::<ProcmapQuery>() << 16 | (b'f' as usize) << 8 | 17;
    const TOO_LONG: Errno = Errno(36);
    let mut query = ProcmapQuery {
        size: size_of::<ProcmapQuery>() as u64,
        query_flags: 0,
        query_addr: address.0 as u64,
        vma_start: 0,
        vma_end: 0,
        vma_flags: 0,
        vma_page_size: 0,
        vma_offset: 0,
        inode: 0,
        dev_major: 0,
        dev_minor: 0,
        vma_name_size: name.len() as u32,
        build_id_size: 0,
        vma_name_addr: name.as_mut_ptr() as u64,
        build_id_addr: 0,
    };
    // SAFETY: the request fills the structure and at most the bytes of `name`.
    match unsafe { ioctl(fd, PROCMAP_QUERY, &mut query) } {
        Err(TOO_LONG) => {
            query.vma_name_size = 0;
            query.vma_name_addr = 0;
            // SAFETY: the request fills the structure.
            unsafe { ioctl(fd, PROCMAP_QUERY, &mut query) }?;
        }
        other => {
            other?;
        }
    }
    // The kernel counts the NUL.
    let len = (query.vma_name_size as usize).saturating_sub(1).min(name.len());
    let kind = Kind::of_name(name.get(..len).unwrap_or(&[]));
    let (start, end) = (Avma(query.vma_start as usize), Avma(query.vma_end as usize));
    Ok((Mapping { start, end, kind, offset: query.vma_offset as usize }, len))
}

fn search(fd: &Fd, mut f: impl FnMut(&Named) -> bool) -> Option<Named> {
    let mut parser = Parser::default();
    let mut buffer = Scratch::default();
    buffer.fill(0, PAGE_SIZE)?;
    loop {
        let n = fd.read(buffer.as_mut_slice()).ok().filter(|&n| n > 0)?;
        for &byte in buffer.as_slice().get(..n)? {
            if parser.push(byte).is_some_and(&mut f) {
                return Some(parser.named);
            }
        }
    }
}

/// Reads the lines of `/proc/self/maps`: `start-end perms offset dev inode   name`.
struct Parser {
    named: Named,
    field: Field,
    number: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Start,
    End,
    Permissions,
    Offset,
    /// That many fields are to come before the name.
    Skipped(u8),
    Blanks,
    Name,
}

impl Default for Parser {
    fn default() -> Self {
        let mapping = Mapping { start: Avma::NULL, end: Avma::NULL, kind: Kind::Other, offset: 0 };
        Parser { named: Named { mapping, name: Scratch::default() }, field: Field::Start, number: 0 }
    }
}

impl Parser {
    /// Takes a byte; the mapping, if it ended a line.
    fn push(&mut self, byte: u8) -> Option<&Named> {
        if byte == b'\n' {
            let field = core::mem::replace(&mut self.field, Field::Start);
            self.number = 0;
            self.named.mapping.kind = Kind::of_name(self.named.name());
            let is_whole = !matches!(field, Field::Start | Field::End);
            return Some(&self.named).filter(|named| is_whole && named.mapping.start < named.mapping.end);
        }
        match (self.field, byte) {
            (Field::Start, b'-') => {
                self.named.name.truncate(0);
                self.named.mapping.start = Avma(core::mem::take(&mut self.number));
                self.field = Field::End;
            }
            (Field::End, b' ') => {
                self.named.mapping.end = Avma(core::mem::take(&mut self.number));
                self.field = Field::Permissions;
            }
            (Field::Permissions, b' ') => self.field = Field::Offset,
            (Field::Offset, b' ') => {
                self.named.mapping.offset = core::mem::take(&mut self.number);
                self.field = Field::Skipped(2);
            }
            (Field::Start | Field::End | Field::Offset, digit) => {
                let digit = (digit as char).to_digit(16).unwrap_or(0) as usize;
                self.number = self.number << 4 | digit;
            }
            (Field::Skipped(n), b' ') => {
                self.field = if n > 1 { Field::Skipped(n - 1) } else { Field::Blanks };
            }
            (Field::Permissions | Field::Skipped(_), _) | (Field::Blanks, b' ') => {}
            (Field::Blanks | Field::Name, byte) => {
                self.field = Field::Name;
                if self.named.name().len() < MAX_NAME {
                    // Without memory the name is cut.
                    let _ = self.named.name.push(byte);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn parse(text: &[u8]) -> Vec<(usize, usize, usize, String)> {
        let mut parser = Parser::default();
        let described = |m: &Named| {
            let name = String::from_utf8_lossy(m.name()).into_owned();
            (m.mapping.start.0, m.mapping.end.0, m.mapping.offset, name)
        };
        text.iter().filter_map(|&byte| parser.push(byte).map(described)).collect()
    }

    #[test]
    fn lines_of_the_kernel() {
        let check = |text: &str, expect: &[(usize, usize, usize, &str)]| {
            let expect: Vec<_> = expect.iter().map(|&(s, e, o, n)| (s, e, o, String::from(n))).collect();
            assert_eq!(parse(text.as_bytes()), expect, "{text}");
        };
        check("", &[]);
        check("7f00-8000 r-xp 0001f000 fe:00 1234   /bin/a b\n", &[(0x7f00, 0x8000, 0x1f000, "/bin/a b")]);
        check(
            "1000-2000 rw-p 00000000 00:00 0 \n3000-4000 rw-p 00000000 00:00 0    [heap]\n",
            &[(0x1000, 0x2000, 0, ""), (0x3000, 0x4000, 0, "[heap]")],
        );
        check("1000-2000 rw-p 00000000 00:00 0", &[]);
        check("nonsense\n", &[]);
        check("1000-2000 rw-p 0 0 0 /a\nnonsense\n3000-4000\n", &[(0x1000, 0x2000, 0, "/a")]);
    }

    #[test]
    fn the_kernel_knows_this_very_stack() {
        let local = 0u8;
        let here = Avma::of(&raw const local);
        for named in [named_at(here), find_mapping(|named| named.holds(here))] {
            assert!(named.is_some_and(|named| named.holds(here)));
        }
        assert!(mapping_at(Avma(4096)).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_parsed(text: Vec<u8>) {
            for (start, end, ..) in parse(&text) {
                prop_assert!(start < end);
            }
        }
    }
}
