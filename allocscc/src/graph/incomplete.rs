//! Finds the definition that a declared struct, union or enum stands for.

use allocs_metadata::digest::Digest;
use rustc_hash::{FxHashMap, FxHashSet};

use super::partition::{Classes, Edges, refine};
use super::{CompositeKind, Naming, Type, TypeGraph};

/// A tag and the kind of type that bears it.
type Tag<'g> = (TagSpace, &'g str);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum TagSpace {
    Struct,
    Union,
    Enum,
}

/// The partition of the types after declared ones were replaced by their definitions: a declaration is in the class of
/// its definition where all definitions of its tag turn out equal, else it stays itself.
///
/// Whether definitions are equal may depend on what the declarations in them stand for. So every tag with a definition
/// is first taken to have only one, and those whose definitions then differ are taken back, until none is.
pub(crate) fn refine_with_definitions(graph: &TypeGraph, labels: &[Digest]) -> Classes {
    let mut definitions: FxHashMap<Tag<'_>, Vec<u32>> = FxHashMap::default();
    let mut declarations: FxHashMap<Tag<'_>, Vec<u32>> = FxHashMap::default();
    for id in graph.ids() {
        let ty = graph.get(id);
        if let Some(tag) = tag_of(ty) {
            let table = if ty.is_incomplete() { &mut declarations } else { &mut definitions };
            table.entry(tag).or_default().push(id.0);
        }
    }
    definitions.retain(|tag, _| declarations.contains_key(tag));

    let mut ambiguous: FxHashSet<Tag<'_>> = FxHashSet::default();
    loop {
        let mut stands_for: Vec<u32> = (0..graph.len() as u32).collect();
        for (tag, nodes) in &declarations {
            if let Some(found) = definitions.get(tag)
                && !ambiguous.contains(tag)
            {
                nodes.iter().for_each(|&node| stands_for[node as usize] = found[0]);
            }
        }
        let edges = Edges::collect(graph.len(), |node, out| {
            graph.get(super::NodeId(node as u32)).for_each_child(|c| out.push(stands_for[c.0 as usize]));
        });
        let mut classes = refine(labels, &edges);
        let before = ambiguous.len();
        ambiguous.extend(
            definitions.iter().filter(|(_, nodes)| !all_in_one_class(&classes, nodes)).map(|(t, _)| *t),
        );
        if ambiguous.len() == before {
            for (node, &target) in stands_for.iter().enumerate() {
                classes.of[node] = classes.of[target as usize];
            }
            return classes;
        }
    }
}

fn all_in_one_class(classes: &Classes, nodes: &[u32]) -> bool {
    nodes.iter().all(|&n| classes.of[n as usize] == classes.of[nodes[0] as usize])
}

fn tag_of(ty: &Type) -> Option<Tag<'_>> {
    match ty {
        Type::Enumeration { naming: Naming::Tag(tag), .. } => Some((TagSpace::Enum, tag)),
        Type::Composite { kind, naming: Naming::Tag(tag), .. } => match kind {
            CompositeKind::Struct | CompositeKind::Class => Some((TagSpace::Struct, tag)),
            CompositeKind::Union => Some((TagSpace::Union, tag)),
            CompositeKind::Synthetic | CompositeKind::SyntheticUnion => None,
        },
        _ => None,
    }
}
