//! Writes a small relocatable x86-64 ELF file, and an archive of such files.

use super::elf::{SHT_NOBITS, SHT_RELA, SHT_STRTAB, SHT_SYMTAB, SYMBOL_SIZE, Section};

/// `SHT_NOTE`.
pub const SHT_NOTE: u32 = 7;
/// `SHT_INIT_ARRAY`.
pub const SHT_INIT_ARRAY: u32 = 14;
/// `SHF_WRITE`.
pub const SHF_WRITE: u64 = 1;
/// `SHF_EXECINSTR`.
pub const SHF_EXECINSTR: u64 = 4;
const SHF_INFO_LINK: u64 = 0x40;

/// `R_X86_64_64`.
pub const R_X86_64_64: u32 = 1;
/// `R_X86_64_PC32`.
pub const R_X86_64_PC32: u32 = 2;
/// `R_X86_64_GOTPCREL`.
pub const R_X86_64_GOTPCREL: u32 = 9;

/// An object file that is being put together.
#[derive(Clone, Debug, Default)]
pub struct ObjectFile {
    /// Its sections, in order.
    pub sections: Vec<NewSection>,
    /// Its symbols, those of its sections apart.
    pub symbols: Vec<NewSymbol>,
}

/// A section.
#[derive(Clone, Debug, Default)]
pub struct NewSection {
    /// Name.
    pub name: &'static str,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_addralign`.
    pub align: u64,
    /// Its bytes; of `SHT_NOBITS` none.
    pub bytes: Vec<u8>,
    /// Its size where it has no bytes.
    pub size: u64,
    /// What the link editor fills in.
    pub relocations: Vec<Relocation>,
}

/// A place that the link editor fills in.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// Offset in the section.
    pub offset: u64,
    /// `R_X86_64_…`.
    pub kind: u32,
    /// What it refers to.
    pub target: Target,
    /// What is added.
    pub addend: i64,
}

/// What a relocation refers to.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The start of a section, by its position in [`ObjectFile::sections`].
    Section(usize),
    /// A symbol, by its position in [`ObjectFile::symbols`].
    Symbol(usize),
}

/// A symbol that other files see.
#[derive(Clone, Debug)]
pub struct NewSymbol {
    /// Name.
    pub name: String,
    /// How the link editor binds it.
    pub binding: Binding,
    /// Whether other loaded files do not see it.
    pub is_hidden: bool,
    /// The section at whose start it is, by its position, and its size; `None` for one that another file defines.
    pub definition: Option<(usize, u64)>,
}

/// How the link editor binds a symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Binding {
    /// `STB_GLOBAL`.
    Global = 1,
    /// `STB_WEAK`.
    Weak = 2,
}

/// Bytes with a table of strings in them.
struct Strings(Vec<u8>);

impl Strings {
    fn add(&mut self, text: &str) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend(text.as_bytes());
        self.0.push(0);
        at
    }
}

impl ObjectFile {
    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut names = Strings(vec![0]);
        let mut file = vec![0; 64];
        let mut table = vec![section(b"", 0, 0)];
        for new in &self.sections {
            let offset = push(&mut file, &new.bytes, new.align);
            let sh_size = if new.kind == SHT_NOBITS { new.size } else { new.bytes.len() as u64 };
            table.push(Section {
                sh_name: names.add(new.name),
                sh_flags: new.flags,
                sh_offset: offset,
                sh_size,
                sh_addralign: new.align,
                ..section(b"", new.kind, 0)
            });
        }
        let symbol_table = table.len() as u32;
        let mut strings = Strings(vec![0]);
        let symbols = self.symbol_table(&mut strings);
        let sh_offset = push(&mut file, &symbols, 8);
        table.push(Section {
            sh_name: names.add(".symtab"),
            sh_offset,
            sh_size: symbols.len() as u64,
            sh_link: symbol_table + 1,
            sh_info: self.first_global() as u32,
            sh_addralign: 8,
            ..section(b"", SHT_SYMTAB, SYMBOL_SIZE as u64)
        });
        let sh_offset = push(&mut file, &strings.0, 1);
        let sh_size = strings.0.len() as u64;
        table.push(Section {
            sh_name: names.add(".strtab"),
            sh_offset,
            sh_size,
            ..section(b"", SHT_STRTAB, 0)
        });
        for (index, new) in self.sections.iter().enumerate().filter(|(_, new)| !new.relocations.is_empty()) {
            let bytes: Vec<u8> = new.relocations.iter().flat_map(|one| self.relocation(one)).collect();
            let sh_offset = push(&mut file, &bytes, 8);
            table.push(Section {
                sh_name: names.add(&format!(".rela{}", new.name)),
                sh_flags: SHF_INFO_LINK,
                sh_offset,
                sh_size: bytes.len() as u64,
                sh_link: symbol_table,
                sh_info: index as u32 + 1,
                sh_addralign: 8,
                ..section(b"", SHT_RELA, 24)
            });
        }
        let sh_name = names.add(".shstrtab");
        let sh_offset = push(&mut file, &names.0, 1);
        table.push(Section {
            sh_name,
            sh_offset,
            sh_size: names.0.len() as u64,
            ..section(b"", SHT_STRTAB, 0)
        });
        let sections: Vec<u8> = table.iter().fold(Vec::new(), |mut bytes, section| {
            section.write(&mut bytes);
            bytes
        });
        let offset = push(&mut file, &sections, 8);
        write_header(&mut file, offset, table.len() as u16);
        file
    }

    fn first_global(&self) -> usize {
        1 + self.sections.len()
    }

    fn symbol_table(&self, strings: &mut Strings) -> Vec<u8> {
        const STT_OBJECT: u8 = 1;
        const STT_SECTION: u8 = 3;
        const STV_HIDDEN: u8 = 2;
        let mut table = vec![0; SYMBOL_SIZE];
        let mut add = |name: u32, info: u8, other: u8, section: usize, size: u64| {
            table.extend(name.to_le_bytes());
            table.extend([info, other]);
            table.extend((section as u16).to_le_bytes());
            table.extend(0u64.to_le_bytes());
            table.extend(size.to_le_bytes());
        };
        for index in 0..self.sections.len() {
            add(0, STT_SECTION, 0, index + 1, 0);
        }
        for symbol in &self.symbols {
            let kind = if symbol.definition.is_some() { STT_OBJECT } else { 0 };
            let visibility = if symbol.is_hidden { STV_HIDDEN } else { 0 };
            let (section, size) = symbol.definition.map_or((0, 0), |(section, size)| (section + 1, size));
            add(strings.add(&symbol.name), (symbol.binding as u8) << 4 | kind, visibility, section, size);
        }
        table
    }

    fn relocation(&self, relocation: &Relocation) -> [u8; 24] {
        let symbol = match relocation.target {
            Target::Section(index) => 1 + index,
            Target::Symbol(index) => self.first_global() + index,
        };
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&relocation.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&((symbol as u64) << 32 | u64::from(relocation.kind)).to_le_bytes());
        bytes[16..].copy_from_slice(&relocation.addend.to_le_bytes());
        bytes
    }
}

fn section(name: &[u8], sh_type: u32, sh_entsize: u64) -> Section<'_> {
    Section {
        name,
        sh_name: 0,
        sh_type,
        sh_flags: 0,
        sh_addr: 0,
        sh_offset: 0,
        sh_size: 0,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: u64::from(sh_type != 0),
        sh_entsize,
    }
}

/// Adds bytes at a multiple of `align`, and says where they are.
fn push(file: &mut Vec<u8>, bytes: &[u8], align: u64) -> u64 {
    file.resize(file.len().next_multiple_of(align.max(1) as usize), 0);
    let at = file.len() as u64;
    file.extend(bytes);
    at
}

fn write_header(file: &mut [u8], sections: u64, count: u16) {
    const ET_REL: u16 = 1;
    const EM_X86_64: u16 = 62;
    file[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    file[16..18].copy_from_slice(&ET_REL.to_le_bytes());
    file[18..20].copy_from_slice(&EM_X86_64.to_le_bytes());
    file[20] = 1;
    file[40..48].copy_from_slice(&sections.to_le_bytes());
    file[52] = 64;
    file[58] = 64;
    file[60..62].copy_from_slice(&count.to_le_bytes());
    file[62..64].copy_from_slice(&(count - 1).to_le_bytes());
}

/// An archive of these files, with the table by which the link editor finds the one that defines a symbol.
pub fn archive(members: &[ObjectFile]) -> Vec<u8> {
    const MAGIC: &[u8] = b"!<arch>\n";
    const HEADER_SIZE: usize = 60;
    let defined = |member: &ObjectFile| {
        member.symbols.iter().filter(|s| s.definition.is_some()).map(|s| s.name.clone()).collect()
    };
    let names: Vec<Vec<String>> = members.iter().map(defined).collect();
    let files: Vec<Vec<u8>> = members.iter().map(ObjectFile::bytes).collect();
    let count: usize = names.iter().map(Vec::len).sum();
    let text: usize = names.iter().flatten().map(|name| name.len() + 1).sum();
    let mut at = MAGIC.len() + HEADER_SIZE + (4 + 4 * count + text).next_multiple_of(2);
    let mut table = (count as u32).to_be_bytes().to_vec();
    for (file, names) in files.iter().zip(&names) {
        names.iter().for_each(|_| table.extend((at as u32).to_be_bytes()));
        at += HEADER_SIZE + file.len().next_multiple_of(2);
    }
    for name in names.iter().flatten() {
        table.extend(name.as_bytes());
        table.push(0);
    }
    let mut archive = MAGIC.to_vec();
    let mut add = |name: &str, bytes: &[u8]| {
        let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, bytes.len());
        archive.extend(header.as_bytes());
        archive.extend(bytes);
        archive.resize(archive.len().next_multiple_of(2), b'\n');
    };
    add("/", &table);
    for (index, file) in files.iter().enumerate() {
        add(&format!("{index}.o/"), file);
    }
    archive
}

#[cfg(test)]
mod tests {
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

    use super::*;
    use crate::image::elf::{SHF_ALLOC, SHT_PROGBITS};

    #[test]
    fn what_is_written_is_read_back() {
        let member = |name: &str| ObjectFile {
            sections: vec![
                NewSection {
                    name: ".data",
                    kind: SHT_PROGBITS,
                    flags: SHF_ALLOC,
                    align: 8,
                    bytes: vec![7; 9],
                    ..NewSection::default()
                },
                NewSection {
                    name: ".text",
                    kind: SHT_PROGBITS,
                    flags: SHF_ALLOC,
                    align: 1,
                    bytes: vec![1; 8],
                    relocations: vec![Relocation {
                        offset: 0,
                        kind: R_X86_64_64,
                        target: Target::Symbol(1),
                        addend: 5,
                    }],
                    ..NewSection::default()
                },
            ],
            symbols: vec![
                NewSymbol {
                    name: name.into(),
                    binding: Binding::Weak,
                    is_hidden: false,
                    definition: Some((0, 9)),
                },
                NewSymbol {
                    name: "other".into(),
                    binding: Binding::Global,
                    is_hidden: true,
                    definition: None,
                },
            ],
        };
        let bytes = archive(&[member("a"), member("bcd")]);
        let archive = object::read::archive::ArchiveFile::parse(&*bytes).unwrap();
        let symbols: Vec<_> =
            archive.symbols().unwrap().unwrap().map(|s| s.unwrap().name().to_vec()).collect();
        assert_eq!(symbols, [b"a".to_vec(), b"bcd".to_vec()]);
        let second = archive.members().nth(1).unwrap().unwrap();
        let file = object::File::parse(second.data(&*bytes).unwrap()).unwrap();
        let symbol = file.symbol_by_name("bcd").unwrap();
        assert!(symbol.is_weak() && symbol.size() == 9);
        assert!(file.symbol_by_name("other").unwrap().is_undefined());
        assert_eq!(file.section_by_name(".data").unwrap().data().unwrap(), [7; 9]);
        let (offset, relocation) = file.section_by_name(".text").unwrap().relocations().next().unwrap();
        assert_eq!((offset, relocation.addend()), (0, 5));
    }
}
