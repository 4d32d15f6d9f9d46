//! The sites in objects built elsewhere, by other compilers, and wherever the source was not read.

use std::ops::Range;

use allocs_metadata::Evidence;
use object::read::elf::{ElfFile64, ElfSymbol64};
use object::{Object, ObjectSymbol, SymbolKind};
use rustc_hash::FxHashMap;

use super::matching::plain_callee;
use super::receivers::Results;
use crate::dwarf::Contents;
use crate::dwarf::cfa::CfaRules;
use crate::dwarf::units::Units;
use crate::emit::SiteInput;
use crate::graph::names::Names;
use crate::image::calls::{CallInstruction, Svma};
use crate::sites::explain::{Explanation, Reason};
use crate::sites::functions::{DeclaredFunctions, Kind, is_operator_new};

/// Whether the source says nothing at all of a call: it is in an object built elsewhere, or in a place that was not read.
pub(super) fn is_foreign(site: &SiteInput) -> bool {
    let reason = site.why.reason.as_ref().map(|(reason, _)| *reason);
    let is_without_source =
        matches!(reason, Some(Reason::NoFacts | Reason::NoPlace | Reason::NotRead | Reason::NoMatch));
    site.evidence == Evidence::None && site.hop.is_none() && is_without_source
}

/// The code of `operator new` where the file defines it: because the program replaces it, or the library of C++ is linked into it.
/// It allocates for its caller.
fn operators_new(file: &ElfFile64<'_>) -> Vec<Range<u64>> {
    let is_operator = |symbol: &ElfSymbol64<'_, '_>| {
        symbol.kind() == SymbolKind::Text
            && symbol.is_definition()
            && symbol.name().is_ok_and(is_operator_new)
    };
    let symbols = file.symbols().chain(file.dynamic_symbols()).filter(is_operator);
    symbols.map(|symbol| symbol.address()..symbol.address().saturating_add(symbol.size())).collect()
}

/// The calls of which no source says anything.
pub(super) struct Foreign<'a, 'data, 'units> {
    /// The calls, by ascending address.
    pub(super) calls: Vec<&'a CallInstruction<Option<String>>>,
    pub(super) file: &'a ElfFile64<'data>,
    pub(super) units: &'a Units<'units>,
    pub(super) frames: &'a CfaRules,
    pub(super) declared: &'a DeclaredFunctions,
}

impl Foreign<'_, '_, '_> {
    /// Gives the sites of these calls what the debug information says of them.
    pub(super) fn add_to(
        &self,
        inputs: &mut FxHashMap<Svma, SiteInput>,
        contents: &mut Contents,
        names: &mut Names,
    ) {
        if self.calls.is_empty() {
            return;
        }
        let returns: Vec<Svma> = self.calls.iter().map(|call| call.return_svma).collect();
        let results =
            Results::read(self.file, self.units, &contents.types, self.frames, &contents.statics, &returns);
        let operators = operators_new(self.file);
        for call in &self.calls {
            let Some(input) = inputs.get_mut(&call.return_svma) else { continue };
            if self.declared.declares(&input.function) {
                // It was declared to allocate for its caller.
                input.hop = self.frames.frame_at(call.return_svma.0 - 1);
                continue;
            }
            let callee = call.callee.as_deref().map(plain_callee);
            let Some(callee) = callee.and_then(|name| self.declared.find(name)) else { continue };
            if operators.iter().any(|code| code.contains(&(call.return_svma.0 - 1))) {
                // One that keeps something in front of the block gives another one than it gets.
                if results.size(call.return_svma, &callee).constant == 0 {
                    input.hop = self.frames.frame_at(call.return_svma.0 - 1);
                }
                continue;
            }
            // What is behind a jump does not get what the callee returns.
            if call.is_tail && callee.kind != Kind::Text {
                continue;
            }
            if let Some(claim) = results.claim(call.return_svma, &callee, &mut contents.types.types, names) {
                (input.node, input.evidence, input.flags) = (claim.node, claim.evidence, claim.flags);
                input.why = Explanation::default();
            }
        }
    }
}
