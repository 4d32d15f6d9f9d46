//! DIE trees written as text, assembled to files.
//!
//! A line is a DIE: `[label:] tag attribute=value …`, nested by indentation of two spaces, the units without any. A value is a
//! number (`4`, `-1`), a form and a number (`data4:7`, `addr:0x1000`), a reference (`&label`), an expression in hexadecimal (`expr:2308`),
//! `flag`, or a string. `decl_file=here` is the file `tree.c`. An attribute without a name is given as its code (`0x3e0d`).
#![allow(dead_code, unreachable_pub)] // each test file uses a part of it

pub mod elf;

use std::collections::HashMap;

use gimli::write::{
    Address, AttributeValue, DebugInfoRef, Dwarf, EndianVec, Expression, FileId, LineProgram, LineString,
    Sections, Unit, UnitEntryId, UnitId,
};
use gimli::{DwAt, DwTag, Encoding, Format, LineEncoding, LittleEndian, constants as dw};

/// A linked file whose debug information of this DWARF version is the tree.
pub fn assemble(version: u16, tree: &str) -> Vec<u8> {
    let mut dwarf = Dwarf::new();
    let lines: Vec<Line<'_>> = tree.lines().filter(|l| !l.trim().is_empty()).map(Line::parse).collect();
    // Entries first, so that references can go forward and into other units.
    let mut labels: HashMap<&str, (UnitId, UnitEntryId)> = HashMap::new();
    let mut places = Vec::new();
    let mut nesting: Vec<UnitEntryId> = Vec::new();
    let mut unit_and_file = None;
    for line in &lines {
        if line.depth == 0 {
            unit_and_file = Some(add_unit(&mut dwarf, version, line.tag));
            nesting.clear();
        }
        let (unit, file) = unit_and_file.expect("a tree starts with a unit");
        let parent = line.depth.checked_sub(1).map(|d| nesting[d]);
        let entry = match parent {
            None => dwarf.units.get(unit).root(),
            Some(parent) => dwarf.units.get_mut(unit).add(parent, line.tag),
        };
        nesting.truncate(line.depth);
        nesting.push(entry);
        if let Some(label) = line.label {
            labels.insert(label, (unit, entry));
        }
        places.push((unit, entry, file));
    }
    for (line, (unit, entry, file)) in lines.iter().zip(places) {
        for &(attribute, value) in &line.attributes {
            let value = parse_value(attribute, value, unit, file, &labels);
            dwarf.units.get_mut(unit).get_mut(entry).set(attribute, value);
        }
    }
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    dwarf.write(&mut sections).unwrap();
    let mut found = Vec::new();
    sections
        .for_each(|id, data| {
            if !data.slice().is_empty() {
                found.push((id.name(), data.slice().to_vec()));
            }
            Ok::<(), ()>(())
        })
        .unwrap();
    elf::build(&found)
}

fn add_unit(dwarf: &mut Dwarf, version: u16, tag: DwTag) -> (UnitId, FileId) {
    let encoding = Encoding { format: Format::Dwarf32, version, address_size: 8 };
    let string = |s: &str| LineString::String(s.as_bytes().to_vec());
    let mut program =
        LineProgram::new(encoding, LineEncoding::default(), string("/build"), None, string("tree.c"), None);
    let directory = program.default_directory();
    let file = program.add_file(string("tree.c"), directory, None);
    let unit = dwarf.units.add(Unit::new(encoding, program));
    let root = dwarf.units.get(unit).root();
    let root = dwarf.units.get_mut(unit).get_mut(root);
    root.set(dw::DW_AT_stmt_list, AttributeValue::LineProgramRef);
    root.set(dw::DW_AT_language, AttributeValue::Language(dw::DW_LANG_C99));
    root.set(dw::DW_AT_name, AttributeValue::String(b"tree.c".to_vec()));
    root.set(dw::DW_AT_comp_dir, AttributeValue::String(b"/build".to_vec()));
    assert_eq!(tag, dw::DW_TAG_compile_unit, "units are compile units");
    (unit, file)
}

struct Line<'a> {
    depth: usize,
    label: Option<&'a str>,
    tag: DwTag,
    attributes: Vec<(DwAt, &'a str)>,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Line<'a> {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let mut words = line.split_whitespace().peekable();
        let label = words.next_if(|w| w.ends_with(':')).map(|w| w.trim_end_matches(':'));
        let tag = tag(words.next().unwrap());
        let attributes = words
            .map(|word| {
                let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} has no value"));
                (attribute(name), value)
            })
            .collect();
        Line { depth, label, tag, attributes }
    }
}

fn parse_value(
    attribute: DwAt,
    value: &str,
    unit: UnitId,
    file: FileId,
    labels: &HashMap<&str, (UnitId, UnitEntryId)>,
) -> AttributeValue {
    let number = |s: &str| match s.strip_prefix("0x") {
        Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).unwrap(),
        None => s.parse().unwrap(),
    };
    if let Some(label) = value.strip_prefix('&') {
        let &(target_unit, entry) = labels.get(label).unwrap_or_else(|| panic!("no DIE is labelled {label}"));
        return if target_unit == unit {
            AttributeValue::UnitRef(entry)
        } else {
            AttributeValue::DebugInfoRef(DebugInfoRef::Entry(target_unit, entry))
        };
    }
    match value.split_once(':') {
        Some(("data1", n)) => AttributeValue::Data1(number(n) as u8),
        Some(("data4", n)) => AttributeValue::Data4(number(n) as u32),
        Some(("data8", n)) => AttributeValue::Data8(number(n)),
        Some(("addr", n)) => AttributeValue::Address(Address::Constant(number(n))),
        Some(("expr", hexadecimal)) => {
            let byte = |i: usize| u8::from_str_radix(&hexadecimal[i..i + 2], 16).unwrap();
            let bytes = (0..hexadecimal.len()).step_by(2).map(byte).collect();
            AttributeValue::Exprloc(Expression::raw(bytes))
        }
        _ if value == "flag" => AttributeValue::Flag(true),
        _ if attribute == dw::DW_AT_decl_file && value == "here" => AttributeValue::FileIndex(Some(file)),
        _ if attribute == dw::DW_AT_encoding => AttributeValue::Encoding(gimli::DwAte(number(value) as u8)),
        _ if attribute == dw::DW_AT_language => AttributeValue::Language(gimli::DwLang(number(value) as u16)),
        _ => match value.parse::<i64>() {
            Ok(n) if n < 0 => AttributeValue::Sdata(n),
            Ok(n) => AttributeValue::Udata(n as u64),
            Err(_) => AttributeValue::String(value.as_bytes().to_vec()),
        },
    }
}

fn tag(name: &str) -> DwTag {
    let numbers = (0..=0x4b).chain([0x4109]);
    let found = numbers.map(DwTag).find(|t| t.static_string() == Some(&format!("DW_TAG_{name}")));
    found.unwrap_or_else(|| panic!("{name} is no tag"))
}

fn attribute(name: &str) -> DwAt {
    if let Some(code) = name.strip_prefix("0x") {
        return DwAt(u16::from_str_radix(code, 16).unwrap());
    }
    let found = (0..=0x8c).map(DwAt).find(|a| a.static_string() == Some(&format!("DW_AT_{name}")));
    found.unwrap_or_else(|| panic!("{name} is no attribute"))
}
