//! What an allocation holds, from the names of the source to nodes of the graph.

use crate::dwarf::index::TypeIndex;
use crate::dwarf::units::UnitIndex;
use crate::graph::names::Names;
use crate::graph::{Canonical, NodeId, Type};
use crate::sites::facts::{SizeExpr, TypeRef};
use crate::sites::heap_type::{Head, HeapType};

/// Makes nodes of heap types.
pub(super) struct HeapTypes<'a> {
    /// The types by their names in the source.
    pub(super) index: &'a TypeIndex,
    /// The graph.
    pub(super) types: &'a mut Canonical,
    /// The names made so far.
    pub(super) names: &'a mut Names,
}

impl HeapTypes<'_> {
    /// The node of what an allocation in `unit` holds; `None` if nothing is known, or the debug information has no such type.
    pub(super) fn node(&mut self, unit: Option<UnitIndex>, ty: &HeapType) -> Option<NodeId> {
        match ty {
            HeapType::ArrayOf(element) => {
                let element = self.resolve(unit, element)?;
                Some(self.types.unbounded_array_of(element))
            }
            HeapType::Flexible(ty) => self.resolve(unit, ty),
            HeapType::Sequence { before, head, element } => {
                let mut heads = Vec::new();
                let mut offset = 0;
                for ty in before {
                    let node = self.resolve(unit, ty)?;
                    heads.push((node, offset));
                    offset += self.types.size_of(node)?;
                }
                let node = self.resolve(unit, head.ty())?;
                heads.push((node, offset));
                offset += match head {
                    Head::Whole(_) => self.types.size_of(node)?,
                    Head::UpTo(_, path) => self.member_offset(node, path)?,
                };
                let element = self.resolve(unit, element)?;
                Some(self.types.synthetic(self.names, &heads, offset, element))
            }
            HeapType::OneOf(alternatives) => {
                let nodes: Option<Vec<NodeId>> = alternatives.iter().map(|a| self.node(unit, a)).collect();
                Some(self.one_of(&nodes?))
            }
            HeapType::Unknown => None,
        }
    }

    /// One of several types, or the only one.
    pub(super) fn one_of(&mut self, alternatives: &[NodeId]) -> NodeId {
        self.types.synthetic_union(self.names, alternatives)
    }

    /// The value of a size in `unit`, if it is a constant.
    pub(super) fn constant(&mut self, unit: Option<UnitIndex>, size: &SizeExpr) -> Option<u64> {
        let mut of = |size: &SizeExpr| self.constant(unit, size);
        match size {
            SizeExpr::Const(value) => Some(*value),
            SizeExpr::Sizeof(ty) => {
                let node = self.resolve(unit, ty)?;
                self.types.size_of(node)
            }
            SizeExpr::OffsetOf(ty, path) => {
                let node = self.resolve(unit, ty)?;
                self.member_offset(node, path)
            }
            SizeExpr::Mul(left, right) => of(left)?.checked_mul(of(right)?),
            SizeExpr::Add(left, right) => of(left)?.checked_add(of(right)?),
            SizeExpr::Sub(left, right) => of(left)?.checked_sub(of(right)?),
            SizeExpr::Div(left, right) => of(left)?.checked_div(of(right)?),
            SizeExpr::Param(_)
            | SizeExpr::Alt(_)
            | SizeExpr::Call(..)
            | SizeExpr::StringLength
            | SizeExpr::Opaque => None,
        }
    }

    fn resolve(&mut self, unit: Option<UnitIndex>, ty: &TypeRef) -> Option<NodeId> {
        self.index.resolve(self.types, unit, ty)
    }

    /// Offset in bytes of a member by its path (`header.length`), through anonymous members too.
    fn member_offset(&self, node: NodeId, path: &str) -> Option<u64> {
        let mut node = node;
        let mut offset = 0;
        for name in path.split('.') {
            let (at, ty) = self.member(node, name)?;
            offset += at;
            node = ty;
        }
        Some(offset)
    }

    fn member(&self, node: NodeId, name: &str) -> Option<(u64, NodeId)> {
        let Type::Composite { members, .. } = self.types.get(node) else { return None };
        members.iter().find_map(|m| {
            if m.name == name {
                Some((m.offset, m.ty))
            } else if m.name.is_empty() {
                self.member(m.ty, name).map(|(at, ty)| (m.offset + at, ty))
            } else {
                None
            }
        })
    }
}
