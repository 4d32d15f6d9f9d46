//! The constructors of C++: of which class an object is that one of them makes.

use gimli::constants as dw;
use rustc_hash::FxHashMap;

use super::error::Result;
use super::scopes::{LONGEST_ORIGIN_CHAIN, Scopes, origin_of};
use super::types::MergedTypes;
use super::units::{Die, DieRef, UnitIndex, Units};
use crate::graph::NodeId;

/// The constructors that the units know.
#[derive(Default)]
pub struct Constructors {
    /// The classes of all their DIEs: of declarations, of definitions, of the abstract ones of inlined code.
    classes: FxHashMap<DieRef, NodeId>,
    /// By symbol, as [`of_all_kinds`] spells it; `None` where the units do not agree.
    by_symbol: FxHashMap<String, Option<NodeId>>,
}

impl Constructors {
    /// Reads the units in C++. One that is broken has none from the fault on.
    #[must_use]
    pub fn read(units: &Units<'_>, scopes: &Scopes<'_>, merged: &MergedTypes) -> Constructors {
        let mut declared = FxHashMap::default();
        for (index, _) in units.iter().filter(|(_, unit)| !unit.is_replaced() && unit.is_cplusplus()) {
            // What is wrong with a unit was said when its types were read.
            let _ = declarations(units, index, &mut declared);
        }
        let mut constructors = Constructors::default();
        if declared.is_empty() {
            return constructors;
        }
        for function in &scopes.functions {
            let Some(class) = declaration_of(units, function.die, &declared) else { continue };
            let Some(class) = merged.node(class) else { continue };
            constructors.classes.insert(function.die, class);
            if let Some(symbol) = &function.linkage_name {
                let known = constructors.by_symbol.entry(of_all_kinds(symbol)).or_insert(Some(class));
                *known = known.filter(|&known| known == class);
            }
        }
        constructors
    }

    /// Whether there are none, as in C.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The class whose constructor a subprogram is.
    #[must_use]
    pub fn class_of(&self, function: DieRef) -> Option<NodeId> {
        self.classes.get(&function).copied()
    }

    /// The class whose constructor a symbol is.
    #[must_use]
    pub fn class_of_symbol(&self, symbol: &str) -> Option<NodeId> {
        if !symbol.starts_with("_ZN") {
            return None;
        }
        self.by_symbol.get(&of_all_kinds(symbol)).copied().flatten()
    }
}

/// Finds the member functions that have the name of their class, and notes the class.
fn declarations(units: &Units<'_>, index: UnitIndex, found: &mut FxHashMap<DieRef, DieRef>) -> Result<()> {
    let unit = units.get(index);
    let root = unit.get().header.root_offset();
    let mut entries = unit.get().unit.entries_raw(None).map_err(unit.error_at(root))?;
    let mut die = Die::default();
    let mut open: Vec<(isize, DieRef, String)> = Vec::new();
    while !entries.is_empty() {
        let offset = entries.next_offset();
        if !entries.read_entry(&mut die).map_err(unit.error_at(offset))? {
            continue;
        }
        while open.last().is_some_and(|(depth, ..)| *depth >= die.depth()) {
            open.pop();
        }
        let at = DieRef { unit: index, offset };
        match die.tag() {
            dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_union_type => {
                // The arguments of a template are no part of the constructor's name.
                let name = unit.name_of(&die).unwrap_or_default();
                let name = name.split('<').next().unwrap_or_default().to_owned();
                open.push((die.depth(), at, name));
            }
            dw::DW_TAG_subprogram => {
                let Some((depth, class, name)) = open.last() else { continue };
                let own = unit.name_of(&die);
                let own = own.as_deref().and_then(|own| own.split('<').next());
                if *depth == die.depth() - 1 && own == Some(name) && !name.is_empty() {
                    found.insert(at, *class);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The class of the declaration that a subprogram leads to.
fn declaration_of(
    units: &Units<'_>,
    function: DieRef,
    declared: &FxHashMap<DieRef, DieRef>,
) -> Option<DieRef> {
    let mut at = function;
    for _ in 0..LONGEST_ORIGIN_CHAIN {
        if let Some(&class) = declared.get(&at) {
            return Some(class);
        }
        at = origin_of(units, at.unit, &units.die(at).ok()?)?;
    }
    None
}

/// A constructor's symbol without what tells its kinds: for a whole object (`C1`), for a base (`C2`), for both (`C4`, `C5`).
fn of_all_kinds(symbol: &str) -> String {
    let mut bytes = symbol.as_bytes().to_vec();
    for at in 0..bytes.len().saturating_sub(2) {
        if bytes[at] == b'C' && (b'1'..=b'5').contains(&bytes[at + 1]) && matches!(bytes[at + 2], b'E' | b'I')
        {
            bytes[at + 1] = b'_';
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
