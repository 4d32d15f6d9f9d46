//! Types, statics, frames and sites to the bytes of the metadata section.

mod aligned;
mod words;

use std::ops::Range;

pub use aligned::Aligned;

use allocs_metadata::{
    ALLOCA_HIDES, AllocaRecord, ConditionRecord, Evidence, Expectation, FrameRecord, Heap, HookRecord,
    HopRecord, MEMBER_MAY_BE_INVALID, MOST_DISPLACED, Reason, RelatedRecord, SavedRbp, SiteRecord,
    SlotRecord, StaticRecord, StepKind, StepRecord, StrRef, TYPE_INCOMPLETE, TYPE_IS_SYNTHETIC,
    TYPE_IS_UNION, TYPE_MAKES_PRECISE, TYPE_NAME_IS_TAG, TypeId, TypeRecord, UNBOUNDED_SIZE, VlaRecord,
    WrapperRecord,
};
use allocs_metadata_writer::Writer;
use anyhow::Context;
use rustc_hash::FxHashMap;

use crate::dwarf::cfa::{CallersRbp, FrameRule};
use crate::dwarf::frames::Frame;
use crate::dwarf::statics::Static;
use crate::graph::names::Names;
use crate::graph::{Canonical, CompositeKind, Member, Naming, NodeId, Type};
use crate::image::entry::Displaced;
use crate::sites::explain::{Explanation, Step};
use crate::sites::functions::HeapFunction;

/// More levels of pointers than this are not counted.
const MOST_LEVELS: u32 = 31;
/// The offset of a member has 56 bits.
const LARGEST_OFFSET: u64 = (1 << 56) - 1;

/// An allocation site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteInput {
    /// Return address of the call, in the file.
    pub return_svma: u64,
    /// What it allocates.
    pub node: NodeId,
    /// Source file; its basename is kept.
    pub file: String,
    /// Source line.
    pub line: u32,
    /// Function that holds the call.
    pub function: String,
    /// Function that is called.
    pub callee: String,
    /// Where the type was found.
    pub evidence: Evidence,
    /// `SITE_…` flags.
    pub flags: u8,
    /// The frame of the function that holds the call, if that allocates for its caller.
    pub hop: Option<FrameRule>,
    /// Why.
    pub why: Explanation,
    /// What must be so of functions in other files.
    pub conditions: Vec<ConditionInput>,
}

/// What must be so of a function in another file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConditionInput {
    /// Where the file keeps the function's address.
    pub slot_svma: u64,
    /// What is expected of it.
    pub expectation: Expectation,
    /// For [`Expectation::Signature`].
    pub signature: u64,
    /// For those of a parameter.
    pub parameter: u32,
}

/// A piece of the code of a function that calls alloca.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AllocaInput {
    /// The code.
    pub code: Range<u64>,
    /// The number of the function.
    pub function: u32,
    /// There may be arrays of variable length that no frame describes.
    pub hides: bool,
}

/// A function that allocates for callers in other files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrapperInput {
    /// Its address in the file.
    pub svma: u64,
    /// The digest of what it does.
    pub signature: u64,
    /// The parameters whose product is the size, if it does no more than return such a block.
    pub sizes: u32,
    /// What it does, in words.
    pub text: String,
}

/// A function that the library is to hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookInput {
    /// Its symbol.
    pub name: String,
    /// The kind of its heap.
    pub heap: Heap,
    /// What it does.
    pub function: HeapFunction,
    /// Its first instructions.
    pub displaced: Displaced,
}

/// All that goes into the metadata of one file.
pub struct Input<'a> {
    /// The types. Those that only the run-time layout needs (the other signedness of an integer) are added.
    pub types: &'a mut Canonical,
    /// Their names, as far as they were made already.
    pub names: &'a mut Names,
    /// Types to write although no static, frame or site needs them.
    pub wanted: &'a [NodeId],
    /// Functions, variables, literals.
    pub statics: &'a [Static],
    /// Stack frames.
    pub frames: &'a [Frame],
    /// Allocation sites.
    pub sites: &'a [SiteInput],
    /// The code of functions that call alloca.
    pub allocas: &'a [AllocaInput],
    /// The functions that allocate for callers in other files.
    pub wrappers: &'a [WrapperInput],
    /// The functions to hook.
    pub hooks: &'a [HookInput],
    /// The build-id of the file; empty if it has none.
    pub build_id: &'a [u8],
}

/// Makes the bytes of the metadata section.
pub fn metadata(input: Input<'_>) -> anyhow::Result<Vec<u8>> {
    let Input { types, names, wanted, statics, frames, sites, allocas, wrappers, hooks, build_id } = input;
    let mut tables = Tables { numbers: FxHashMap::default(), order: Vec::new(), out: Writer::new() };
    for s in statics {
        let ty = s.ty.map_or(TypeId::NONE, |ty| tables.number(ty));
        let name = tables.out.string(&s.name);
        tables.out.add_static(StaticRecord { svma: s.svma, size: s.size, ty, name });
    }
    for f in frames {
        tables.frame(f);
    }
    for s in sites {
        let ty = tables.number(s.node);
        let (first_step, step_count) = tables.steps(&s.why);
        let (reason, detail) = match &s.why.reason {
            Some((reason, detail)) if s.evidence == Evidence::None => (*reason, detail.as_str()),
            _ => (Reason::None, ""),
        };
        let record = SiteRecord {
            return_svma: s.return_svma,
            ty,
            file: tables.out.string(basename(&s.file)),
            line: s.line,
            function: tables.out.string(&s.function),
            callee: tables.out.string(&s.callee),
            evidence: s.evidence as u8,
            flags: s.flags,
            reason: reason as u8,
            step_count,
            detail: tables.out.string(detail),
            first_step,
        };
        tables.out.site(record);
        if let Some(hop) = s.hop.and_then(|rule| hop(s.return_svma, rule)) {
            tables.out.hop(hop);
        }
        for &it in &s.conditions {
            tables.out.condition(condition(s.return_svma, it));
        }
    }
    for a in allocas {
        let length = u32::try_from(a.code.end - a.code.start).unwrap_or(u32::MAX);
        let hides = if a.hides { ALLOCA_HIDES } else { 0 };
        tables.out.alloca(AllocaRecord { svma: a.code.start, length, function: a.function | hides });
    }
    for w in wrappers {
        let text = tables.out.string(&w.text);
        tables.out.wrapper(WrapperRecord { svma: w.svma, signature: w.signature, sizes: w.sizes, text });
    }
    for h in hooks {
        let name = tables.out.string(&h.name);
        tables.out.hook(hook(h, name));
    }
    for &node in wanted {
        tables.number(node);
    }
    // Writing a type may number more, which are then written too.
    let mut written = 0;
    while let Some(&node) = tables.order.get(written) {
        let complement = types.complement(node);
        let name = names.of(types, node);
        tables.write_type(types, node, &name, complement);
        written += 1;
    }
    tables.out.finish(build_id).context("writing the metadata")
}

/// The record of a call in a wrapper; `None` if its frame is larger than a record can say.
fn hop(return_svma: u64, rule: FrameRule) -> Option<HopRecord> {
    let (saved_rbp, rbp_offset) = match rule.rbp {
        CallersRbp::Same => (SavedRbp::Same, Some(0)),
        CallersRbp::At(offset) => (SavedRbp::AtCfa, i16::try_from(offset).ok()),
        CallersRbp::Unknown => (SavedRbp::Unknown, Some(0)),
    };
    let saved_rbp = if rbp_offset.is_some() { saved_rbp } else { SavedRbp::Unknown };
    Some(HopRecord {
        return_svma,
        cfa_offset: i32::try_from(rule.offset).ok()?,
        cfa_register: rule.register as u8,
        saved_rbp: saved_rbp as u8,
        rbp_offset: rbp_offset.unwrap_or(0),
    })
}

fn hook(input: &HookInput, name: StrRef) -> HookRecord {
    let HookInput { heap, function, displaced, .. } = input;
    let mut bytes = [0; MOST_DISPLACED];
    bytes[..displaced.bytes.len()].copy_from_slice(&displaced.bytes);
    HookRecord {
        svma: displaced.svma.0,
        bytes,
        relative: displaced.relative,
        short: displaced.short,
        name,
        length: displaced.bytes.len() as u8,
        action: function.action as u8,
        heap: *heap as u8,
        sizes: function.sizes,
        block: function.block,
        output: function.output,
        reserved: [0; 6],
    }
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn condition(return_svma: u64, condition: ConditionInput) -> ConditionRecord {
    let ConditionInput { slot_svma, expectation, signature, parameter } = condition;
    ConditionRecord { return_svma, slot_svma, signature, parameter, expectation: expectation as u32 }
}

struct Tables {
    numbers: FxHashMap<NodeId, TypeId>,
    /// The types in the order of their numbers.
    order: Vec<NodeId>,
    out: Writer,
}

impl Tables {
    /// The number of a type in the file. A type that gets one is written.
    fn number(&mut self, node: NodeId) -> TypeId {
        let next = TypeId(self.order.len() as u32);
        *self.numbers.entry(node).or_insert_with(|| {
            self.order.push(node);
            next
        })
    }

    /// Writes the steps of an explanation. Those by wrappers, which many sites have in common, are a run of their own.
    fn steps(&mut self, why: &Explanation) -> (u32, u8) {
        let mut steps: Vec<StepRecord> = why.steps.iter().map(|step| self.step(step)).collect();
        let hops: Vec<StepRecord> = why.hops.iter().map(|step| self.step(step)).collect();
        if !hops.is_empty() {
            let (line, number) = self.out.steps(&hops);
            let none = StrRef(0);
            let kind = StepKind::More as u8;
            steps.push(StepRecord { file: none, line, text: none, kind, number, reserved: 0 });
        }
        self.out.steps(&steps)
    }

    fn step(&mut self, step: &Step) -> StepRecord {
        StepRecord {
            file: self.out.string(basename(&step.place.file)),
            line: step.place.line,
            text: self.out.string(&step.text),
            kind: step.kind as u8,
            number: step.number,
            reserved: 0,
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let offset = |svma: u64| u32::try_from(svma - frame.code.start).unwrap_or(u32::MAX);
        let slots: Vec<SlotRecord> = frame
            .slots
            .iter()
            .map(|slot| SlotRecord {
                start: offset(slot.start),
                length: offset(slot.end) - offset(slot.start),
                below_cfa: slot.below_cfa,
                name: self.out.string(&slot.name),
                ty: self.number(slot.ty),
            })
            .collect();
        let record = FrameRecord {
            svma: frame.code.start,
            length: offset(frame.code.end),
            name: self.out.string(&frame.name),
            first_slot: 0,
            slot_count: 0,
        };
        self.out.frame(record, &slots);
        for vla in &frame.vlas {
            let record = VlaRecord {
                frame: frame.code.start,
                start: offset(vla.code.start),
                length: offset(vla.code.end) - offset(vla.code.start),
                address_below_cfa: vla.address_below_cfa,
                count_below_cfa: vla.count_below_cfa,
                count_bias: vla.count_bias,
                element_size: vla.element_size,
                name: self.out.string(&vla.name),
                ty: self.number(vla.ty),
            };
            self.out.vla(record);
        }
    }

    /// Writes the next type. `complement` is the integer of the other signedness.
    fn write_type(&mut self, types: &Canonical, node: NodeId, name: &str, complement: Option<NodeId>) {
        let ty = types.get(node);
        let related = self.related(types, node, complement);
        let word = match ty {
            Type::Void => 0,
            Type::Base { encoding, size, bit_size, bit_offset, .. } => {
                words::base(*encoding, *size, *bit_size, *bit_offset)
            }
            Type::Enumeration { enumerators, .. } => words::enumeration(enumerators),
            Type::Composite { kind, members, .. } => words::composite(*kind, members.len()),
            Type::Array { length, .. } => words::array(*length),
            Type::Pointer(_) => {
                let (levels, ultimate) = indirections(types, node);
                words::address(levels, types.get(ultimate))
            }
            Type::Function { parameters, variadic, .. } => words::subprogram(parameters.len(), *variadic),
            Type::Subrange { min, max, .. } => words::subrange(*min, *max),
        };
        let size = types.size_of(node).and_then(|n| u32::try_from(n).ok()).unwrap_or(UNBOUNDED_SIZE);
        let record = TypeRecord {
            digest: types.digest(node),
            name: self.out.string(name),
            size,
            word,
            first_related: 0,
            related_count: 0,
            flags: flags(ty),
        };
        self.out.ty(record, &related);
    }

    fn related(&mut self, types: &Canonical, node: NodeId, complement: Option<NodeId>) -> Vec<RelatedRecord> {
        let slot = |ty| RelatedRecord { ty, name: StrRef(0), value: 0 };
        match types.get(node) {
            Type::Void => Vec::new(),
            Type::Base { .. } => vec![slot(complement.map_or(TypeId::NONE, |other| self.number(other)))],
            Type::Enumeration { base, enumerators, .. } => {
                let mut slots = vec![slot(self.number(*base))];
                for (name, value) in enumerators.iter().take(words::MOST_ENUMERATORS) {
                    let name = self.out.string(name);
                    slots.push(RelatedRecord { ty: TypeId::NONE, name, value: value.cast_unsigned() });
                }
                slots
            }
            Type::Composite { members, .. } => {
                members.iter().take(words::MOST_MEMBERS).map(|member| self.member(member)).collect()
            }
            Type::Array { element: other, .. } | Type::Subrange { host: other, .. } => {
                vec![slot(self.number(*other))]
            }
            Type::Pointer(pointee) => {
                let (_, ultimate) = indirections(types, node);
                vec![slot(self.number(*pointee)), slot(self.number(ultimate))]
            }
            Type::Function { result, parameters, .. } => {
                let parameters = parameters.iter().take(words::MOST_PARAMETERS);
                std::iter::once(result).chain(parameters).map(|&ty| slot(self.number(ty))).collect()
            }
        }
    }

    fn member(&mut self, member: &Member) -> RelatedRecord {
        let invalid = if member.may_be_invalid { MEMBER_MAY_BE_INVALID } else { 0 };
        RelatedRecord {
            ty: self.number(member.ty),
            name: self.out.string(&member.name),
            value: member.offset.min(LARGEST_OFFSET) | invalid,
        }
    }
}

/// How many levels of pointers a type has, and what is left after them.
fn indirections(types: &Canonical, node: NodeId) -> (u32, NodeId) {
    let (mut levels, mut node) = (0, node);
    while let Type::Pointer(pointee) = types.get(node)
        && levels < MOST_LEVELS
    {
        levels += 1;
        node = *pointee;
    }
    (levels, node)
}

fn flags(ty: &Type) -> u32 {
    let mut flags = 0;
    if ty.is_incomplete() {
        flags |= TYPE_INCOMPLETE;
    }
    match ty {
        Type::Array { length: None, .. } => flags |= TYPE_MAKES_PRECISE,
        Type::Enumeration { naming: Naming::Tag(_), .. } => flags |= TYPE_NAME_IS_TAG,
        Type::Composite { kind, naming, size, .. } => {
            if matches!(naming, Naming::Tag(_)) {
                flags |= TYPE_NAME_IS_TAG;
            }
            if size.is_none() {
                flags |= TYPE_MAKES_PRECISE;
            }
            flags |= match kind {
                CompositeKind::Struct | CompositeKind::Class => 0,
                CompositeKind::Union => TYPE_IS_UNION,
                CompositeKind::Synthetic => TYPE_IS_SYNTHETIC,
                CompositeKind::SyntheticUnion => TYPE_IS_SYNTHETIC | TYPE_IS_UNION,
            };
        }
        _ => {}
    }
    flags
}
