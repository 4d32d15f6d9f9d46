//! The objects for types: a member of an archive for each type, under all symbols that mean it, and one that tells the library.
//!
//! A base type's object says all that it is, so that it is right without the library, too. Any other type's is zero, which reads as
//! `void`, until the library fills it: what it is may stand in any of the files that are linked.

use std::collections::{BTreeMap, BTreeSet};

use allocs_metadata::Kind;
use allocs_metadata::c_names::{Base, Derived};
use allocs_metadata::link_time::{
    HEAD_SIZE, LOADED_FUNCTION, NOTE_NAME, NOTE_SECTION, NOTE_TYPE, ROOM_OF_NAMED, SYMBOL_PREFIX, decoded,
    room,
};

use crate::image::elf::{SHF_ALLOC, SHT_NOBITS, SHT_PROGBITS};
use crate::image::object_file::{
    Binding, NewSection, NewSymbol, ObjectFile, R_X86_64_64, R_X86_64_GOTPCREL, R_X86_64_PC32, Relocation,
    SHF_EXECINSTR, SHF_WRITE, SHT_INIT_ARRAY, SHT_NOTE, Target,
};

/// Brings the member that tells the library into every file that has an object for a type.
const TELLS_LIBRARY: &str = "__allocs_tells_of_uniqtypes";

/// What C's compilers call base types in debug information, and C's standard.
const SPELLINGS: [&str; 31] = [
    "_Bool",
    "bool",
    "char",
    "signed char",
    "unsigned char",
    "short",
    "short int",
    "unsigned short",
    "short unsigned int",
    "unsigned short int",
    "int",
    "unsigned",
    "unsigned int",
    "long",
    "long int",
    "unsigned long",
    "long unsigned int",
    "unsigned long int",
    "long long",
    "long long int",
    "unsigned long long",
    "long long unsigned int",
    "unsigned long long int",
    "__int128",
    "__int128 unsigned",
    "unsigned __int128",
    "float",
    "double",
    "long double",
    "signed int",
    "signed",
];

/// The members for these symbols.
pub(super) fn members(symbols: &BTreeSet<String>) -> Vec<ObjectFile> {
    let mut types: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for symbol in symbols {
        let Some(name) = canonical_of_symbol(symbol) else { continue };
        let complement = Base::named(name.as_bytes()).and_then(Base::complement).and_then(Base::name);
        if let Some(complement) = complement {
            types.entry(complement.to_owned()).or_default();
        }
        types.entry(name).or_default().insert(symbol);
    }
    let mut members: Vec<ObjectFile> = types.iter().map(|(name, symbols)| member(name, symbols)).collect();
    members.push(teller());
    members
}

/// The name of a symbol's type, the same for all symbols of a type.
pub fn canonical_of_symbol(symbol: &str) -> Option<String> {
    let name: Vec<u8> = decoded(symbol.as_bytes())?.collect::<Option<_>>()?;
    canonical(&String::from_utf8(name).ok()?)
}

/// Whether C has the type without anything that says so.
pub fn is_of_c(name: &str) -> bool {
    name == "void" || Base::named(name.as_bytes()).is_some()
}

fn canonical(name: &str) -> Option<String> {
    let bytes = name.as_bytes();
    if let Some(base) =
        Base::named(bytes).or_else(|| Base::spelled(bytes, b' ')).or_else(|| Base::spelled(bytes, b'_'))
    {
        return base.name().map(str::to_owned);
    }
    let inner = |of: &[u8]| str::from_utf8(of).ok().and_then(canonical);
    match Derived::of_name(bytes) {
        Some(Derived::Pointer(of)) => Some(format!("__PTR_{}", inner(of)?)),
        Some(Derived::Array(length, of)) => {
            let length = match length {
                None => "0".to_owned(),
                Some(0) => "Z".to_owned(),
                Some(n) => n.to_string(),
            };
            Some(format!("__ARR{length}_{}", inner(of)?))
        }
        None => (!name.is_empty() && name.is_ascii()).then(|| name.to_owned()),
    }
}

/// The symbol of a type's name.
fn symbol_of(name: &str) -> String {
    let mut symbol = SYMBOL_PREFIX.to_owned();
    for byte in name.bytes() {
        match byte {
            b'$' => symbol.push_str("$$"),
            b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => symbol.push(char::from(byte)),
            _ => symbol.push_str(&format!("${byte:02x}")),
        }
    }
    symbol
}

/// All symbols under which others may look for a base type.
fn aliases(base: Base) -> BTreeSet<String> {
    let spelled = SPELLINGS.iter().filter(|words| Base::spelled(words.as_bytes(), b' ') == Some(base));
    spelled.flat_map(|words| [symbol_of(words), symbol_of(&words.replace(' ', "_"))]).collect()
}

fn member(name: &str, symbols: &BTreeSet<&str>) -> ObjectFile {
    let base = Base::named(name.as_bytes());
    let own = symbol_of(name);
    let size = match (base, Derived::of_name(name.as_bytes())) {
        (Some(_), _) | (_, Some(Derived::Array(..))) => room(1),
        (_, Some(Derived::Pointer(_))) => room(2),
        _ if name == "void" => room(0),
        _ => ROOM_OF_NAMED,
    };
    let size = size as u64;
    let symbol =
        |name: String, binding, definition| NewSymbol { name, binding, is_hidden: false, definition };
    let mut names: BTreeSet<String> = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
    names.extend(base.into_iter().flat_map(aliases));
    names.remove(&own);
    let mut file = ObjectFile::default();
    file.symbols.push(symbol(own.clone(), Binding::Global, Some((0, size))));
    // The link editor takes a weak symbol at the same address along with the other one when it copies a library's object.
    file.symbols.extend(names.into_iter().map(|name| symbol(name, Binding::Weak, Some((0, size)))));
    file.symbols.push(NewSymbol { is_hidden: true, ..symbol(TELLS_LIBRARY.into(), Binding::Global, None) });
    let object = NewSection { flags: SHF_ALLOC | SHF_WRITE, align: 8, ..NewSection::default() };
    file.sections.push(match base {
        Some(base) => {
            NewSection { name: ".data", kind: SHT_PROGBITS, bytes: base_type(base, size as usize), ..object }
        }
        None => NewSection { name: ".bss", kind: SHT_NOBITS, size, ..object },
    });
    if let Some(complement) = base.and_then(Base::complement).and_then(Base::name) {
        let target = Target::Symbol(file.symbols.len());
        file.symbols.push(symbol(symbol_of(complement), Binding::Global, None));
        let relocation = Relocation { offset: HEAD_SIZE as u64, kind: R_X86_64_64, target, addend: 0 };
        file.sections[0].relocations.push(relocation);
    }
    file.sections.push(note(&own, size as u32));
    file.sections.extend(marks());
    file
}

/// `struct uniqtype` of a base type.
fn base_type(base: Base, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    bytes[8..12].copy_from_slice(&base.size.to_le_bytes());
    let word = Kind::Base as u32 | u32::from(base.encoding) << 4;
    bytes[12..16].copy_from_slice(&word.to_le_bytes());
    bytes
}

/// The note that leads to the object, which is at the start of the first section.
fn note(symbol: &str, room: u32) -> NewSection {
    let mut text = symbol.as_bytes().to_vec();
    text.resize((text.len() + 1).next_multiple_of(4), 0);
    let mut bytes = Vec::new();
    for word in [NOTE_NAME.len() as u32, 8 + text.len() as u32, NOTE_TYPE] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(NOTE_NAME);
    let offset = bytes.len() as u64;
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(room.to_le_bytes());
    bytes.extend(text);
    NewSection {
        name: NOTE_SECTION,
        kind: SHT_NOTE,
        flags: SHF_ALLOC,
        align: 4,
        bytes,
        size: 0,
        relocations: vec![Relocation { offset, kind: R_X86_64_PC32, target: Target::Section(0), addend: 0 }],
    }
}

/// What says that the file needs no executable stack, and that it is fit for control-flow enforcement: the output is if all inputs are.
fn marks() -> [NewSection; 2] {
    const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
    const GNU_PROPERTY_X86_FEATURE_1_AND: u32 = 0xc000_0002;
    const IBT_AND_SHSTK: u32 = 3;
    let name = u32::from_le_bytes(*b"GNU\0");
    let words = [4, 16, NT_GNU_PROPERTY_TYPE_0, name, GNU_PROPERTY_X86_FEATURE_1_AND, 4, IBT_AND_SHSTK, 0];
    let bytes = words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    [
        NewSection { name: ".note.GNU-stack", kind: SHT_PROGBITS, align: 1, ..NewSection::default() },
        NewSection {
            name: ".note.gnu.property",
            kind: SHT_NOTE,
            flags: SHF_ALLOC,
            align: 8,
            bytes,
            ..NewSection::default()
        },
    ]
}

/// Calls the library, where it is loaded, before the file's own constructors.
fn teller() -> ObjectFile {
    let code = [
        &[0xf3, 0x0f, 0x1e, 0xfa][..],                     // endbr64
        &[0x48, 0x8d, 0x3d, 0xf5, 0xff, 0xff, 0xff],       // lea start(%rip), %rdi
        &[0x48, 0x8b, 0x05, 0, 0, 0, 0],                   // movq LOADED_FUNCTION@GOTPCREL(%rip), %rax
        &[0x48, 0x85, 0xc0, 0x74, 0x02, 0xff, 0xe0, 0xc3], // testq %rax, %rax; jz 1f; jmp *%rax; 1: ret
    ]
    .concat();
    let text = NewSection {
        name: ".text",
        kind: SHT_PROGBITS,
        flags: SHF_ALLOC | SHF_EXECINSTR,
        align: 16,
        bytes: code,
        size: 0,
        relocations: vec![Relocation {
            offset: 14,
            kind: R_X86_64_GOTPCREL,
            target: Target::Symbol(1),
            addend: -4,
        }],
    };
    let constructors = NewSection {
        name: ".init_array.00000",
        kind: SHT_INIT_ARRAY,
        flags: SHF_ALLOC | SHF_WRITE,
        align: 8,
        bytes: vec![0; 8],
        size: 0,
        relocations: vec![Relocation { offset: 0, kind: R_X86_64_64, target: Target::Section(0), addend: 0 }],
    };
    let symbol = |name: &str, binding, is_hidden, definition| NewSymbol {
        name: name.into(),
        binding,
        is_hidden,
        definition,
    };
    ObjectFile {
        sections: [text, constructors].into_iter().chain(marks()).collect(),
        symbols: vec![
            symbol(TELLS_LIBRARY, Binding::Global, true, Some((0, 0))),
            symbol(LOADED_FUNCTION, Binding::Weak, false, None),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_symbols_of_a_type_have_one_name() {
        let check = |symbol: &str, expected: Option<&str>| {
            assert_eq!(canonical_of_symbol(symbol).as_deref(), expected, "{symbol}");
        };
        for symbol in ["int", "int$$32", "signed$20int", "signed"] {
            check(&format!("__uniqtype__{symbol}"), Some("int$32"));
        }
        check("__uniqtype____PTR___ARR_short$20int", Some("__PTR___ARR0_int$16"));
        check("__uniqtype____ARR12___ARRZ_point", Some("__ARR12___ARRZ_point"));
        check("__uniqtype__point", Some("point"));
        for wrong in ["__uniqtype__", "__uniqtype__a$", "__uniqtype____PTR_", "uniqtype"] {
            check(wrong, None);
        }
        for spelling in SPELLINGS {
            assert!(Base::spelled(spelling.as_bytes(), b' ').is_some(), "{spelling}");
        }
        assert_eq!(symbol_of("int$32"), "__uniqtype__int$$32");
        assert_eq!(symbol_of("long int"), "__uniqtype__long$20int");
    }

    #[test]
    fn a_base_type_brings_its_other_signedness_and_its_aliases() {
        let members = members(&BTreeSet::from(["__uniqtype__short".to_owned()]));
        let defined = |member: &ObjectFile| -> Vec<String> {
            member.symbols.iter().filter(|s| s.definition.is_some()).map(|s| s.name.clone()).collect()
        };
        assert_eq!(members.len(), 3);
        let short = defined(&members[0]);
        assert_eq!(short[0], "__uniqtype__int$$16");
        for alias in ["short", "short$20int", "short_int"] {
            assert!(short.contains(&format!("__uniqtype__{alias}")), "{short:?}");
        }
        assert_eq!(defined(&members[1])[0], "__uniqtype__uint$$16");
        assert_eq!(defined(&members[2]), [TELLS_LIBRARY]);
    }
}
