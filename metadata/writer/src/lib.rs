//! Makes the bytes of the metadata section.
//!
//! A crate of its own because it allocates: were it a feature of the format's crate, a build of the whole workspace would
//! turn it on for the run-time library too, which has no allocator.

use std::collections::HashMap;
use std::fmt;

use allocs_metadata::pod::{self, Pod};
use allocs_metadata::{
    ALIGN, AllocaRecord, ConditionRecord, FrameRecord, Header, HookRecord, HopRecord, MAGIC, RelatedRecord,
    SiteRecord, SlotRecord, StaticRecord, StepRecord, StrRef, Table, TypeId, TypeRecord, VERSION, VlaRecord,
    WrapperRecord,
};

/// Collects records and lays them out.
#[derive(Default)]
pub struct Writer {
    types: Vec<TypeRecord>,
    related: Vec<RelatedRecord>,
    statics: Vec<StaticRecord>,
    frames: Vec<FrameRecord>,
    slots: Vec<SlotRecord>,
    sites: Vec<SiteRecord>,
    hops: Vec<HopRecord>,
    steps: Vec<StepRecord>,
    wrappers: Vec<WrapperRecord>,
    conditions: Vec<ConditionRecord>,
    vlas: Vec<VlaRecord>,
    allocas: Vec<AllocaRecord>,
    hooks: Vec<HookRecord>,
    strings: Vec<u8>,
    known_strings: HashMap<String, StrRef>,
    /// Runs of related slots by content. Frames of one function often have the same variables.
    known_related: HashMap<Vec<[u64; 2]>, u32>,
    /// Runs of steps by content. The instructions of one source site have the same.
    known_steps: HashMap<Vec<u8>, u32>,
}

/// The metadata would not fit into the 4 GiB that its offsets span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLarge(pub u64);

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the metadata would have {} bytes, more than its 32-bit offsets can address", self.0)
    }
}

impl std::error::Error for TooLarge {}

impl Writer {
    /// A writer of empty metadata.
    #[must_use]
    pub fn new() -> Self {
        Writer { strings: vec![0], ..Writer::default() }
    }

    /// The reference of a string, added if it is new. A NUL ends it.
    pub fn string(&mut self, s: &str) -> StrRef {
        let s = s.split('\0').next().unwrap_or("");
        if s.is_empty() {
            return StrRef(0);
        }
        if let Some(&known) = self.known_strings.get(s) {
            return known;
        }
        let at = StrRef(self.strings.len() as u32);
        self.strings.extend_from_slice(s.as_bytes());
        self.strings.push(0);
        self.known_strings.insert(s.to_owned(), at);
        at
    }

    /// Adds a type and its related slots; `first_related` and `related_count` of `record` are filled in. Equal slots are
    /// written once. Types are numbered in the order of their addition, so that `related` may name types that come later.
    pub fn ty(&mut self, mut record: TypeRecord, related: &[RelatedRecord]) -> TypeId {
        let content =
            related.iter().map(|r| [u64::from(r.ty.0) << 32 | u64::from(r.name.0), r.value]).collect();
        record.first_related = *self.known_related.entry(content).or_insert_with(|| {
            let first = self.related.len() as u32;
            self.related.extend_from_slice(related);
            first
        });
        record.related_count = related.len() as u32;
        self.types.push(record);
        TypeId(self.types.len() as u32 - 1)
    }

    /// Adds a static.
    pub fn add_static(&mut self, record: StaticRecord) {
        self.statics.push(record);
    }

    /// Adds a frame and its variables, which it sorts; `first_slot` and `slot_count` of `record` are filled in.
    pub fn frame(&mut self, mut record: FrameRecord, slots: &[SlotRecord]) {
        record.first_slot = self.slots.len() as u32;
        record.slot_count = slots.len() as u32;
        self.slots.extend_from_slice(slots);
        let own = &mut self.slots[record.first_slot as usize..];
        own.sort_by_key(|slot| std::cmp::Reverse(slot.below_cfa));
        self.frames.push(record);
    }

    /// Adds an array of variable length.
    pub fn vla(&mut self, record: VlaRecord) {
        self.vlas.push(record);
    }

    /// Adds a piece of a function that calls `alloca`.
    pub fn alloca(&mut self, record: AllocaRecord) {
        self.allocas.push(record);
    }

    /// Adds steps, at most 255 of them; equal runs of steps are written once. The index of the first, and how many there are.
    pub fn steps(&mut self, steps: &[StepRecord]) -> (u32, u8) {
        let steps = &steps[..steps.len().min(u8::MAX.into())];
        let first = *self.known_steps.entry(pod::bytes(steps).to_vec()).or_insert_with(|| {
            let first = self.steps.len() as u32;
            self.steps.extend_from_slice(steps);
            first
        });
        (first, steps.len() as u8)
    }

    /// Adds an allocation site.
    pub fn site(&mut self, record: SiteRecord) {
        self.sites.push(record);
    }

    /// Adds a call in a wrapper.
    pub fn hop(&mut self, record: HopRecord) {
        self.hops.push(record);
    }

    /// Adds a function that allocates for callers in other files.
    pub fn wrapper(&mut self, record: WrapperRecord) {
        self.wrappers.push(record);
    }

    /// Adds a condition of a call.
    pub fn condition(&mut self, record: ConditionRecord) {
        self.conditions.push(record);
    }

    /// Adds a function to be hooked.
    pub fn hook(&mut self, record: HookRecord) {
        self.hooks.push(record);
    }

    /// The bytes of the section. Sorts each table by address; of records that start at one address the first added stays,
    /// and a range that runs into the next is cut there, so that the reader's search is exact.
    pub fn finish(mut self, build_id: &[u8]) -> Result<Vec<u8>, TooLarge> {
        self.statics.sort_by_key(|r| r.svma);
        self.statics.dedup_by_key(|r| r.svma);
        for i in 1..self.statics.len() {
            let next = self.statics[i].svma;
            let this = &mut self.statics[i - 1];
            this.size = this.size.min(next - this.svma);
        }
        self.frames.sort_by_key(|r| r.svma);
        self.frames.dedup_by_key(|r| r.svma);
        for i in 1..self.frames.len() {
            let next = self.frames[i].svma;
            let this = &mut self.frames[i - 1];
            this.length = u64::from(this.length).min(next - this.svma) as u32;
        }
        self.sites.sort_by_key(|r| r.return_svma);
        self.sites.dedup_by_key(|r| r.return_svma);
        self.hops.sort_by_key(|r| r.return_svma);
        self.hops.dedup_by_key(|r| r.return_svma);
        self.wrappers.sort_by_key(|r| r.svma);
        self.wrappers.dedup_by_key(|r| r.svma);
        self.conditions
            .sort_by_key(|r| (r.return_svma, r.slot_svma, r.expectation, r.parameter, r.signature));
        self.conditions.dedup();
        self.vlas.sort_by_key(|r| (r.frame, r.start));
        self.allocas.sort_by_key(|r| r.svma);
        self.hooks.sort_by_key(|r| r.svma);
        self.hooks.dedup_by_key(|r| r.svma);

        let mut id = [0; 32];
        let id_len = build_id.len().min(id.len());
        id[..id_len].copy_from_slice(&build_id[..id_len]);
        let mut header = Header {
            magic: MAGIC,
            version: VERSION,
            build_id_len: id_len as u32,
            build_id: id,
            size: 0,
            types: Table::default(),
            related: Table::default(),
            statics: Table::default(),
            frames: Table::default(),
            sites: Table::default(),
            hops: Table::default(),
            slots: Table::default(),
            steps: Table::default(),
            wrappers: Table::default(),
            conditions: Table::default(),
            vlas: Table::default(),
            allocas: Table::default(),
            hooks: Table::default(),
            strings: Table::default(),
        };
        let mut out = vec![0; size_of::<Header>()];
        header.types = append(&mut out, &self.types);
        header.related = append(&mut out, &self.related);
        header.statics = append(&mut out, &self.statics);
        header.frames = append(&mut out, &self.frames);
        header.sites = append(&mut out, &self.sites);
        header.hops = append(&mut out, &self.hops);
        header.steps = append(&mut out, &self.steps);
        header.wrappers = append(&mut out, &self.wrappers);
        header.conditions = append(&mut out, &self.conditions);
        header.vlas = append(&mut out, &self.vlas);
        header.allocas = append(&mut out, &self.allocas);
        header.hooks = append(&mut out, &self.hooks);
        // Last of the tables, since its records are not a multiple of 8 long.
        header.slots = append(&mut out, &self.slots);
        header.strings = Table { offset: out.len() as u32, count: self.strings.len() as u32 };
        out.extend_from_slice(&self.strings);
        out.resize(out.len().next_multiple_of(ALIGN as usize), 0);
        header.size = out.len() as u64;
        if header.size > u64::from(u32::MAX) {
            return Err(TooLarge(header.size));
        }
        out[..size_of::<Header>()].copy_from_slice(pod::bytes(&[header]));
        Ok(out)
    }
}

fn append<T: Pod>(out: &mut Vec<u8>, records: &[T]) -> Table {
    let table = Table { offset: out.len() as u32, count: records.len() as u32 };
    out.extend_from_slice(pod::bytes(records));
    table
}
