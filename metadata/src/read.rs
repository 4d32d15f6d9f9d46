//! A borrowed view of metadata.

use core::fmt;

use crate::explain::StepKind;
use crate::frame::FrameLayout;
use crate::layout::{
    AllocaRecord, ConditionRecord, FrameRecord, Header, HookRecord, HopRecord, MAGIC, RelatedRecord,
    SiteRecord, SlotRecord, StaticRecord, StepRecord, StrRef, Table, TypeId, TypeRecord, VERSION, VlaRecord,
    WrapperRecord,
};
use crate::pod::{self, Pod};

/// Why bytes are not metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The section has only this many bytes.
    TooShort(usize),
    /// The section does not start at an address that is a multiple of 8.
    Misaligned,
    /// It does not begin with the magic bytes.
    BadMagic,
    /// It has another version of the layout.
    BadVersion(u32),
    /// Its header says another size than it has.
    BadSize(u64),
    /// The build-id is said to be this long.
    BadBuildId(u32),
    /// A table does not lie in the section.
    BadTable(Table),
    /// The string table does not begin and end with NUL.
    BadStrings,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::TooShort(n) => write!(f, "metadata is cut off after {n} bytes"),
            Error::Misaligned => write!(f, "metadata is not 8-byte aligned"),
            Error::BadMagic => write!(f, "metadata does not begin with its magic bytes"),
            Error::BadVersion(v) => {
                write!(f, "metadata has version {v}, this is a reader of version {VERSION}")
            }
            Error::BadSize(n) => write!(f, "metadata says that it has {n} bytes, which it does not"),
            Error::BadBuildId(n) => write!(f, "metadata has a build-id of {n} bytes"),
            Error::BadTable(t) => {
                write!(f, "a table of {} records at {:#x} is not inside the metadata", t.count, t.offset)
            }
            Error::BadStrings => write!(f, "the strings of the metadata are not NUL-terminated"),
        }
    }
}

impl core::error::Error for Error {}

/// Metadata whose header and tables were checked to lie inside its bytes. What the records refer to is checked where it is
/// followed: each look-up answers `None` rather than trust an index.
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    header: &'a Header,
    types: &'a [TypeRecord],
    related: &'a [RelatedRecord],
    statics: &'a [StaticRecord],
    frames: &'a [FrameRecord],
    slots: &'a [SlotRecord],
    sites: &'a [SiteRecord],
    hops: &'a [HopRecord],
    steps: &'a [StepRecord],
    wrappers: &'a [WrapperRecord],
    conditions: &'a [ConditionRecord],
    vlas: &'a [VlaRecord],
    allocas: &'a [AllocaRecord],
    hooks: &'a [HookRecord],
    strings: &'a [u8],
}

impl<'a> Metadata<'a> {
    /// Checks `bytes` (a whole section, 8-aligned) and borrows the tables. Constant time.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if !bytes.as_ptr().cast::<u64>().is_aligned() {
            return Err(Error::Misaligned);
        }
        let [header] = pod::slice::<Header>(bytes, 1).ok_or(Error::TooShort(bytes.len()))? else {
            return Err(Error::TooShort(bytes.len()));
        };
        if header.magic != MAGIC {
            return Err(Error::BadMagic);
        }
        if header.version != VERSION {
            return Err(Error::BadVersion(header.version));
        }
        if header.size != bytes.len() as u64 {
            return Err(Error::BadSize(header.size));
        }
        if header.build_id_len as usize > header.build_id.len() {
            return Err(Error::BadBuildId(header.build_id_len));
        }
        let strings: &[u8] = {
            let t = header.strings;
            let (start, len) = (t.offset as usize, t.count as usize);
            start.checked_add(len).and_then(|end| bytes.get(start..end)).ok_or(Error::BadTable(t))?
        };
        if strings.first() != Some(&0) || strings.last() != Some(&0) {
            return Err(Error::BadStrings);
        }
        Ok(Metadata {
            header,
            types: table(bytes, header.types)?,
            related: table(bytes, header.related)?,
            statics: table(bytes, header.statics)?,
            frames: table(bytes, header.frames)?,
            slots: table(bytes, header.slots)?,
            sites: table(bytes, header.sites)?,
            hops: table(bytes, header.hops)?,
            steps: table(bytes, header.steps)?,
            wrappers: table(bytes, header.wrappers)?,
            conditions: table(bytes, header.conditions)?,
            vlas: table(bytes, header.vlas)?,
            allocas: table(bytes, header.allocas)?,
            hooks: table(bytes, header.hooks)?,
            strings,
        })
    }

    /// The build-id of the file that this describes; empty if it has none.
    #[must_use]
    pub fn build_id(&self) -> &'a [u8] {
        self.header.build_id.get(..self.header.build_id_len as usize).unwrap_or(&[])
    }

    /// All types.
    #[must_use]
    pub fn types(&self) -> &'a [TypeRecord] {
        self.types
    }

    /// One type.
    #[must_use]
    #[inline]
    pub fn ty(&self, id: TypeId) -> Option<&'a TypeRecord> {
        self.types.get(id.0 as usize)
    }

    /// The related slots of a type; empty if its record points outside the table.
    #[must_use]
    pub fn related(&self, ty: &TypeRecord) -> &'a [RelatedRecord] {
        let start = ty.first_related as usize;
        start
            .checked_add(ty.related_count as usize)
            .and_then(|end| self.related.get(start..end))
            .unwrap_or(&[])
    }

    /// All statics, by ascending address.
    #[must_use]
    pub fn statics(&self) -> &'a [StaticRecord] {
        self.statics
    }

    /// The static that holds the address.
    #[must_use]
    #[inline]
    pub fn static_at(&self, svma: u64) -> Option<&'a StaticRecord> {
        let record = last_not_after(self.statics, svma, |r| r.svma)?;
        (svma - record.svma < record.size).then_some(record)
    }

    /// All frames, by ascending address.
    #[must_use]
    pub fn frames(&self) -> &'a [FrameRecord] {
        self.frames
    }

    /// The variables of a frame; empty if its record points outside the table.
    #[must_use]
    pub fn slots(&self, frame: &FrameRecord) -> &'a [SlotRecord] {
        let start = frame.first_slot as usize;
        start.checked_add(frame.slot_count as usize).and_then(|end| self.slots.get(start..end)).unwrap_or(&[])
    }

    /// The frame layout at a program counter. For a caller, pass its return address minus one.
    #[must_use]
    #[inline]
    pub fn frame_at(&self, svma: u64) -> Option<FrameLayout<'a>> {
        let record = last_not_after(self.frames, svma, |r| r.svma)?;
        FrameLayout::at(record, self.slots(record), svma)
    }

    /// All arrays of variable length, by ascending address of their frames.
    #[must_use]
    pub fn vlas(&self) -> &'a [VlaRecord] {
        self.vlas
    }

    /// The arrays of variable length of the frame that starts at exactly this address.
    pub fn vlas_of(&self, frame: u64) -> impl Iterator<Item = &'a VlaRecord> + use<'a> {
        let first = self.vlas.partition_point(|r| r.frame < frame);
        self.vlas.get(first..).unwrap_or(&[]).iter().take_while(move |r| r.frame == frame)
    }

    /// Those that are there at a program counter. For a caller, pass its return address minus one.
    pub fn vlas_at(&self, svma: u64) -> impl Iterator<Item = &'a VlaRecord> + use<'a> {
        let frame = last_not_after(self.frames, svma, |r| r.svma).map_or(u64::MAX, |r| r.svma);
        let at = svma.wrapping_sub(frame);
        self.vlas_of(frame).filter(move |r| at.wrapping_sub(r.start.into()) < r.length.into())
    }

    /// All code of functions that call `alloca`, by ascending address.
    #[must_use]
    pub fn allocas(&self) -> &'a [AllocaRecord] {
        self.allocas
    }

    /// The piece of such code at a program counter. For a caller, pass its return address minus one.
    #[must_use]
    pub fn alloca_at(&self, svma: u64) -> Option<&'a AllocaRecord> {
        let record = last_not_after(self.allocas, svma, |r| r.svma)?;
        (svma - record.svma < record.length.into()).then_some(record)
    }

    /// All allocation sites, by ascending return address.
    #[must_use]
    pub fn sites(&self) -> &'a [SiteRecord] {
        self.sites
    }

    /// The allocation site with exactly this return address.
    #[must_use]
    #[inline]
    pub fn site_at(&self, return_svma: u64) -> Option<&'a SiteRecord> {
        last_not_after(self.sites, return_svma, |r| r.return_svma).filter(|r| r.return_svma == return_svma)
    }

    /// The steps that explain a site's type, in order; those that its record or a [`StepKind::More`] places outside the table
    /// are left out.
    pub fn steps(&self, site: &SiteRecord) -> impl Iterator<Item = &'a StepRecord> + use<'a> {
        let steps = self.steps;
        let run = move |first: u32, count: u8| {
            let start = first as usize;
            start.checked_add(count.into()).and_then(|end| steps.get(start..end)).unwrap_or(&[])
        };
        run(site.first_step, site.step_count).iter().flat_map(move |step| {
            match StepKind::from_u8(step.kind) {
                Some(StepKind::More) => run(step.line, step.number),
                _ => core::slice::from_ref(step),
            }
        })
    }

    /// All calls in wrappers, by ascending return address.
    #[must_use]
    pub fn hops(&self) -> &'a [HopRecord] {
        self.hops
    }

    /// The call in a wrapper with exactly this return address.
    #[must_use]
    pub fn hop_at(&self, return_svma: u64) -> Option<&'a HopRecord> {
        last_not_after(self.hops, return_svma, |r| r.return_svma).filter(|r| r.return_svma == return_svma)
    }

    /// All functions that allocate for callers in other files, by ascending address.
    #[must_use]
    pub fn wrappers(&self) -> &'a [WrapperRecord] {
        self.wrappers
    }

    /// The function that allocates for its callers and starts at exactly this address.
    #[must_use]
    pub fn wrapper_at(&self, svma: u64) -> Option<&'a WrapperRecord> {
        last_not_after(self.wrappers, svma, |r| r.svma).filter(|r| r.svma == svma)
    }

    /// What must be so of the functions that the call with this return address reaches; empty for most calls.
    #[must_use]
    pub fn conditions_at(&self, return_svma: u64) -> &'a [ConditionRecord] {
        let start = self.conditions.partition_point(|r| r.return_svma < return_svma);
        let rest = self.conditions.get(start..).unwrap_or(&[]);
        let count = rest.iter().take_while(|r| r.return_svma == return_svma).count();
        rest.get(..count).unwrap_or(&[])
    }

    /// The functions of heaps that are to be hooked, by ascending address.
    #[must_use]
    pub fn hooks(&self) -> &'a [HookRecord] {
        self.hooks
    }

    /// The string, without its NUL; the byte behind the slice is a NUL. Empty if the reference is not in the table.
    #[must_use]
    pub fn string(&self, s: StrRef) -> &'a [u8] {
        let tail = self.strings.get(s.0 as usize..).unwrap_or(&[0]);
        let end = tail.iter().position(|&b| b == 0).unwrap_or(0);
        tail.get(..end).unwrap_or(&[])
    }

    /// The string as text; what is not UTF-8 reads as empty.
    #[must_use]
    pub fn text(&self, s: StrRef) -> &'a str {
        core::str::from_utf8(self.string(s)).unwrap_or("")
    }
}

fn table<T: Pod>(bytes: &[u8], t: Table) -> Result<&[T], Error> {
    let tail = bytes.get(t.offset as usize..).ok_or(Error::BadTable(t))?;
    pod::slice(tail, t.count as usize).ok_or(Error::BadTable(t))
}

/// The last record of a sorted table whose key is at most `key`. On a table that is not sorted (hostile) it finds some
/// record or none, and the caller's range check decides.
#[inline]
fn last_not_after<T>(records: &[T], key: u64, of: impl Fn(&T) -> u64) -> Option<&T> {
    let after = records.partition_point(|r| of(r) <= key);
    let record = records.get(after.checked_sub(1)?)?;
    (of(record) <= key).then_some(record)
}
