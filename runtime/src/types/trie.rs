//! A map from digests to types that grows without locks: a hash trie.
//!
//! A slot is empty, or holds a type, or a node of sixteen slots for the next four bits of the digest. It changes by
//! compare-and-exchange only, and only forwards: empty, type, node. Nothing is removed.
//!
//! # Safety
//! A slot's low bit says whether the rest is the address of a [`Node`] or of a type; both stay for ever.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicUsize, Ordering};

use allocs_metadata::digest::Digest;

use super::uniqtype::{TypeRef, Uniqtype};
use crate::private_heap;

const ROOT_BITS: u32 = 10;
const NODE_BITS: u32 = 4;
const IS_NODE: usize = 1;

/// The map.
#[derive(Debug)]
pub struct Trie {
    root: [AtomicUsize; 1 << ROOT_BITS],
}

struct Node {
    slots: [AtomicUsize; 1 << NODE_BITS],
}

enum Slot {
    Empty,
    Type(TypeRef),
    Node(&'static Node),
}

impl Trie {
    /// An empty map, to be a static.
    #[allow(clippy::new_without_default)]
    #[must_use]
    pub const fn new() -> Trie {
        Trie { root: [const { AtomicUsize::new(0) }; 1 << ROOT_BITS] }
    }

    /// The type of a digest.
    #[must_use]
    pub fn get(&self, digest: Digest) -> Option<TypeRef> {
        let mut depth = 0;
        let mut slot = self.root_slot(digest);
        loop {
            match read(slot.load(Ordering::Acquire)) {
                Slot::Empty => return None,
                Slot::Type(ty) => return (ty.digest() == digest).then_some(ty),
                Slot::Node(node) => slot = node.slot(digest, depth),
            }
            depth += 1;
        }
    }

    /// The type of a digest; where there is none, the one that `make` gives becomes it. `None` if `make` gives none or there is
    /// no memory. `make` must give a type of this digest. It may be called in vain, when another thread is faster.
    pub fn get_or_insert(&self, digest: Digest, make: impl Fn() -> Option<TypeRef>) -> Option<TypeRef> {
        let mut depth = 0;
        let mut slot = self.root_slot(digest);
        let mut made = None;
        loop {
            let seen = slot.load(Ordering::Acquire);
            let replacement = match read(seen) {
                Slot::Type(ty) if ty.digest() == digest => return Some(ty),
                Slot::Node(node) => {
                    slot = node.slot(digest, depth);
                    depth += 1;
                    continue;
                }
                Slot::Empty => {
                    if made.is_none() {
                        made = Some(make()?);
                    }
                    made?.as_ptr() as usize
                }
                Slot::Type(other) => {
                    let node = private_heap::alloc_value(Node {
                        slots: [const { AtomicUsize::new(0) }; 1 << NODE_BITS],
                    })?;
                    node.slot(other.digest(), depth).store(seen, Ordering::Relaxed);
                    core::ptr::from_ref(node) as usize | IS_NODE
                }
            };
            // A failed exchange means that the slot went forward: look again.
            let _ = slot.compare_exchange(seen, replacement, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Calls `f` for each type until it gives something.
    pub fn find<T>(&self, mut f: impl FnMut(TypeRef) -> Option<T>) -> Option<T> {
        self.root.iter().find_map(|slot| find_below(slot, &mut f))
    }

    fn root_slot(&self, digest: Digest) -> &AtomicUsize {
        &self.root[digest[0] as usize & ((1 << ROOT_BITS) - 1)]
    }
}

/// As deep as the trie, which is at most the bits of a digest.
fn find_below<T>(slot: &AtomicUsize, f: &mut impl FnMut(TypeRef) -> Option<T>) -> Option<T> {
    match read(slot.load(Ordering::Acquire)) {
        Slot::Empty => None,
        Slot::Type(ty) => f(ty),
        Slot::Node(node) => node.slots.iter().find_map(|slot| find_below(slot, f)),
    }
}

impl Node {
    /// The slot for the bits behind those of the root and of `depth` nodes. Two digests that differ part before the
    /// bits run out.
    fn slot(&self, digest: Digest, depth: u32) -> &AtomicUsize {
        let bits = u128::from(digest[0]) | u128::from(digest[1]) << 64;
        let shift = (ROOT_BITS + NODE_BITS * depth).min(124);
        &self.slots[(bits >> shift) as usize & ((1 << NODE_BITS) - 1)]
    }
}

fn read(word: usize) -> Slot {
    if word & IS_NODE != 0 {
        // SAFETY: a word with this bit was stored by `get_or_insert` and is the address of a node.
        return Slot::Node(unsafe { &*((word & !IS_NODE) as *const Node) });
    }
    // SAFETY: any other word is 0 or the address of a type.
    unsafe { TypeRef::from_ptr(word as *const Uniqtype) }.map_or(Slot::Empty, Slot::Type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::uniqtype::{Shape, reserve};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn shape(digest: Digest) -> Shape {
        Shape { digest, size: 4, word: 2, flags: 0, related_count: 1 }
    }

    proptest! {
        #[test]
        fn a_trie_is_a_map(keys in prop::collection::vec((0u64..4, prop_oneof![0u64..8, any::<u64>()]), 0..300)) {
            let trie = Trie::new();
            let mut model = HashMap::new();
            for (low, high) in keys {
                // Digests that share many bits, as no real ones do.
                let digest = [low << 62 | 5, high << 60];
                let ty = trie.get_or_insert(digest, || reserve(&shape(digest))).unwrap();
                prop_assert!(*model.entry(digest).or_insert(ty) == ty);
            }
            for (&digest, &ty) in &model {
                prop_assert_eq!(trie.get(digest), Some(ty));
            }
            let mut count = 0;
            prop_assert_eq!(trie.find(|_| { count += 1; None::<()> }), None);
            prop_assert_eq!(count, model.len());
            prop_assert_eq!(trie.get([0, 0]), None);
        }
    }

    #[test]
    fn threads_that_insert_one_digest_get_one_type() {
        static TRIE: Trie = Trie::new();
        let all: std::vec::Vec<std::vec::Vec<usize>> = std::thread::scope(|scope| {
            let threads: std::vec::Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..2000u64)
                            .map(|n| {
                                let digest = [n << 60, n];
                                let ty = TRIE.get_or_insert(digest, || reserve(&shape(digest))).unwrap();
                                ty.as_ptr() as usize
                            })
                            .collect()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|addresses| *addresses == all[0]));
    }
}
