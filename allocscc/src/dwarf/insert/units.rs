//! `.debug_info` with DIEs that have grown.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use gimli::{AttributeValue, Expression, RawLocListEntry, Section, UnitOffset, constants as dw};

use super::abbreviations::Abbreviations;
use super::expressions;
use super::{Grown, LocationLists, Moves, little_endian};
use crate::dwarf::units::Slice;
use crate::leb128;

/// Copies the section, with what is different.
pub(super) struct InfoWriter<'w, 'a> {
    dwarf: &'w gimli::Dwarf<Slice<'a>>,
    lists: &'w LocationLists<Slice<'a>>,
    grown: &'w [Grown],
    moves: &'w Moves,
    abbreviations: &'w Abbreviations<'w>,
    /// How much of the old section is in the new one.
    copied: usize,
    new: Vec<u8>,
    /// What is different in location lists, by offset.
    pub(super) patches: LocationLists<BTreeMap<usize, Vec<u8>>>,
}

impl<'w, 'a> InfoWriter<'w, 'a> {
    pub(super) fn new(
        dwarf: &'w gimli::Dwarf<Slice<'a>>,
        lists: &'w LocationLists<Slice<'a>>,
        grown: &'w [Grown],
        moves: &'w Moves,
        abbreviations: &'w Abbreviations<'w>,
    ) -> Self {
        InfoWriter {
            dwarf,
            lists,
            grown,
            moves,
            abbreviations,
            copied: 0,
            new: Vec::new(),
            patches: LocationLists::default(),
        }
    }

    pub(super) fn write_all(&mut self) -> Result<()> {
        let mut headers = self.dwarf.units();
        while let Some(header) = headers.next()? {
            let offset = header.offset().0;
            self.unit(header).with_context(|| format!("the unit at {offset:#x} of .debug_info"))?;
        }
        Ok(())
    }

    /// The new section.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.replace(self.old().len()..self.old().len(), &[]);
        std::mem::take(&mut self.new)
    }

    fn old(&self) -> Slice<'a> {
        *self.dwarf.debug_info.reader()
    }

    /// Takes over what comes before `old`, and `new` in place of that.
    fn replace(&mut self, old: Range<usize>, new: &[u8]) {
        self.new.extend(&self.old()[self.copied..old.start]);
        self.new.extend(new);
        self.copied = old.end;
    }

    fn unit(&mut self, header: gimli::UnitHeader<Slice<'a>>) -> Result<()> {
        let start = header.offset().0;
        self.header(&header, start)?;
        let unit = self.dwarf.unit(header)?;
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let die = start + entries.next_offset().0;
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let grown = self.grown.binary_search_by_key(&die, |grown| grown.die).ok();
            let grown = grown.map(|index| &self.grown[index]);
            if let Some(grown) = grown {
                self.replace(die..die + grown.old_code, &grown.new_code);
            }
            for &specification in abbreviation.attributes() {
                let at = start + entries.next_offset().0;
                let attribute = entries.read_attribute(specification)?;
                let end = start + entries.next_offset().0;
                self.attribute(&unit, start, &attribute, at..end)?;
            }
            if let Some(grown) = grown {
                let end = start + entries.next_offset().0;
                let target = if grown.form == dw::DW_FORM_ref4 {
                    self.moves.new_in_unit(start, grown.target - start)
                } else {
                    self.moves.new_offset(grown.target)
                };
                self.replace(end..end, &little_endian(target, grown.width)?);
            }
        }
        Ok(())
    }

    /// The length and the place of the abbreviations, which are where the format and version say.
    fn header(&mut self, header: &gimli::UnitHeader<Slice<'a>>, start: usize) -> Result<()> {
        let word = usize::from(header.format().word_size());
        let length_at = start + usize::from(header.format().initial_length_size()) - word;
        let end = start + header.length_including_self();
        let growth = self.moves.new_in_unit(start, end - start) - (end - start);
        let length = header.unit_length() + growth;
        self.replace(length_at..length_at + word, &little_endian(length, word)?);
        // The version, and since DWARF 5 the type of the unit and the size of an address.
        let table_at = length_at + word + if header.version() < 5 { 2 } else { 4 };
        let table = self.abbreviations.new_offset(header.debug_abbrev_offset().0);
        self.replace(table_at..table_at + word, &little_endian(table, word)?);
        Ok(())
    }

    fn attribute(
        &mut self,
        unit: &gimli::Unit<Slice<'a>>,
        start: usize,
        attribute: &gimli::Attribute<Slice<'a>>,
        bytes: Range<usize>,
    ) -> Result<()> {
        match attribute.raw_value() {
            AttributeValue::UnitRef(UnitOffset(old)) => {
                let new = self.moves.new_in_unit(start, old);
                if new != old {
                    let width = bytes.len();
                    let new = match attribute.form() {
                        dw::DW_FORM_ref_udata => leb128::padded(new, width)?,
                        dw::DW_FORM_ref1 | dw::DW_FORM_ref2 | dw::DW_FORM_ref4 | dw::DW_FORM_ref8 => {
                            little_endian(new, width)?
                        }
                        other => bail!("a reference is {other}"),
                    };
                    self.replace(bytes, &new);
                }
                return Ok(());
            }
            AttributeValue::DebugInfoRef(old) => {
                ensure!(attribute.form() == dw::DW_FORM_ref_addr, "a reference is {}", attribute.form());
                let new = little_endian(self.moves.new_offset(old.0), bytes.len())?;
                self.replace(bytes, &new);
                return Ok(());
            }
            _ => {}
        }
        match attribute.value() {
            AttributeValue::Exprloc(expression) => {
                let at = expression.0.offset_from(self.old());
                let patches = expressions::patches(expression, unit.encoding(), start, self.moves)?;
                for (offset, new) in patches {
                    self.replace(at + offset..at + offset + new.len(), &new);
                }
            }
            value @ (AttributeValue::LocationListsRef(_) | AttributeValue::DebugLocListsIndex(_)) => {
                self.location_list(unit, start, value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn location_list(
        &mut self,
        unit: &gimli::Unit<Slice<'a>>,
        start: usize,
        value: AttributeValue<Slice<'a>>,
    ) -> Result<()> {
        let Some(list) = self.dwarf.attr_locations_offset(unit, value)? else { return Ok(()) };
        let (section, patches) = if unit.encoding().version < 5 {
            (self.lists.of_dwarf_4, &mut self.patches.of_dwarf_4)
        } else {
            (self.lists.of_dwarf_5, &mut self.patches.of_dwarf_5)
        };
        let mut entries = self.dwarf.raw_locations(unit, list)?;
        while let Some(entry) = entries.next()? {
            let Some(expression) = expression_of(&entry) else { continue };
            let at = expression.0.offset_from(section);
            let moved = expressions::patches(expression, unit.encoding(), start, self.moves)?;
            patches.extend(moved.into_iter().map(|(offset, bytes)| (at + offset, bytes)));
        }
        Ok(())
    }
}

fn expression_of<'a>(entry: &RawLocListEntry<Slice<'a>>) -> Option<Expression<Slice<'a>>> {
    match *entry {
        RawLocListEntry::BaseAddress { .. } | RawLocListEntry::BaseAddressx { .. } => None,
        RawLocListEntry::AddressOrOffsetPair { data, .. }
        | RawLocListEntry::StartxEndx { data, .. }
        | RawLocListEntry::StartxLength { data, .. }
        | RawLocListEntry::OffsetPair { data, .. }
        | RawLocListEntry::DefaultLocation { data }
        | RawLocListEntry::StartEnd { data, .. }
        | RawLocListEntry::StartLength { data, .. } => Some(data),
    }
}
