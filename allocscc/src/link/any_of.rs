//! The site that is one of several.

use allocs_metadata::Evidence;

use super::heap_types::HeapTypes;
use crate::emit::SiteInput;
use crate::image::calls::Svma;
use crate::sites::explain::Explanation;

/// The site at an address that is any of several sites: what it allocates is one of what they allocate, as sure as the least sure.
pub(super) fn any_of(return_svma: Svma, sites: &[&SiteInput], types: &mut HeapTypes<'_>) -> SiteInput {
    let first = sites[0];
    let evidence = sites.iter().map(|s| s.evidence).reduce(Evidence::least).unwrap_or(Evidence::None);
    let node = if evidence == Evidence::None {
        types.types.bytes()
    } else {
        types.one_of(&sites.iter().map(|s| s.node).collect::<Vec<_>>())
    };
    let unknown = sites.iter().find_map(|s| s.why.reason.clone());
    let mut steps = Vec::new();
    for step in sites.iter().flat_map(|s| &s.why.steps) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    SiteInput {
        return_svma: return_svma.0,
        node,
        evidence,
        why: Explanation { reason: unknown, steps },
        flags: sites.iter().fold(u8::MAX, |all, s| all & s.flags),
        hop: sites.iter().map(|s| s.hop).reduce(|one, other| one.and(other)).flatten(),
        ..first.clone()
    }
}
