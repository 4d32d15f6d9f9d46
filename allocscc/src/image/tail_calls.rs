//! What return address a function sees that was reached by a jump.
//!
//! `T *new_t(void) { return malloc(sizeof (T)); }` becomes `jmp malloc`: malloc returns to whoever called `new_t`. So the
//! return address of each call of `new_t` stands for the site in it too, and so on through functions that jump to
//! `new_t` in their turn.

use std::collections::BTreeSet;

use anyhow::Result;
use rustc_hash::{FxHashMap, FxHashSet};

use super::branches::Branches;
use super::calls::{self, Svma};

/// Longest chain of jumps that is followed.
const MAX_JUMPS: usize = 8;

/// For each return address behind a direct call that leads to one of the tail calls `jumps` (addresses behind the jump):
/// the tail calls that it leads to. Calls from other files and through pointers are not seen.
pub fn returns_seen(branches: &Branches<'_, '_>, jumps: &[Svma]) -> Result<Vec<(Svma, Vec<Svma>)>> {
    let enclosing = |behind: Svma| {
        let after = branches.starts.partition_point(|&s| s < behind);
        after.checked_sub(1).map(|i| branches.starts[i])
    };
    let mut leads_to: FxHashMap<Svma, BTreeSet<Svma>> = FxHashMap::default();
    for &jump in jumps {
        if let Some(entry) = enclosing(jump) {
            leads_to.entry(entry).or_default().insert(jump);
        }
    }
    let mut seen: FxHashMap<Svma, BTreeSet<Svma>> = FxHashMap::default();
    let mut changed: FxHashSet<Svma> = leads_to.keys().copied().collect();
    for _ in 0..MAX_JUMPS {
        if changed.is_empty() {
            break;
        }
        let mut next = FxHashSet::default();
        for call in calls::to_entries(branches, &changed)? {
            let tails = leads_to.get(&call.callee).cloned().unwrap_or_default();
            if !call.is_tail {
                seen.entry(call.return_svma).or_default().extend(tails);
            } else if let Some(entry) = enclosing(call.return_svma) {
                let known = leads_to.entry(entry).or_default();
                let before = known.len();
                known.extend(tails);
                if known.len() > before {
                    next.insert(entry);
                }
            }
        }
        changed = next;
    }
    let mut seen: Vec<_> =
        seen.into_iter().map(|(address, tails)| (address, tails.into_iter().collect())).collect();
    seen.sort_by_key(|(address, _)| *address);
    Ok(seen)
}
