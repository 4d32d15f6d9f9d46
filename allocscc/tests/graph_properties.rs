//! Properties of merged graphs, on random ones.

use std::collections::HashMap;

use allocscc::graph::{Canonical, CompositeKind, Member, Naming, NodeId, Type, TypeGraph};
use proptest::prelude::*;

/// A node by small numbers: kind, name, references.
type Seed = (u8, u8, Vec<prop::sample::Index>);

fn graph_of(seeds: &[Seed]) -> Vec<Type> {
    let node = |i: &prop::sample::Index| NodeId(i.index(seeds.len()) as u32);
    seeds
        .iter()
        .map(|(kind, name, references)| match (kind % 4, &references[..]) {
            (0, [pointee, ..]) => Type::Pointer(node(pointee)),
            (1, [element, ..]) => Type::Array {
                element: node(element),
                length: Some(u64::from(*name) + 1),
                precise_empty: false,
            },
            (2, [result, parameters @ ..]) => Type::Function {
                result: node(result),
                parameters: parameters.iter().map(node).collect(),
                variadic: false,
            },
            _ => Type::Composite {
                kind: CompositeKind::Struct,
                naming: Naming::Tag(format!("s{name}")),
                size: Some(8),
                members: references
                    .iter()
                    .map(|r| Member { name: String::new(), ty: node(r), offset: 0, may_be_invalid: false })
                    .collect(),
                incomplete: false,
            },
        })
        .collect()
}

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let references = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    prop::collection::vec((0..4u8, 0..2u8, references), 1..24)
}

fn build(types: &[Type]) -> TypeGraph {
    let mut graph = TypeGraph::new();
    types.iter().for_each(|ty| {
        graph.add(ty.clone());
    });
    graph
}

/// The partition by the slowest means: all nodes again and again, until nothing splits.
fn slow_partition(types: &[Type]) -> Vec<usize> {
    let mut classes = vec![0; types.len()];
    loop {
        let mut known: HashMap<(usize, Type), usize> = HashMap::new();
        let next: Vec<usize> = types
            .iter()
            .zip(&classes)
            .map(|(ty, &class)| {
                let mut signature = ty.clone();
                signature.for_each_child_mut(|c| *c = NodeId(classes[c.0 as usize] as u32));
                let fresh = known.len();
                *known.entry((class, signature)).or_insert(fresh)
            })
            .collect();
        if known.len() == classes.iter().collect::<std::collections::HashSet<_>>().len() {
            return next;
        }
        classes = next;
    }
}

/// Whether C has such types: every cycle passes a struct.
fn is_possible(types: &[Type]) -> bool {
    let mut settled = vec![false; types.len()];
    loop {
        let mut changed = false;
        for (i, ty) in types.iter().enumerate() {
            let mut ready = true;
            ty.for_each_child(|c| ready &= settled[c.0 as usize]);
            if !settled[i] && (ready || matches!(ty, Type::Composite { .. })) {
                settled[i] = true;
                changed = true;
            }
        }
        if !changed {
            return settled.iter().all(|&s| s);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn types_are_merged_just_when_they_are_equal(seeds in seeds()) {
        let types = graph_of(&seeds);
        let (_, became) = Canonical::of(&build(&types));
        let classes = slow_partition(&types);
        for i in 0..types.len() {
            for j in 0..i {
                prop_assert_eq!(became[i] == became[j], classes[i] == classes[j], "{} and {}", i, j);
            }
        }
    }

    #[test]
    fn digests_differ_just_when_types_do(seeds in seeds()) {
        let types = graph_of(&seeds);
        prop_assume!(is_possible(&types));
        let (merged, _) = Canonical::of(&build(&types));
        let mut digests: Vec<_> = merged.graph().ids().map(|id| merged.digest(id)).collect();
        digests.sort_unstable();
        digests.dedup();
        prop_assert_eq!(digests.len(), merged.graph().len());
    }

    #[test]
    fn digests_depend_on_nothing_else(seeds in seeds(), others in seeds(), shift in any::<prop::sample::Index>()) {
        let types = graph_of(&seeds);
        prop_assume!(is_possible(&types));
        let (alone, became_alone) = Canonical::of(&build(&types));
        // The same types behind others, in another order, and twice.
        let mut together = graph_of(&others);
        let shift = shift.index(types.len());
        let mut places = Vec::new();
        for _copy in 0..2 {
            let base = together.len();
            let place = |i: usize| base + (i + shift) % types.len();
            let mut copies = vec![Type::Void; types.len()];
            for (i, ty) in types.iter().enumerate() {
                let mut ty = ty.clone();
                ty.for_each_child_mut(|c| *c = NodeId(place(c.0 as usize) as u32));
                copies[place(i) - base] = ty;
            }
            places.push((0..types.len()).map(place).collect::<Vec<_>>());
            together.extend(copies);
        }
        let (merged, became) = Canonical::of(&build(&together));
        for places in places {
            for (i, place) in places.into_iter().enumerate() {
                prop_assert_eq!(alone.digest(became_alone[i]), merged.digest(became[place]));
            }
        }
    }

    #[test]
    fn a_type_that_is_there_is_found_again(seeds in seeds()) {
        let types = graph_of(&seeds);
        prop_assume!(is_possible(&types));
        let (mut merged, _) = Canonical::of(&build(&types));
        for id in merged.graph().ids() {
            let ty = merged.get(id).clone();
            prop_assert_eq!(merged.intern(ty), id);
        }
    }
}
