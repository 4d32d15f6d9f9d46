//! `-gallocs`: says in the debug information what calls allocate, for other tools.
//!
//! The call sites that the compiler described get `DW_AT_LLVM_alloc_type`, as clang writes for C++: the type of the object, or of an element of
//! the array. A type that has no DIE, that is one of several, or that holds only as long as a function of another file is what it
//! seems to be, is not said.

use allocs_metadata::Evidence;
use anyhow::Result;
use gimli::{DwAt, constants as dw};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::dwarf::alloc_types;
use crate::dwarf::insert::{Insertions, insert};
use crate::dwarf::types::MergedTypes;
use crate::dwarf::units::{DieRef, UnitIndex, Units};
use crate::emit::SiteInput;
use crate::graph::{NodeId, Type};
use crate::image::rewrite::ReplacedSection;

/// `DW_AT_LLVM_alloc_type`, as LLVM 22 numbers it.
const LLVM_ALLOC_TYPE: DwAt = DwAt(0x3e0e);

/// The sections that are different when the call sites say what they allocate; none if nothing can be said.
pub(super) fn say_at_call_sites(
    units: &Units<'_>,
    types: &MergedTypes,
    sites: &[SiteInput],
) -> Result<Vec<ReplacedSection>> {
    let said: FxHashMap<u64, NodeId> =
        sites.iter().filter_map(|site| Some((site.return_svma, said_of(site, types)?))).collect();
    let dies = TypeDies::new(units, types, said.values().copied().collect());
    let mut insertions = Insertions { attribute: LLVM_ALLOC_TYPE, references: Default::default() };
    for (index, unit) in units.iter().filter(|(_, unit)| unit.is_in_file()) {
        alloc_types::for_each_call_site(unit, |die, address| {
            let ty = said.get(&address).and_then(|&node| dies.of(node, index));
            if let (Some(ty), false) = (ty, alloc_types::has_alloc_type(die)) {
                let call_site = DieRef { unit: index, offset: die.offset() };
                insertions.references.insert(units.offset_of(call_site), units.offset_of(ty));
            }
        })?;
    }
    insert(units.file(), &insertions)
}

/// What can be said of a call: its object, or an element of its array.
fn said_of(site: &SiteInput, types: &MergedTypes) -> Option<NodeId> {
    let is_known = site.evidence != Evidence::None && site.hop.is_none() && site.conditions.is_empty();
    is_known.then(|| match *types.types.get(site.node) {
        Type::Array { element, length: None, .. } => element,
        _ => site.node,
    })
}

/// The DIEs of some types.
struct TypeDies {
    /// With what tells which is best: lower is better.
    dies: FxHashMap<NodeId, Vec<(Rank, DieRef)>>,
}

/// How well a DIE stands for its type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It has a name of its own, of this length: `char` goes before `signed char`, which is the same here.
    Named(usize),
    /// A typedef of what has none.
    Typedef,
    /// Neither.
    Unnamed,
}

impl TypeDies {
    fn new(units: &Units<'_>, types: &MergedTypes, wanted: FxHashSet<NodeId>) -> Self {
        let mut dies: FxHashMap<NodeId, Vec<(Rank, DieRef)>> = FxHashMap::default();
        for (at, node) in
            types.dies().filter(|(at, node)| wanted.contains(node) && units.get(at.unit).is_in_file())
        {
            if let Some(rank) = rank(units, at) {
                dies.entry(node).or_default().push((rank, at));
            }
        }
        dies.values_mut().for_each(|dies| dies.sort_unstable());
        TypeDies { dies }
    }

    /// The best DIE of a type, in this unit if there is one.
    fn of(&self, node: NodeId, unit: UnitIndex) -> Option<DieRef> {
        let dies = self.dies.get(&node)?;
        let here = dies.iter().find(|(_, die)| die.unit == unit);
        here.or(dies.first()).map(|&(_, die)| die)
    }
}

fn rank(units: &Units<'_>, at: DieRef) -> Option<Rank> {
    let die = units.die(at).ok()?;
    if die.has_attr(dw::DW_AT_declaration) || !alloc_types::is_type(die.tag()) {
        return None;
    }
    match die.tag() {
        dw::DW_TAG_const_type | dw::DW_TAG_volatile_type | dw::DW_TAG_atomic_type => None,
        dw::DW_TAG_typedef => Some(Rank::Typedef),
        _ => Some(units.get(at.unit).name_of(&die).map_or(Rank::Unnamed, |name| Rank::Named(name.len()))),
    }
}
