//! Which types are equal: the coarsest partition of the nodes in which the members of a class say the same of themselves
//! and refer to the same classes.
//!
//! Classes start as "says the same of itself" and are split until stable. A node is looked at again only when a type
//! that it refers to got a new class.

use std::hash::Hasher;

use allocs_metadata::digest::Digest;
use rustc_hash::{FxHashMap, FxHasher};

/// Who refers to whom, in two arrays.
pub(crate) struct Edges {
    starts: Vec<u32>,
    targets: Vec<u32>,
}

impl Edges {
    /// The edges of nodes that are visited in order.
    pub(crate) fn collect(nodes: usize, mut children: impl FnMut(usize, &mut Vec<u32>)) -> Self {
        let (mut starts, mut targets) = (Vec::with_capacity(nodes + 1), Vec::new());
        for node in 0..nodes {
            starts.push(targets.len() as u32);
            children(node, &mut targets);
        }
        starts.push(targets.len() as u32);
        Edges { starts, targets }
    }

    pub(crate) fn of(&self, node: u32) -> &[u32] {
        &self.targets[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    pub(crate) fn len(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    fn reversed(&self) -> Edges {
        let mut starts = vec![0u32; self.starts.len()];
        for &target in &self.targets {
            starts[target as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut targets = vec![0; self.targets.len()];
        for node in 0..self.len() {
            for &target in self.of(node) {
                let slot = &mut next[target as usize];
                targets[*slot as usize] = node;
                *slot += 1;
            }
        }
        Edges { starts, targets }
    }
}

/// The class of each node, given what each says of itself. Classes are numbered from 0 without gaps.
pub(crate) fn refine(labels: &[Digest], edges: &Edges) -> Classes {
    let mut classes = Classes::by_label(labels);
    let users = edges.reversed();
    let mut dirty: Vec<u32> = (0..edges.len()).filter(|&n| !edges.of(n).is_empty()).collect();
    let mut is_dirty = vec![false; labels.len()];
    while !dirty.is_empty() {
        let moved = classes.split(&dirty, edges);
        dirty.clear();
        for node in moved {
            for &user in users.of(node) {
                if !std::mem::replace(&mut is_dirty[user as usize], true) {
                    dirty.push(user);
                }
            }
        }
        for &node in &dirty {
            is_dirty[node as usize] = false;
        }
    }
    classes
}

/// A partition of the nodes.
pub(crate) struct Classes {
    /// Class by node.
    pub(crate) of: Vec<u32>,
    /// Number of members by class.
    sizes: Vec<u32>,
}

impl Classes {
    fn by_label(labels: &[Digest]) -> Self {
        let mut known: FxHashMap<Digest, u32> = FxHashMap::default();
        let mut sizes = Vec::new();
        let of = labels
            .iter()
            .map(|label| {
                let class = *known.entry(*label).or_insert_with(|| {
                    sizes.push(0);
                    sizes.len() as u32 - 1
                });
                sizes[class as usize] += 1;
                class
            })
            .collect();
        Classes { of, sizes }
    }

    /// Number of classes.
    pub(crate) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Splits the classes of `dirty` nodes by the classes that these refer to, and returns the nodes whose class changed.
    ///
    /// A dirty node refers to a class that is new since its class was last split (or was never looked at, with all
    /// its class), so it never belongs with the members of its class that are not dirty. Those keep the class's number.
    fn split(&mut self, dirty: &[u32], edges: &Edges) -> Vec<u32> {
        let signature = |node: u32| edges.of(node).iter().map(|&child| self.of[child as usize]);
        let mut keyed: Vec<(u32, u64, u32)> = dirty
            .iter()
            .map(|&node| {
                let mut hasher = FxHasher::default();
                signature(node).for_each(|class| hasher.write_u32(class));
                (self.of[node as usize], hasher.finish(), node)
            })
            .collect();
        keyed.sort_unstable_by(|a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| signature(a.2).cmp(signature(b.2)))
        });
        let same_group = |a: &(u32, u64, u32), b: &(u32, u64, u32)| {
            (a.0, a.1) == (b.0, b.1) && signature(a.2).eq(signature(b.2))
        };
        let groups: Vec<(u32, Vec<u32>)> = keyed
            .chunk_by(same_group)
            .map(|group| (group[0].0, group.iter().map(|k| k.2).collect()))
            .collect();

        let mut moved = Vec::new();
        for of_class in groups.chunk_by(|a, b| a.0 == b.0) {
            let class = of_class[0].0;
            let dirty_members: usize = of_class.iter().map(|(_, nodes)| nodes.len()).sum();
            let clean_members_stay = (self.sizes[class as usize] as usize) > dirty_members;
            let largest = (0..of_class.len()).max_by_key(|&i| of_class[i].1.len());
            for (i, (_, nodes)) in of_class.iter().enumerate() {
                if !clean_members_stay && Some(i) == largest {
                    continue;
                }
                let new = self.sizes.len() as u32;
                self.sizes.push(nodes.len() as u32);
                self.sizes[class as usize] -= nodes.len() as u32;
                for &node in nodes {
                    self.of[node as usize] = new;
                    moved.push(node);
                }
            }
        }
        moved
    }
}
