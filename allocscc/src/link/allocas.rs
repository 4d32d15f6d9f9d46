//! The functions that call alloca: where the library may look for headers of blocks on the stack.

use std::collections::BTreeMap;

use crate::dwarf::Contents;
use crate::dwarf::units::Units;
use crate::emit::{AllocaInput, SiteInput};
use crate::image::allocas;

/// All code of the functions that have one of the sites.
pub(super) fn code(units: &Units<'_>, contents: &Contents, sites: &[SiteInput]) -> Vec<AllocaInput> {
    let of_alloca = sites.iter().filter(|site| site.callee == allocas::CALLEE);
    let mut functions: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for call in of_alloca.map(|site| site.return_svma - 1) {
        if let Some(function) = contents.bodies.number_at(call) {
            functions.entry(function).or_default().push(call);
        }
    }
    let mut inputs = Vec::new();
    for (number, (function, calls)) in (0..).zip(&functions) {
        let body = contents.bodies.get(*function);
        let (described, hidden) = body.described(units, &contents.types, &contents.frames, calls);
        let pieces = described.into_iter().map(|code| (code, false));
        let pieces = pieces.chain(hidden.into_iter().map(|code| (code, true)));
        inputs.extend(pieces.map(|(code, hides)| AllocaInput { code, function: number, hides }));
    }
    inputs
}
