//! The types of a link unit with each type once, and its digest.

use rustc_hash::FxHashMap;

use super::digest::{Digest, Encoder, label};
use super::incomplete::refine_with_definitions;
use super::partition::Edges;
use super::{NodeId, Type, TypeGraph};

/// How often the nodes of a cycle are hashed again until their digests differ. Real types differ after a few rounds,
/// since every cycle passes a struct and structs have names; the bound is for broken files.
const MOST_ROUNDS: usize = 200;

/// A graph in which no two nodes are the same type.
#[derive(Default)]
pub struct Canonical {
    graph: TypeGraph,
    digests: Vec<Digest>,
    /// By the digest of what a node says of itself and the digests of what it refers to.
    known: FxHashMap<Digest, NodeId>,
    encoder: Encoder,
}

impl Canonical {
    /// Merges equal types. The second value says for each node of `graph` which node of the result it became.
    #[must_use]
    pub fn of(graph: &TypeGraph) -> (Canonical, Vec<NodeId>) {
        let mut encoder = Encoder::default();
        let labels: Vec<Digest> = graph.ids().map(|id| label(&mut encoder, graph.get(id))).collect();
        let classes = refine_with_definitions(graph, &labels);

        let mut merged = TypeGraph::new();
        let mut number = vec![None; classes.len()];
        let mut merged_labels = Vec::new();
        let mut became = vec![NodeId(0); graph.len()];
        // Definitions stand for their declarations, so they go first.
        for wanted_incomplete in [false, true] {
            for id in graph.ids().filter(|&id| graph.get(id).is_incomplete() == wanted_incomplete) {
                let slot = &mut number[classes.of[id.0 as usize] as usize];
                became[id.0 as usize] = *slot.get_or_insert_with(|| {
                    merged_labels.push(labels[id.0 as usize]);
                    merged.add(graph.get(id).clone())
                });
            }
        }
        merged.redirect(&became);
        let mut canonical = Canonical { graph: merged, encoder, ..Canonical::default() };
        canonical.digest_all(&merged_labels);
        (canonical, became)
    }

    /// The types.
    #[must_use]
    pub fn graph(&self) -> &TypeGraph {
        &self.graph
    }

    /// A type.
    #[must_use]
    pub fn get(&self, id: NodeId) -> &Type {
        self.graph.get(id)
    }

    /// The digest of a type.
    #[must_use]
    pub fn digest(&self, id: NodeId) -> Digest {
        self.digests[id.0 as usize]
    }

    /// The node of a type whose references are to nodes of this graph; added if there was none.
    pub fn intern(&mut self, ty: Type) -> NodeId {
        let label = label(&mut self.encoder, &ty);
        let step = step(&mut self.encoder, label, &ty, &self.digests);
        if let Some(&known) = self.known.get(&step) {
            return known;
        }
        let id = self.graph.add(ty);
        self.digests.push(step);
        self.known.insert(step, id);
        id
    }

    /// Digests of strongly connected components, those that others refer to first.
    fn digest_all(&mut self, labels: &[Digest]) {
        let graph = &self.graph;
        let edges = Edges::collect(graph.len(), |node, out| {
            graph.get(NodeId(node as u32)).for_each_child(|c| out.push(c.0));
        });
        self.digests = vec![Digest::default(); graph.len()];
        let mut position = vec![u32::MAX; graph.len()];
        components(&edges, |component| {
            if let [node] = *component
                && !edges.of(node).contains(&node)
            {
                let ty = self.graph.get(NodeId(node));
                self.digests[node as usize] =
                    step(&mut self.encoder, labels[node as usize], ty, &self.digests);
            } else {
                component.iter().enumerate().for_each(|(i, &node)| position[node as usize] = i as u32);
                digest_cycle(&mut self.encoder, component, &position, labels, &edges, &mut self.digests);
                component.iter().for_each(|&node| position[node as usize] = u32::MAX);
            }
        });
        self.known.reserve(self.graph.len());
        for id in self.graph.ids() {
            let step = step(&mut self.encoder, labels[id.0 as usize], self.graph.get(id), &self.digests);
            self.known.entry(step).or_insert(id);
        }
    }
}

/// Digest of a type from that of its label and those of the types that it refers to.
fn step(encoder: &mut Encoder, label: Digest, ty: &Type, digests: &[Digest]) -> Digest {
    encoder.start(b'N').digest(label);
    ty.for_each_child(|child| {
        encoder.digest(digests[child.0 as usize]);
    });
    encoder.finish()
}

/// Digests of the types of a cycle.
///
/// Round by round each node's colour takes in those of the nodes that it refers to, until all differ, which they do in
/// the end because no two of them are the same type. One more round then names every edge by the colours of its ends, so
/// that the sorted colours describe the whole component, and a colour names one node in it. Nothing depends on the
/// order of the nodes or on what lies outside the types that they refer to.
fn digest_cycle(
    encoder: &mut Encoder,
    component: &[u32],
    position: &[u32],
    labels: &[Digest],
    edges: &Edges,
    digests: &mut [Digest],
) {
    let mut colours: Vec<Digest> = component.iter().map(|&node| labels[node as usize]).collect();
    let mut next_round = |colours: &[Digest], digests: &[Digest]| -> Vec<Digest> {
        let colour = |(i, &node): (usize, &u32)| {
            encoder.start(b'R').digest(colours[i]);
            for &child in edges.of(node) {
                match position[child as usize] {
                    u32::MAX => encoder.number(0).digest(digests[child as usize]),
                    inside => encoder.number(1).digest(colours[inside as usize]),
                };
            }
            encoder.finish()
        };
        component.iter().enumerate().map(colour).collect()
    };
    for _ in 0..MOST_ROUNDS {
        if all_different(&colours) {
            break;
        }
        colours = next_round(&colours, digests);
    }
    let mut whole = next_round(&colours, digests);
    whole.sort_unstable();
    encoder.start(b'C');
    whole.iter().for_each(|&colour| {
        encoder.digest(colour);
    });
    let whole = encoder.finish();
    for (&node, &colour) in component.iter().zip(&colours) {
        digests[node as usize] = encoder.start(b'M').digest(whole).digest(colour).finish();
    }
}

fn all_different(colours: &[Digest]) -> bool {
    let mut sorted = colours.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// Calls `found` with each strongly connected component, after those that it refers to (Tarjan, without recursion).
fn components(edges: &Edges, mut found: impl FnMut(&[u32])) {
    const NEW: u32 = u32::MAX;
    let count = edges.len() as usize;
    let (mut order, mut low) = (vec![NEW; count], vec![0u32; count]);
    let mut on_stack = vec![false; count];
    let mut stack: Vec<u32> = Vec::new();
    let mut visits: Vec<(u32, usize)> = Vec::new();
    let mut next = 0;
    for root in 0..edges.len() {
        if order[root as usize] != NEW {
            continue;
        }
        visits.push((root, 0));
        while let Some(&mut (node, ref mut edge)) = visits.last_mut() {
            let n = node as usize;
            if *edge == 0 {
                (order[n], low[n]) = (next, next);
                next += 1;
                stack.push(node);
                on_stack[n] = true;
            }
            if let Some(&child) = edges.of(node).get(*edge) {
                *edge += 1;
                if order[child as usize] == NEW {
                    visits.push((child, 0));
                } else if on_stack[child as usize] {
                    low[n] = low[n].min(order[child as usize]);
                }
                continue;
            }
            visits.pop();
            if let Some(&(user, _)) = visits.last() {
                low[user as usize] = low[user as usize].min(low[n]);
            }
            if low[n] == order[n] {
                let start = stack.iter().rposition(|&s| s == node).unwrap_or(0);
                found(&stack[start..]);
                stack.drain(start..).for_each(|s| on_stack[s as usize] = false);
            }
        }
    }
}
