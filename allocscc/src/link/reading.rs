//! Where in the source a call instruction is: its sites, through wrappers that were inlined.

use allocs_metadata::{Evidence, SITE_IS_BUFFER, SITE_RETYPES};

use super::matching::{CallPlace, POINTER, SiteIndex, without_suffix};
use super::unmatched::Sources;
use super::wrappers::Conditions;
use crate::dwarf::cfa::{CfaRules, FrameRule};
use crate::dwarf::index::TypeIndex;
use crate::dwarf::lines::{ContextIndex, LineIndex, SourceFrame};
use crate::dwarf::units::{UnitIndex, Units};
use crate::emit::SiteInput;
use crate::graph::NodeId;
use crate::image::calls::{CallInstruction, Svma};
use crate::sites::explain::{Explanation, Reason};
use crate::sites::solve::SolvedSite;
use crate::sites::spelling;

/// What the source says of all sites, and where the instructions come from.
pub(super) struct Source<'a, 'data> {
    /// The units of the debug information.
    pub(super) units: &'a Units<'data>,
    /// The types by their names in the source, which knows units by theirs.
    pub(super) types: &'a TypeIndex,
    /// Source positions.
    pub(super) lines: &'a LineIndex,
    /// How far frames reach.
    pub(super) frames: &'a CfaRules,
    /// The sites by place.
    pub(super) index: &'a SiteIndex<'a>,
    /// The sites.
    pub(super) solved: &'a [SolvedSite],
    /// What each of them holds; `None` if that is not known.
    pub(super) nodes: &'a [Option<NodeId>],
    /// Why there is none for a call.
    pub(super) sources: &'a Sources<'a, 'data>,
    /// What a block of unknown type holds.
    pub(super) bytes: NodeId,
    /// What must be so of functions in other files.
    pub(super) conditions: &'a Conditions<'a>,
    /// The unit of each site.
    pub(super) unit_of_site: &'a [Option<UnitIndex>],
}

impl Source<'_, '_> {
    /// What the source has for one call instruction. A wrapper that was inlined is passed over: the site is in the function that it
    /// was inlined into.
    pub(super) fn reading<'c>(&'c self, call: &'c CallInstruction<Option<String>>) -> Reading<'c> {
        let mut callee = call.callee.as_deref().map_or(POINTER, without_suffix);
        let positions = self.positions(call.return_svma, callee);
        let place = positions.first().map(|position| position.frame);
        let mut reading = Reading { call, place, steps: Vec::new(), hop: None, lost: None };
        for Position { frame, context } in positions {
            let found = self.found(&frame, callee);
            // The compiler split a function, and this is the call of one part by the other.
            let is_within = found.is_empty() && callee == frame.function;
            if found.is_empty() && !is_within {
                reading.lost = frame.unit.filter(|_| frame.line == 0);
                break;
            }
            let is_in_wrapper = is_within || found.iter().all(|&i| self.solved[i].is_in_wrapper);
            if !found.is_empty() {
                reading.place = Some(frame);
                reading.steps.push(Step { context, column: frame.column, found });
            }
            if is_in_wrapper && !frame.is_inlined {
                reading.hop = self.frames.frame_at(call.return_svma.0 - 1);
            }
            if !is_in_wrapper || !frame.is_inlined {
                break;
            }
            callee = frame.function;
        }
        reading
    }

    /// Where the call before an address is in the source, innermost first.
    fn positions(&self, return_svma: Svma, callee: &str) -> Vec<Position<'_>> {
        // The return address may belong to the next line, or to the next function.
        let svma = return_svma.0 - 1;
        let contexts = self.lines.contexts_at(svma).into_iter().map(Some).chain(std::iter::repeat(None));
        let frames = self.lines.frames_at(svma).into_iter().zip(contexts);
        let positions: Vec<_> = frames.map(|(frame, context)| Position { frame, context }).collect();
        let Some(&Position { frame: innermost, .. }) = positions.first() else { return positions };
        if callee == innermost.function || !self.found(&innermost, callee).is_empty() {
            return positions;
        }
        // The range of a function that was inlined beside the call may hold the call too; the line is right all the same.
        let outer = (1..positions.len()).map(|skipped| {
            let mut outer = positions[skipped..].to_vec();
            let SourceFrame { file, line, column, .. } = innermost;
            outer[0].frame = SourceFrame { file, line, column, ..outer[0].frame };
            outer
        });
        let is_known = |outer: &Vec<Position<'_>>| !self.found(&outer[0].frame, callee).is_empty();
        outer.into_iter().find(is_known).unwrap_or(positions)
    }

    /// The sites of the source that a call at this position may be.
    fn found(&self, frame: &SourceFrame<'_>, callee: &str) -> Vec<usize> {
        let unit = frame.unit.and_then(|unit| self.unit(unit));
        let SourceFrame { function, file, line, .. } = *frame;
        self.index.find(&CallPlace { unit, function, file, line, callee })
    }

    /// A source that was compiled twice is one unit here, as it is for the facts.
    pub(super) fn unit(&self, unit: UnitIndex) -> Option<UnitIndex> {
        let unit = self.units.get(unit);
        self.types.unit(unit.name(), unit.directory())
    }

    /// The site of a call of which nothing is known but where it is.
    pub(super) fn unknown(
        &self,
        call: &CallInstruction<Option<String>>,
        frame: Option<&SourceFrame<'_>>,
    ) -> SiteInput {
        SiteInput {
            return_svma: call.return_svma.0,
            node: self.bytes,
            file: frame.map_or(String::new(), |frame| frame.file.to_owned()),
            line: frame.map_or(0, |frame| frame.line),
            function: frame.map_or(String::new(), |frame| frame.function.to_owned()),
            callee: call.callee.clone().unwrap_or_default(),
            evidence: Evidence::None,
            flags: 0,
            hop: None,
            why: Explanation {
                reason: Some(self.sources.reason(frame, self.types)),
                ..Explanation::default()
            },
            conditions: Vec::new(),
        }
    }

    /// A site, if it is this one.
    pub(super) fn input(&self, solved: usize, unknown: &SiteInput) -> SiteInput {
        let site = &self.solved[solved];
        let why = self.sources.with_functions_seen(site.why.clone());
        match self.nodes[solved] {
            Some(node) => {
                SiteInput { node, evidence: site.evidence, flags: flags(site), why, ..unknown.clone() }
            }
            None if why.reason.is_some() => SiteInput { why, ..unknown.clone() },
            None => {
                let reason = Some((Reason::NoType, spelling::heap_type(&site.ty)));
                SiteInput { why: Explanation { reason, ..why }, ..unknown.clone() }
            }
        }
    }
}

/// A place in the source, and the copy of the function that it is in.
#[derive(Clone, Copy)]
struct Position<'a> {
    frame: SourceFrame<'a>,
    context: Option<ContextIndex>,
}

/// What the source has for a call instruction.
pub(super) struct Reading<'a> {
    /// The instruction.
    pub(super) call: &'a CallInstruction<Option<String>>,
    /// Where the source says that a block from there comes from.
    pub(super) place: Option<SourceFrame<'a>>,
    /// From the call itself through wrappers that were inlined.
    pub(super) steps: Vec<Step>,
    /// The call is in a wrapper that was not inlined.
    pub(super) hop: Option<FrameRule>,
    /// The call is not in these steps, but somewhere in this unit: the compiler gave it line 0.
    pub(super) lost: Option<UnitIndex>,
}

/// The sites that a call may be, in one function.
pub(super) struct Step {
    /// The copy of the function's body.
    pub(super) context: Option<ContextIndex>,
    /// The column of the call.
    pub(super) column: u32,
    /// The sites.
    pub(super) found: Vec<usize>,
}

fn flags(site: &SolvedSite) -> u8 {
    let buffer = if site.is_buffer { SITE_IS_BUFFER } else { 0 };
    let retypes = if site.retypes { SITE_RETYPES } else { 0 };
    buffer | retypes
}
