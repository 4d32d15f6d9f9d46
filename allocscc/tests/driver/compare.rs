//! What must be equal in two ELF files: code, data, relocations, symbols; everything but debug info and metadata.

use object::read::elf::ElfFile64;
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags, SymbolKind, elf::SHF_ALLOC,
};

/// The parts of an object file that end up in memory, relocations included, one line a fact.
pub(crate) fn image_of_object(file: &[u8]) -> Vec<String> {
    let object = parse(file);
    let mut lines = Vec::new();
    for section in object.sections().filter(is_alloc).filter(|section| !is_build_id(section)) {
        lines.push(describe(&section));
        for (offset, relocation) in section.relocations() {
            let target = match relocation.target() {
                RelocationTarget::Symbol(index) => {
                    let symbol = object.symbol_by_index(index).unwrap();
                    let section = symbol.section_index().map(|index| object.section_by_index(index).unwrap());
                    let section = section.map(|section| section.name().unwrap().to_string());
                    format!("{}@{}+{}", symbol.name().unwrap(), section.unwrap_or_default(), symbol.address())
                }
                target => format!("{target:?}"),
            };
            lines.push(format!("  {offset:#x} {:?} {target} {:+}", relocation.flags(), relocation.addend()));
        }
    }
    lines
}

/// The same for a linked file, with its symbols and the names of all sections that hold no metadata.
pub(crate) fn image_of_linked_file(file: &[u8]) -> Vec<String> {
    let object = parse(file);
    let mut lines: Vec<String> = object
        .sections()
        .map(|section| match is_alloc(&section) && !is_build_id(&section) {
            true => describe(&section),
            false => section.name().unwrap().to_string(),
        })
        .filter(|line| !line.starts_with(".allocs"))
        .collect();
    for symbol in object.symbols().filter(|symbol| symbol.kind() != SymbolKind::Section) {
        let section = symbol.section_index().map(|index| object.section_by_index(index).unwrap());
        let section = section.map(|section| section.name().unwrap().to_string());
        lines.push(format!(
            "{} {:#x} {} {:?} {:?}",
            symbol.name().unwrap(),
            symbol.address(),
            symbol.size(),
            symbol.kind(),
            section
        ));
    }
    lines
}

/// Names of the sections that hold debug info.
pub(crate) fn debug_sections(file: &[u8]) -> Vec<String> {
    let names = parse(file).sections().map(|section| section.name().unwrap().to_string()).collect::<Vec<_>>();
    names.into_iter().filter(|name| name.contains("debug_")).collect()
}

/// Contents of a section.
pub(crate) fn section(file: &[u8], name: &str) -> Option<Vec<u8>> {
    Some(parse(file).section_by_name(name)?.data().unwrap().to_vec())
}

/// What kind of file it is.
pub(crate) fn is_object(file: &[u8]) -> bool {
    parse(file).kind() == object::ObjectKind::Relocatable
}

fn parse(file: &[u8]) -> ElfFile64<'_, object::LittleEndian> {
    ElfFile64::parse(file).unwrap()
}

fn is_alloc<'d>(section: &impl ObjectSection<'d>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(SHF_ALLOC))
}

/// It is a digest of the whole file, debug info included.
fn is_build_id<'d>(section: &impl ObjectSection<'d>) -> bool {
    section.name() == Ok(".note.gnu.build-id")
}

fn describe<'d>(section: &impl ObjectSection<'d>) -> String {
    let bytes = section.data().unwrap();
    let digest = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let name = section.name().unwrap();
    format!("{name} {:#x} {} {digest:016x} {:?}", section.address(), section.size(), section.flags())
}
