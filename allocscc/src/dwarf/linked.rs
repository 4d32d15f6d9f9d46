//! A linked ELF file: its debug sections (decompressed), code ranges, symbols and build-id.

use std::borrow::Cow;
use std::ops::Range;

use gimli::{DwarfSections, SectionId};
use object::elf;
use object::read::elf::{ElfFile64, FileHeader};
use object::{
    Architecture, LittleEndian, Object, ObjectKind, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind,
};

use super::error::{Error, Result};

/// A defined symbol of a linked file.
#[derive(Clone, Debug)]
pub struct Symbol<'data> {
    /// Its name, without a version.
    pub name: Cow<'data, str>,
    /// Address in the file.
    pub svma: u64,
    /// Size that the symbol table says; often 0 for labels of assembler sources.
    pub size: u64,
    /// Whether it is code, data, or not said.
    pub kind: SymbolKind,
    /// Whether it is a local symbol.
    pub is_local: bool,
}

impl Symbol<'_> {
    /// Whether the assembler made it up: it is local to an object file, and kept by `-Wa,-L` only.
    #[must_use]
    pub fn is_label(&self) -> bool {
        self.name.starts_with(".L")
    }
}

/// A linked executable or shared object.
pub struct LinkedFile<'data> {
    elf: ElfFile64<'data, LittleEndian>,
    sections: DwarfSections<Cow<'data, [u8]>>,
    code: Vec<Range<u64>>,
}

impl<'data> LinkedFile<'data> {
    /// Reads the headers of a linked x86-64 file and decompresses its debug sections.
    pub fn parse(bytes: &'data [u8]) -> Result<Self> {
        let elf = ElfFile64::<LittleEndian>::parse(bytes).map_err(Error::elf)?;
        if elf.architecture() != Architecture::X86_64 {
            return Err(Error::elf(format_args!(
                "not a file for x86-64 (e_machine {})",
                elf.elf_header().e_machine(elf.endian()).0
            )));
        }
        if !matches!(elf.kind(), ObjectKind::Executable | ObjectKind::Dynamic) {
            return Err(Error::elf(
                "not a linked file: give the executable or shared object, not an object file",
            ));
        }
        let sections = DwarfSections::load(|id| section_data(&elf, id.name()))?;
        let mut code: Vec<Range<u64>> = elf
            .sections()
            .filter(|s| has_flag(s, elf::SHF_EXECINSTR.0) && s.address() != 0)
            .map(|s| s.address()..s.address().saturating_add(s.size()))
            .collect();
        code.sort_by_key(|r| r.start);
        Ok(LinkedFile { elf, sections, code })
    }

    /// The debug sections.
    #[must_use]
    pub fn sections(&self) -> &DwarfSections<Cow<'data, [u8]>> {
        &self.sections
    }

    /// Whether the address lies in code. What the linker threw away has addresses that do not.
    #[must_use]
    pub fn is_code(&self, svma: u64) -> bool {
        let after = self.code.partition_point(|r| r.start <= svma);
        after > 0 && self.code[after - 1].contains(&svma)
    }

    /// The bytes of the `.note.gnu.build-id`; empty if there is none.
    #[must_use]
    pub fn build_id(&self) -> &'data [u8] {
        self.elf.build_id().ok().flatten().unwrap_or(&[])
    }

    /// Section data and address, for call frame information.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<(u64, Cow<'data, [u8]>)> {
        let section = self.elf.section_by_name(name)?;
        Some((section.address(), section.uncompressed_data().ok()?))
    }

    /// What the file holds at an address range; `None` unless all of it is in one section.
    #[must_use]
    pub fn bytes_at(&self, svmas: &Range<u64>) -> Option<&'data [u8]> {
        let size = svmas.end.checked_sub(svmas.start)?;
        self.elf.sections().find_map(|s| s.data_range(svmas.start, size).ok().flatten())
    }

    /// All defined symbols with an address, from `.symtab`, else from `.dynsym`. Thread-local ones are left out: they have
    /// no address.
    #[must_use]
    pub fn symbols(&self) -> Vec<Symbol<'data>> {
        let table: Vec<Symbol<'data>> = self.elf.symbols().filter_map(symbol).collect();
        if table.is_empty() { self.elf.dynamic_symbols().filter_map(symbol).collect() } else { table }
    }
}

fn section_data<'data>(elf: &ElfFile64<'data, LittleEndian>, name: &'static str) -> Result<Cow<'data, [u8]>> {
    match elf.section_by_name(name) {
        Some(section) => section.uncompressed_data().map_err(|e| Error {
            section: name,
            offset: None,
            problem: super::error::Problem::Elf(e.to_string()),
        }),
        None => Ok(Cow::Borrowed(&[])),
    }
}

/// The debug sections of a `.dwo` file, owned.
pub(crate) fn split_sections(bytes: &[u8]) -> Result<DwarfSections<Vec<u8>>> {
    let elf = ElfFile64::<LittleEndian>::parse(bytes).map_err(Error::elf)?;
    DwarfSections::load(|id: SectionId| match id.dwo_name() {
        Some(name) => section_data(&elf, name).map(Cow::into_owned),
        None => Ok(Vec::new()),
    })
}

fn has_flag<'data>(section: &impl ObjectSection<'data>, flag: u64) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & flag != 0)
}

fn symbol<'data>(symbol: impl ObjectSymbol<'data>) -> Option<Symbol<'data>> {
    let kind = symbol.kind();
    let counts = matches!(kind, SymbolKind::Text | SymbolKind::Data | SymbolKind::Unknown);
    if !counts || symbol.is_undefined() || symbol.section_index().is_none() || symbol.address() == 0 {
        return None;
    }
    let name = symbol.name_bytes().ok()?;
    let name = name.split(|&b| b == b'@').next().unwrap_or(name);
    if name.is_empty() {
        return None;
    }
    Some(Symbol {
        name: String::from_utf8_lossy(name),
        svma: symbol.address(),
        size: symbol.size(),
        kind,
        is_local: symbol.is_local(),
    })
}
