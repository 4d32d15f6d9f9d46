//! Finds the types that the source names among those that DWARF describes.

use std::sync::Arc;

use gimli::DwAte;
use rustc_hash::FxHashMap;

use super::naming::Kind;
use super::types::MergedTypes;
use super::units::{UnitIndex, Units};
use crate::graph::{Canonical, CompositeKind, Naming, NodeId, Type};
use crate::sites::facts::{Place, TagKind, TypeRef};

/// Structs, unions and enums by name and by place, and units by the name of their source.
pub struct TypeIndex {
    units: FxHashMap<String, Vec<(UnitIndex, String)>>,
    tags: Table,
    typedefs: Table,
    /// Those without tag and typedef, by line and basename.
    places: FxHashMap<(u64, String), Vec<Entry>>,
}

/// Types by name.
type Table = FxHashMap<String, Vec<Entry>>;

/// A definition.
#[derive(Clone)]
struct Entry {
    unit: UnitIndex,
    kind: Kind,
    node: NodeId,
    file: Option<Arc<str>>,
    line: u64,
}

impl TypeIndex {
    /// Collects the definitions of all units.
    #[must_use]
    pub fn new(units: &Units<'_>, merged: &MergedTypes) -> Self {
        let mut index = TypeIndex {
            units: FxHashMap::default(),
            tags: Table::default(),
            typedefs: Table::default(),
            places: FxHashMap::default(),
        };
        for (number, unit) in units.iter().filter(|(_, unit)| !unit.is_replaced()) {
            let entry = index.units.entry(unit.name().to_owned()).or_default();
            entry.push((number, unit.directory().to_owned()));
        }
        for d in merged.declared.iter().filter(|d| !d.incomplete) {
            let entry =
                Entry { unit: d.unit, kind: d.kind, node: d.node, file: d.file.clone(), line: d.line };
            let (Type::Composite { naming, .. } | Type::Enumeration { naming, .. }) =
                merged.types.get(d.node)
            else {
                continue;
            };
            match naming {
                Naming::Tag(name) => add(&mut index.tags, name, entry),
                Naming::Typedef(name) | Naming::Made(name) => add(&mut index.typedefs, name, entry),
                Naming::Place { file, line, .. } => {
                    index.places.entry((*line, file.clone())).or_default().push(entry);
                }
            }
        }
        index
    }

    /// The unit of a source, given as the compiler got it: `DW_AT_name` and `DW_AT_comp_dir`. A directory that the
    /// build maps to another name does not matter where the source's name is unique.
    #[must_use]
    pub fn unit(&self, source: &str, directory: &str) -> Option<UnitIndex> {
        let candidates = self.units.get(source)?;
        match candidates.iter().find(|(_, d)| d == directory) {
            Some(&(unit, _)) => Some(unit),
            None if candidates.len() == 1 => Some(candidates[0].0),
            None => None,
        }
    }

    /// The node of a type of the source. The types of its own unit are looked at first, then those of all others.
    /// Pointers, arrays and functions that DWARF does not have are added, as are pointers to structs that nothing defines;
    /// such a struct itself is `None`.
    pub fn resolve(&self, types: &mut Canonical, unit: Option<UnitIndex>, ty: &TypeRef) -> Option<NodeId> {
        Some(match ty {
            TypeRef::Void => types.void(),
            TypeRef::Base(base) => types.base(DwAte(base.encoding), base.size),
            TypeRef::Tagged { kind, tag, place } => {
                choose(self.tags.get(tag), unit, (*kind).into(), Some(place))?
            }
            TypeRef::Anonymous { kind, typedef, place } => {
                let kind = (*kind).into();
                let by_name = typedef.as_ref().and_then(|name| self.typedefs.get(name));
                choose(by_name, unit, kind, Some(place)).or_else(|| self.at_place(unit, kind, place))?
            }
            TypeRef::Pointer(pointee) => {
                let pointee = self.referenced(types, unit, pointee)?;
                types.pointer_to(pointee)
            }
            TypeRef::Array(element, length) => {
                let element = self.resolve(types, unit, element)?;
                match length {
                    Some(n) if *n != 0 => types.array_of(element, *n),
                    _ => types.unbounded_array_of(element),
                }
            }
            TypeRef::Function { result, parameters, variadic } => {
                let result = self.referenced(types, unit, result)?;
                let parameters =
                    parameters.iter().map(|p| self.referenced(types, unit, p)).collect::<Option<_>>()?;
                types.intern(Type::Function { result, parameters, variadic: *variadic })
            }
        })
    }

    /// The node of a type that is only referred to, and so may be incomplete.
    fn referenced(&self, types: &mut Canonical, unit: Option<UnitIndex>, ty: &TypeRef) -> Option<NodeId> {
        self.resolve(types, unit, ty).or_else(|| match ty {
            TypeRef::Tagged { kind: kind @ (TagKind::Struct | TagKind::Union), tag, .. } => {
                Some(types.intern(Type::Composite {
                    kind: if *kind == TagKind::Union { CompositeKind::Union } else { CompositeKind::Struct },
                    naming: Naming::Tag(tag.clone()),
                    size: Some(0),
                    members: Vec::new(),
                    incomplete: true,
                }))
            }
            _ => None,
        })
    }

    /// A type that has nothing but its place. Of an enum, gcc notes where its brace stands.
    fn at_place(&self, unit: Option<UnitIndex>, kind: Kind, place: &Place) -> Option<NodeId> {
        let basename = place.file.rsplit('/').next().unwrap_or(&place.file);
        let on = |line: u64| choose(self.places.get(&(line, basename.to_owned())), unit, kind, None);
        let line = u64::from(place.line);
        on(line).or_else(|| if kind == Kind::Enum { on(line + 1) } else { None })
    }
}

fn add(table: &mut Table, name: &str, entry: Entry) {
    match table.get_mut(name) {
        Some(entries) => entries.push(entry),
        None => {
            table.insert(name.to_owned(), vec![entry]);
        }
    }
}

/// The one definition that is meant: the only one of the unit, the one at the place, the only one of all units.
fn choose(
    entries: Option<&Vec<Entry>>,
    unit: Option<UnitIndex>,
    kind: Kind,
    place: Option<&Place>,
) -> Option<NodeId> {
    let of_kind = || entries.into_iter().flatten().filter(|e| e.kind == kind);
    let of_unit = || of_kind().filter(|e| Some(e.unit) == unit);
    let at_place = |e: &&Entry| place.is_some_and(|p| is_at(e, p));
    only(of_unit())
        .or_else(|| only(of_unit().filter(at_place)))
        .or_else(|| only(of_kind()))
        .or_else(|| only(of_kind().filter(at_place)))
}

fn is_at(entry: &Entry, place: &Place) -> bool {
    let basename = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    entry.line == u64::from(place.line)
        && entry.file.as_deref().is_some_and(|file| basename(file) == basename(&place.file))
}

/// The node of all entries, if it is the same.
fn only<'e>(mut entries: impl Iterator<Item = &'e Entry>) -> Option<NodeId> {
    let first = entries.next()?.node;
    entries.all(|e| e.node == first).then_some(first)
}

impl From<TagKind> for Kind {
    fn from(kind: TagKind) -> Kind {
        match kind {
            TagKind::Struct => Kind::Struct,
            TagKind::Union => Kind::Union,
            TagKind::Enum => Kind::Enum,
        }
    }
}
