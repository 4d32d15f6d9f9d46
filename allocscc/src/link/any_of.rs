//! The site that is one of several.

use allocs_metadata::Evidence;

use super::heap_types::HeapTypes;
use crate::emit::SiteInput;
use crate::image::calls::Svma;
use crate::sites::explain::{Explanation, Step, StepKind};
use crate::sites::facts::Place;

/// The site at an address that is any of several sites: what it allocates is one of what they allocate, as sure as the least sure.
pub(super) fn any_of(return_svma: Svma, sites: &[&SiteInput], types: &mut HeapTypes<'_>) -> SiteInput {
    let first = sites[0];
    let evidence = sites.iter().map(|s| s.evidence).reduce(Evidence::least).unwrap_or(Evidence::None);
    let node = if evidence == Evidence::None {
        types.types.bytes()
    } else {
        types.one_of(&sites.iter().map(|s| s.node).collect::<Vec<_>>())
    };
    let mut why = Explanation::of_any(sites.iter().map(|site| &site.why));
    if evidence != Evidence::None && sites.iter().any(|site| site.node != first.node) {
        why.steps.push(Step {
            kind: StepKind::Union,
            number: 0,
            place: Place::default(),
            text: "several calls of the source are this instruction".to_owned(),
        });
    }
    SiteInput {
        return_svma: return_svma.0,
        node,
        evidence,
        why,
        flags: sites.iter().fold(u8::MAX, |all, s| all & s.flags),
        conditions: sites.iter().flat_map(|s| s.conditions.iter().copied()).collect(),
        hop: sites.iter().map(|s| s.hop).reduce(|one, other| one.and(other)).flatten(),
        ..first.clone()
    }
}
