//! Gives DIEs of `.debug_info` one more attribute each, which refers to a type.
//!
//! A DIE that grows moves all that is behind it. So `.debug_info` is written anew: an attribute's value goes behind the others of its DIE, the
//! DIE gets an [abbreviation](abbreviations) of its own, and whatever says where a DIE or unit is says its new place: references,
//! unit headers, [operations](expressions) of expressions and location lists, `.debug_aranges`. All else stays as it is, byte by byte.
//! What cannot be carried over is an error, and nothing is changed.

mod abbreviations;
mod expressions;
mod units;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use gimli::{DwAt, DwForm, LittleEndian, Reader, Section, constants as dw};

use super::linked::LinkedFile;
use super::units::Slice;
use crate::image::rewrite::ReplacedSection;
use abbreviations::Abbreviations;
use units::InfoWriter;

/// The attribute that DIEs get, and which DIE gets one that refers to which: both by their offsets in `.debug_info`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insertions {
    /// The attribute.
    pub attribute: DwAt,
    /// From the DIE to what it refers to.
    pub references: BTreeMap<usize, usize>,
}

/// Sections that index DIEs, which are not written anew.
const INDEXES: [&str; 9] = [
    ".debug_names",
    ".gdb_index",
    ".debug_pubnames",
    ".debug_pubtypes",
    ".debug_gnu_pubnames",
    ".debug_gnu_pubtypes",
    ".debug_cu_index",
    ".debug_tu_index",
    ".debug_types",
];

/// Something of `.debug_loc`, and the same of `.debug_loclists`.
#[derive(Default)]
struct LocationLists<T> {
    of_dwarf_4: T,
    of_dwarf_5: T,
}

/// A DIE that gets the attribute.
struct Grown {
    /// Its offset in `.debug_info`.
    die: usize,
    /// Bytes of its old abbreviation code.
    old_code: usize,
    /// Its new abbreviation code.
    new_code: Vec<u8>,
    /// The DIE that it refers to.
    target: usize,
    /// How it does.
    form: DwForm,
    /// Bytes of the reference.
    width: usize,
}

/// The sections of `file` that are different when it has the insertions; none if there is no insertion.
pub fn insert(file: &LinkedFile<'_>, insertions: &Insertions) -> Result<Vec<ReplacedSection>> {
    if insertions.references.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(index) = INDEXES.iter().find(|name| file.section(name).is_some_and(|(_, b)| !b.is_empty())) {
        bail!("it has an index of its debug information, {index}");
    }
    let sections = file.sections();
    let mut dwarf = sections.borrow(|section| Slice::new(section, LittleEndian));
    let lists = [".debug_loc", ".debug_loclists"].map(|name| file.section(name).unwrap_or_default().1);
    let [of_dwarf_4, of_dwarf_5] = [0, 1].map(|index| Slice::new(&lists[index], LittleEndian));
    dwarf.locations = gimli::LocationLists::new(of_dwarf_4.into(), of_dwarf_5.into());
    let old_lists = LocationLists { of_dwarf_4, of_dwarf_5 };
    let mut abbreviations = Abbreviations::new(dwarf.debug_abbrev.reader().slice());
    let grown = grown(&dwarf, insertions, &mut abbreviations)?;
    let moves = Moves::new(&grown);
    let mut info = InfoWriter::new(&dwarf, &old_lists, &grown, &moves, &abbreviations);
    info.write_all()?;
    let mut replaced = vec![
        ReplacedSection { name: ".debug_info", bytes: info.finish() },
        ReplacedSection { name: ".debug_abbrev", bytes: abbreviations.finish() },
    ];
    let lists = [
        (".debug_loc", old_lists.of_dwarf_4, &info.patches.of_dwarf_4),
        (".debug_loclists", old_lists.of_dwarf_5, &info.patches.of_dwarf_5),
    ];
    for (name, section, patches) in lists.into_iter().filter(|(_, _, patches)| !patches.is_empty()) {
        let mut bytes = section.to_vec();
        for (&at, patch) in patches {
            bytes[at..at + patch.len()].copy_from_slice(patch);
        }
        replaced.push(ReplacedSection { name, bytes });
    }
    if let Some((_, aranges)) = file.section(".debug_aranges") {
        let bytes = moved_aranges(&aranges, &moves).context(".debug_aranges cannot be read")?;
        replaced.push(ReplacedSection { name: ".debug_aranges", bytes });
    }
    Ok(replaced)
}

/// The DIEs that grow, by ascending offset. Their abbreviations are among `abbreviations` then.
fn grown(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    insertions: &Insertions,
    abbreviations: &mut Abbreviations<'_>,
) -> Result<Vec<Grown>> {
    let mut grown = Vec::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let start = header.offset().0;
        let unit = start..start + header.length_including_self();
        for (&die, &target) in insertions.references.range(unit.clone()) {
            ensure!(header.version() > 2, "a unit has DWARF {}", header.version());
            let (form, width) = if unit.contains(&target) {
                (dw::DW_FORM_ref4, 4)
            } else {
                (dw::DW_FORM_ref_addr, usize::from(header.format().word_size()))
            };
            let mut at_code = dwarf.debug_info.reader().range_from(die..);
            let before = at_code.len();
            let code = at_code.read_uleb128()?;
            let table = header.debug_abbrev_offset().0;
            let new_code = abbreviations.with_attribute(table, code, insertions.attribute, form)?;
            grown.push(Grown { die, old_code: before - at_code.len(), new_code, target, form, width });
        }
    }
    ensure!(grown.len() == insertions.references.len(), "a DIE to change is in no unit");
    Ok(grown)
}

/// Where the DIEs and units of `.debug_info` go.
struct Moves {
    /// Offsets of DIEs that grow, ascending, and by how many bytes these and all before do.
    grown: Vec<(usize, usize)>,
}

impl Moves {
    fn new(grown: &[Grown]) -> Self {
        let mut sum = 0;
        let after = |grown: &Grown| {
            sum += grown.new_code.len() + grown.width - grown.old_code;
            (grown.die, sum)
        };
        Moves { grown: grown.iter().map(after).collect() }
    }

    /// The new offset of the DIE or unit at an old one.
    fn new_offset(&self, old: usize) -> usize {
        let before = self.grown.partition_point(|&(die, _)| die < old);
        old + before.checked_sub(1).map_or(0, |last| self.grown[last].1)
    }

    /// The new distance of a DIE from the start of its unit, by the old one.
    fn new_in_unit(&self, unit: usize, distance: usize) -> usize {
        self.new_offset(unit.saturating_add(distance)) - self.new_offset(unit)
    }
}

/// The address ranges with the new offsets of their units.
fn moved_aranges(section: &[u8], moves: &Moves) -> Result<Vec<u8>> {
    let mut moved = section.to_vec();
    let whole = Slice::new(section, LittleEndian);
    let mut rest = whole;
    while !rest.is_empty() {
        let (length, format) = rest.read_initial_length()?;
        let mut set = rest.split(length)?;
        set.skip(2)?;
        let at = set.offset_from(whole);
        let unit = set.read_offset(format)?;
        let width = usize::from(format.word_size());
        moved[at..at + width].copy_from_slice(&little_endian(moves.new_offset(unit), width)?);
    }
    Ok(moved)
}

/// A number in so many bytes.
fn little_endian(number: usize, width: usize) -> Result<Vec<u8>> {
    let bytes = (number as u64).to_le_bytes();
    let (kept, rest) = bytes.split_at_checked(width).context("a number is wider than 8 bytes")?;
    ensure!(rest.iter().all(|&byte| byte == 0), "{number:#x} has no room in {width} bytes");
    Ok(kept.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown_at(die: usize, old_code: usize, new_code: usize) -> Grown {
        let new_code = vec![0; new_code];
        Grown { die, old_code, new_code, target: 0, form: dw::DW_FORM_ref4, width: 4 }
    }

    #[test]
    fn what_is_behind_a_grown_die_moves() {
        let moves = Moves::new(&[grown_at(20, 1, 1), grown_at(50, 1, 2)]);
        let new = [0, 20, 21, 50, 51, 100].map(|old| moves.new_offset(old));
        assert_eq!(new, [0, 20, 25, 54, 60, 109]);
        assert_eq!(moves.new_in_unit(0, 30), 34);
        assert_eq!(moves.new_in_unit(40, 20), 25);
    }

    #[test]
    fn a_number_that_has_no_room_fails() {
        assert_eq!(little_endian(0x1234, 2).unwrap(), [0x34, 0x12]);
        assert!(little_endian(0x1_0000, 2).is_err());
    }

    #[test]
    fn address_ranges_follow_their_units() {
        let set = |unit: u8| [8, 0, 0, 0, 2, 0, unit, 0, 0, 0, 8, 0];
        let section = [set(0), set(60)].concat();
        let moves = Moves::new(&[grown_at(20, 1, 1)]);
        assert_eq!(moved_aranges(&section, &moves).unwrap(), [set(0), set(64)].concat());
        assert!(moved_aranges(&section[..20], &moves).is_err());
    }
}
