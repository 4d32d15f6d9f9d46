//! `.debug_abbrev` with more abbreviations.
//!
//! A table that gets any is copied behind the end of the section, with these behind its own: others may share the old one.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result};
use gimli::{DwAt, DwForm, LittleEndian, Reader, constants as dw};

use crate::dwarf::units::Slice;
use crate::leb128;

/// The section, and what comes into it.
pub(super) struct Abbreviations<'a> {
    section: &'a [u8],
    /// By where the old ones start.
    tables: BTreeMap<usize, Table>,
}

/// A table that gets more abbreviations.
struct Table {
    /// Its declarations, without the zero behind the last one.
    declarations: Range<usize>,
    /// By code: a declaration without its code, and without the two zeros behind its last attribute.
    by_code: BTreeMap<u64, Range<usize>>,
    /// By old code and form of the new attribute: the new code and the declaration.
    added: BTreeMap<(u64, u16), (u64, Vec<u8>)>,
}

impl<'a> Abbreviations<'a> {
    pub(super) fn new(section: &'a [u8]) -> Self {
        Abbreviations { section, tables: BTreeMap::new() }
    }

    /// The code, in LEB128, of an abbreviation that is that of `code` in the table at an offset, and has one more attribute.
    pub(super) fn with_attribute(
        &mut self,
        table: usize,
        code: u64,
        attribute: DwAt,
        form: DwForm,
    ) -> Result<Vec<u8>> {
        let table = match self.tables.entry(table) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(Table::read(self.section, table)?),
        };
        let declaration = table.by_code.get(&code).context("a DIE has no abbreviation")?;
        let last = table.by_code.last_key_value().map_or(0, |(&code, _)| code);
        let next = (last + 1).checked_add(table.added.len() as u64).context("too many abbreviations")?;
        let (code, _) = table.added.entry((code, form.0)).or_insert_with(|| {
            let attribute =
                [leb128::encoded(attribute.0.into()), leb128::encoded(form.0.into()), vec![0, 0]].concat();
            (next, [&leb128::encoded(next), &self.section[declaration.clone()], &attribute].concat())
        });
        Ok(leb128::encoded(*code))
    }

    /// Where the table is in the new section that was at this offset.
    pub(super) fn new_offset(&self, table: usize) -> usize {
        let before = self.tables.range(..table).map(|(_, table)| table.new_len()).sum::<usize>();
        if self.tables.contains_key(&table) { self.section.len() + before } else { table }
    }

    /// The new section.
    pub(super) fn finish(&self) -> Vec<u8> {
        let mut section = self.section.to_vec();
        for table in self.tables.values() {
            section.extend(&self.section[table.declarations.clone()]);
            // In the order of their codes.
            let mut added: Vec<_> = table.added.values().collect();
            added.sort_unstable();
            added.iter().for_each(|(_, declaration)| section.extend(declaration));
            section.push(0);
        }
        section
    }
}

impl Table {
    fn read(section: &[u8], start: usize) -> Result<Table> {
        let whole = Slice::new(section, LittleEndian);
        let mut rest = whole;
        rest.skip(start)?;
        let mut by_code = BTreeMap::new();
        loop {
            let end = rest.offset_from(whole);
            let code = rest.read_uleb128()?;
            if code == 0 {
                return Ok(Table { declarations: start..end, by_code, added: BTreeMap::new() });
            }
            let declaration = rest.offset_from(whole);
            rest.read_uleb128()?;
            rest.read_u8()?;
            let end = loop {
                let end = rest.offset_from(whole);
                let (attribute, form) = (rest.read_uleb128()?, rest.read_uleb128()?);
                if (attribute, form) == (0, 0) {
                    break end;
                }
                if form == u64::from(dw::DW_FORM_implicit_const.0) {
                    rest.read_sleb128()?;
                }
            };
            by_code.insert(code, declaration..end);
        }
    }

    fn new_len(&self) -> usize {
        let added: usize = self.added.values().map(|(_, declaration)| declaration.len()).sum();
        self.declarations.len() + added + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1: `DW_TAG_call_site`, no children, `DW_AT_call_return_pc` as `DW_FORM_addr`, and a constant in the declaration; 2: an empty base type.
    const TABLE: [u8; 16] = [1, 0x48, 0, 0x7d, 1, 0x3e, 0x21, 0x7f, 0, 0, 2, 0x24, 0, 0, 0, 0];

    #[test]
    fn an_abbreviation_gets_an_attribute_in_a_copy_of_its_table() {
        let section = [&[0][..], &TABLE].concat();
        let mut abbreviations = Abbreviations::new(&section);
        let mut add = |code, form| abbreviations.with_attribute(1, code, DwAt(0x3e0e), form).unwrap();
        assert_eq!(add(1, dw::DW_FORM_ref4), [3]);
        assert_eq!(add(1, dw::DW_FORM_ref_addr), [4]);
        assert_eq!(add(1, dw::DW_FORM_ref4), [3]);
        assert_eq!(abbreviations.new_offset(0), 0);
        assert_eq!(abbreviations.new_offset(1), 17);
        let added = |code, form| [code, 0x48, 0, 0x7d, 1, 0x3e, 0x21, 0x7f, 0x8e, 0x7c, form, 0, 0];
        let expected = [&section, &TABLE[..15], &added(3, 0x13), &added(4, 0x10), &[0]].concat();
        assert_eq!(abbreviations.finish(), expected);
    }

    #[test]
    fn a_table_without_an_end_is_an_error() {
        let mut abbreviations = Abbreviations::new(&TABLE[..12]);
        assert!(abbreviations.with_attribute(0, 1, DwAt(0x3e0e), dw::DW_FORM_ref4).is_err());
        let mut abbreviations = Abbreviations::new(&TABLE);
        assert!(abbreviations.with_attribute(0, 9, DwAt(0x3e0e), dw::DW_FORM_ref4).is_err());
    }
}
