//! The header and section table of an x86-64 ELF file, as plain values that can be changed and written again.
//!
//! The names of fields and constants are those of the System V ABI.

use anyhow::{Context, Result, bail, ensure};

/// Size of the file header.
pub const FILE_HEADER_SIZE: usize = 64;
/// Size of an entry of the section header table.
pub const SECTION_HEADER_SIZE: usize = 64;
/// Size of an entry of the program header table.
pub const PROGRAM_HEADER_SIZE: usize = 56;
/// Size of an entry of a symbol table.
pub const SYMBOL_SIZE: usize = 24;

/// Section indices from here on are reserved; a file with more sections numbers them elsewhere.
pub const SHN_LORESERVE: u32 = 0xff00;
/// The section index is in the `SHT_SYMTAB_SHNDX` section, or in section 0.
pub const SHN_XINDEX: u16 = 0xffff;

/// Section with contents of the program's own.
pub const SHT_PROGBITS: u32 = 1;
/// Symbol table.
pub const SHT_SYMTAB: u32 = 2;
/// String table.
pub const SHT_STRTAB: u32 = 3;
/// Relocations with addends.
pub const SHT_RELA: u32 = 4;
/// Section without bytes in the file.
pub const SHT_NOBITS: u32 = 8;
/// Relocations without addends.
pub const SHT_REL: u32 = 9;
/// Section group (COMDAT).
pub const SHT_GROUP: u32 = 17;
/// Section indices of symbols that do not fit `st_shndx`.
pub const SHT_SYMTAB_SHNDX: u32 = 18;

/// The section occupies memory at run time.
pub const SHF_ALLOC: u64 = 1 << 1;
/// `sh_info` holds a section index.
pub const SHF_INFO_LINK: u64 = 1 << 6;
/// The section's bytes are compressed, behind an `Elf64_Chdr`.
pub const SHF_COMPRESSED: u64 = 1 << 11;

/// What kind of file the header says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// `ET_REL`: output of a compiler, or of `ld -r`.
    Object,
    /// `ET_EXEC` or `ET_DYN`: output of a final link.
    Linked,
}

/// Position of a section in the section header table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SectionIndex(pub u32);

/// One entry of the section header table, with its name resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section<'d> {
    /// Name, without its NUL.
    pub name: &'d [u8],
    /// `sh_name`, an offset into the section name table.
    pub sh_name: u32,
    /// `sh_type`.
    pub sh_type: u32,
    /// `sh_flags`.
    pub sh_flags: u64,
    /// `sh_addr`.
    pub sh_addr: u64,
    /// `sh_offset`.
    pub sh_offset: u64,
    /// `sh_size`.
    pub sh_size: u64,
    /// `sh_link`.
    pub sh_link: u32,
    /// `sh_info`.
    pub sh_info: u32,
    /// `sh_addralign`.
    pub sh_addralign: u64,
    /// `sh_entsize`.
    pub sh_entsize: u64,
}

impl<'d> Section<'d> {
    /// Whether the section is part of the memory image.
    pub fn is_alloc(&self) -> bool {
        self.sh_flags & SHF_ALLOC != 0
    }

    /// The section's bytes in `file`; empty for a section that has none.
    pub fn bytes<'f>(&self, file: &'f [u8]) -> Result<&'f [u8]> {
        if self.sh_type == SHT_NOBITS {
            return Ok(&[]);
        }
        slice(file, self.sh_offset, self.sh_size)
            .with_context(|| format!("section {} lies outside the file", self.name.escape_ascii()))
    }

    /// Appends the entry as it stands in the section header table.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.sh_name.to_le_bytes());
        out.extend(self.sh_type.to_le_bytes());
        out.extend(self.sh_flags.to_le_bytes());
        out.extend(self.sh_addr.to_le_bytes());
        out.extend(self.sh_offset.to_le_bytes());
        out.extend(self.sh_size.to_le_bytes());
        out.extend(self.sh_link.to_le_bytes());
        out.extend(self.sh_info.to_le_bytes());
        out.extend(self.sh_addralign.to_le_bytes());
        out.extend(self.sh_entsize.to_le_bytes());
    }
}

/// An x86-64 ELF file whose section table is well-formed.
#[derive(Debug)]
pub struct Elf<'d> {
    /// The whole file.
    pub file: &'d [u8],
    /// What kind of file it is.
    pub kind: FileKind,
    /// The section header table; entry 0 is the reserved one.
    pub sections: Vec<Section<'d>>,
    /// The section that holds the names of sections.
    pub names: SectionIndex,
}

impl<'d> Elf<'d> {
    /// Reads the section table. `None` says that the file is none of ours to look at: a script, bitcode, an archive, or ELF of
    /// another machine, class, byte order or kind, or without sections.
    pub fn parse(file: &'d [u8]) -> Result<Option<Elf<'d>>> {
        let Some(kind) = kind(file) else { return Ok(None) };
        let shoff = u64_at(file, 40)?;
        if shoff == 0 {
            return Ok(None);
        }
        ensure!(
            usize::from(u16_at(file, 58)?) == SECTION_HEADER_SIZE,
            "section headers are not of {SECTION_HEADER_SIZE} bytes"
        );
        let mut count = u32::from(u16_at(file, 60)?);
        let mut names = u32::from(u16_at(file, 62)?);
        let first = slice(file, shoff, SECTION_HEADER_SIZE as u64).context("no section header table")?;
        if count == 0 {
            count = u32::try_from(u64_at(first, 32)?).context("number of sections")?;
        }
        if names == u32::from(SHN_XINDEX) {
            names = u32_at(first, 40)?;
        }
        let table = slice(file, shoff, u64::from(count) * SECTION_HEADER_SIZE as u64)
            .context("the section header table lies outside the file")?;
        let mut sections =
            table.chunks_exact(SECTION_HEADER_SIZE).map(section).collect::<Result<Vec<_>>>()?;
        let strings = sections
            .get(names as usize)
            .with_context(|| format!("e_shstrndx {names} is not a section"))?
            .bytes(file)?;
        for section in &mut sections {
            section.name = string(strings, section.sh_name)?;
        }
        Ok(Some(Elf { file, kind, sections, names: SectionIndex(names) }))
    }

    /// The sections with this name, in file order.
    pub fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Section<'d>> {
        self.sections.iter().filter(move |section| section.name == name.as_bytes())
    }

    /// End of the bytes that the program headers or a section in memory refer to. What lies behind may be laid out anew.
    pub fn end_of_image(&self) -> Result<u64> {
        let phoff = u64_at(self.file, 32)?;
        let phnum = u64::from(u16_at(self.file, 56)?);
        ensure!(phnum != 0xffff, "more program headers than the file header can count");
        let table = slice(self.file, phoff, phnum * PROGRAM_HEADER_SIZE as u64)
            .context("the program header table lies outside the file")?;
        let mut end = (FILE_HEADER_SIZE as u64).max(phoff + table.len() as u64);
        for header in table.chunks_exact(PROGRAM_HEADER_SIZE) {
            end = end.max(u64_at(header, 8)?.saturating_add(u64_at(header, 32)?));
        }
        for section in self.sections.iter().filter(|s| s.is_alloc() && s.sh_type != SHT_NOBITS) {
            end = end.max(section.sh_offset.saturating_add(section.sh_size));
        }
        if end > self.file.len() as u64 {
            bail!("a segment lies outside the file");
        }
        Ok(end)
    }
}

/// Sets bits of `e_flags` in the header of a file.
pub fn set_flags(file: &mut [u8], flags: u32) {
    const E_FLAGS: usize = 48;
    if let Some(word) = file.get_mut(E_FLAGS..).and_then(|rest| rest.first_chunk_mut()) {
        *word = (u32::from_le_bytes(*word) | flags).to_le_bytes();
    }
}

fn kind(file: &[u8]) -> Option<FileKind> {
    const CLASS_64_LITTLE_ENDIAN: &[u8] = b"\x7fELF\x02\x01\x01";
    const EM_X86_64: u16 = 62;
    if !file.starts_with(CLASS_64_LITTLE_ENDIAN) || u16_at(file, 18).ok()? != EM_X86_64 {
        return None;
    }
    match u16_at(file, 16).ok()? {
        1 => Some(FileKind::Object),
        2 | 3 => Some(FileKind::Linked),
        _ => None,
    }
}

fn section(header: &[u8]) -> Result<Section<'static>> {
    Ok(Section {
        name: b"",
        sh_name: u32_at(header, 0)?,
        sh_type: u32_at(header, 4)?,
        sh_flags: u64_at(header, 8)?,
        sh_addr: u64_at(header, 16)?,
        sh_offset: u64_at(header, 24)?,
        sh_size: u64_at(header, 32)?,
        sh_link: u32_at(header, 40)?,
        sh_info: u32_at(header, 44)?,
        sh_addralign: u64_at(header, 48)?,
        sh_entsize: u64_at(header, 56)?,
    })
}

fn string(strings: &[u8], offset: u32) -> Result<&[u8]> {
    if offset == 0 && strings.is_empty() {
        return Ok(b"");
    }
    let rest = strings.get(offset as usize..).context("a section's name lies outside the name table")?;
    let end = rest.iter().position(|&byte| byte == 0).context("a section's name has no end")?;
    Ok(&rest[..end])
}

/// `size` bytes at `offset`, if the file has them.
pub fn slice(file: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    file.get(start..start.checked_add(usize::try_from(size).ok()?)?)
}

/// The little-endian 16-bit number at `offset`.
pub fn u16_at(bytes: &[u8], offset: usize) -> Result<u16> {
    Ok(u16::from_le_bytes(array_at(bytes, offset)?))
}

/// The little-endian 32-bit number at `offset`.
pub fn u32_at(bytes: &[u8], offset: usize) -> Result<u32> {
    Ok(u32::from_le_bytes(array_at(bytes, offset)?))
}

/// The little-endian 64-bit number at `offset`.
pub fn u64_at(bytes: &[u8], offset: usize) -> Result<u64> {
    Ok(u64::from_le_bytes(array_at(bytes, offset)?))
}

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Result<[u8; N]> {
    bytes.get(offset..).and_then(|rest| rest.first_chunk()).copied().context("the file ends too early")
}
