//! Names of structs, unions and enums that have no tag.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::units::UnitIndex;
use crate::graph::{CompositeKind, Naming, NodeId};

/// The kinds of types that have tags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `struct`, `class`.
    Struct,
    /// `union`.
    Union,
    /// `enum`.
    Enum,
}

impl From<CompositeKind> for Kind {
    fn from(kind: CompositeKind) -> Kind {
        if kind == CompositeKind::Union { Kind::Union } else { Kind::Struct }
    }
}

/// A struct, union or enum DIE: where it is declared.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The unit of the DIE.
    pub unit: UnitIndex,
    /// Its node.
    pub node: NodeId,
    /// Which of the three.
    pub kind: Kind,
    /// `DW_AT_decl_file`, as the line table has it.
    pub file: Option<Arc<str>>,
    /// `DW_AT_decl_line`; 0 if not given.
    pub line: u64,
    /// `DW_AT_decl_column`; 0 if not given.
    pub column: u64,
    /// Declared and not defined.
    pub incomplete: bool,
}

/// Types without a tag, and the typedefs that may name them.
#[derive(Default)]
pub(crate) struct Unnamed {
    /// Indices of `declared`.
    types: Vec<usize>,
    typedefs: Vec<(NodeId, String)>,
}

impl Unnamed {
    /// Notes a type without a tag, by its index among the declared ones; its name for now.
    pub(crate) fn add(&mut self, declared: usize) -> Naming {
        self.types.push(declared);
        Naming::Place { file: String::new(), line: 0, ordinal: 1 }
    }

    /// Notes a typedef of a type.
    pub(crate) fn typedef(&mut self, target: NodeId, name: String) {
        self.typedefs.push((target, name));
    }

    /// The names: the first typedef that refers to the type itself, at most qualified; else the place. `unqualified` takes
    /// qualifiers off a node.
    pub(crate) fn resolve(
        self,
        declared: &[Declared],
        unqualified: impl Fn(NodeId) -> NodeId,
    ) -> Vec<(NodeId, Naming)> {
        let mut by_typedef: FxHashMap<NodeId, String> = FxHashMap::default();
        for (target, name) in self.typedefs {
            by_typedef.entry(unqualified(target)).or_insert(name);
        }
        let mut names = Vec::new();
        let mut by_place: BTreeMap<(UnitIndex, String, u64), Vec<(u64, usize)>> = BTreeMap::new();
        for index in self.types {
            let ty = &declared[index];
            match by_typedef.remove(&ty.node) {
                Some(name) => names.push((ty.node, Naming::Typedef(name))),
                None => {
                    let file = ty.file.as_deref().unwrap_or("");
                    let basename = file.rsplit('/').next().unwrap_or(file).to_owned();
                    by_place.entry((ty.unit, basename, ty.line)).or_default().push((ty.column, index));
                }
            }
        }
        for ((_, file, line), mut types) in by_place {
            // Compilers that give no column emit the DIEs in the order of the source, outer types first.
            types.sort_unstable();
            for (ordinal, (_, index)) in (1..).zip(types) {
                names.push((declared[index].node, Naming::Place { file: file.clone(), line, ordinal }));
            }
        }
        names
    }
}
