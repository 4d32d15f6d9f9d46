//! The types of a link unit with each type once, and its digest.

use allocs_metadata::digest::{Digest, Digester, Tag};
use rustc_hash::FxHashMap;

use super::digest::{self, is_own, label};
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
}

impl Canonical {
    /// Merges equal types. The second value says for each node of `graph` which node of the result it became.
    #[must_use]
    pub fn of(graph: &TypeGraph) -> (Canonical, Vec<NodeId>) {
        let labels: Vec<Digest> = graph.ids().map(|id| label(graph.get(id))).collect();
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
        let mut canonical = Canonical { graph: merged, ..Canonical::default() };
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
        let digest = digest::of(&ty, label(&ty), |child| self.digest(child));
        if let Some(&known) = self.known.get(&digest) {
            return known;
        }
        let id = self.graph.add(ty);
        self.digests.push(digest);
        self.known.insert(digest, id);
        id
    }

    /// Digests of strongly connected components, those that others refer to first.
    fn digest_all(&mut self, labels: &[Digest]) {
        let graph = &self.graph;
        let edges = Edges::collect(graph.len(), |node, out| {
            graph.get(NodeId(node as u32)).for_each_child(|c| out.push(c.0));
        });
        let mut digests = vec![Digest::default(); graph.len()];
        let mut position = vec![OUTSIDE; graph.len()];
        let follows = |node: u32, digests: &[Digest]| {
            digest::of(graph.get(NodeId(node)), labels[node as usize], |c| digests[c.0 as usize])
        };
        components(&edges, |component| {
            if let [node] = *component
                && !edges.of(node).contains(&node)
            {
                digests[node as usize] = follows(node, &digests);
                return;
            }
            component.iter().zip(0..).for_each(|(&node, i)| position[node as usize] = i);
            digest_cycle(component, &position, labels, &edges, &mut digests);
            digest_derived(graph, component, &position, &edges, &mut digests, follows);
            component.iter().for_each(|&node| position[node as usize] = OUTSIDE);
        });
        self.known.reserve(graph.len());
        for id in graph.ids() {
            self.known.entry(follows(id.0, &digests)).or_insert(id);
        }
        self.digests = digests;
    }
}

/// Position of a node that is not in the component at hand.
const OUTSIDE: u32 = u32::MAX;

/// Digests of the types of a cycle.
///
/// Round by round each node's colour takes in those of the nodes that it refers to, until all differ, which they do in
/// the end because no two of them are the same type. One more round then names every edge by the colours of its ends, so
/// that the sorted colours describe the whole component, and a colour names one node in it. Nothing depends on the
/// order of the nodes or on what lies outside the types that they refer to.
fn digest_cycle(
    component: &[u32],
    position: &[u32],
    labels: &[Digest],
    edges: &Edges,
    digests: &mut [Digest],
) {
    let mut colours: Vec<Digest> = component.iter().map(|&node| labels[node as usize]).collect();
    let next_round = |colours: &[Digest], digests: &[Digest]| -> Vec<Digest> {
        let colour = |(i, &node): (usize, &u32)| {
            let start = Digester::new(Tag::Composite).digest(colours[i]);
            let add = |d: Digester, &child: &u32| match position[child as usize] {
                OUTSIDE => d.word(0).digest(digests[child as usize]),
                inside => d.word(1).digest(colours[inside as usize]),
            };
            edges.of(node).iter().fold(start, add).finish()
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
    let whole = whole.into_iter().fold(Digester::new(Tag::Composite), Digester::digest).finish();
    for (&node, &colour) in component.iter().zip(&colours) {
        digests[node as usize] = Digester::new(Tag::Composite).digest(whole).digest(colour).finish();
    }
}

/// Gives the pointers, arrays and functions of a cycle the digests that follow from what they refer to, as outside of
/// cycles. One that refers to itself through no struct, which C does not have, keeps the digest that it has.
fn digest_derived(
    graph: &TypeGraph,
    component: &[u32],
    position: &[u32],
    edges: &Edges,
    digests: &mut [Digest],
    follows: impl Fn(u32, &[Digest]) -> Digest,
) {
    let mut waiting: Vec<u32> =
        component.iter().copied().filter(|&n| !is_own(graph.get(NodeId(n)))).collect();
    let mut is_waiting = vec![false; component.len()];
    waiting.iter().for_each(|&n| is_waiting[position[n as usize] as usize] = true);
    loop {
        let before = waiting.len();
        waiting.retain(|&node| {
            let is_settled = |&child: &u32| match position[child as usize] {
                OUTSIDE => true,
                inside => !is_waiting[inside as usize],
            };
            if !edges.of(node).iter().all(is_settled) {
                return true;
            }
            digests[node as usize] = follows(node, digests);
            is_waiting[position[node as usize] as usize] = false;
            false
        });
        if waiting.len() == before {
            return;
        }
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
