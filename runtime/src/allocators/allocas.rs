//! Blocks of `alloca` in the frames of the calling thread.
//!
//! allocscc lets each block begin with a header (`allocscc/src/image/allocas.rs`). At a call the live blocks of a frame lie
//! one above the other from the stack pointer up, with arrays of variable length between them; below there may be arguments of
//! the call. So the walk goes up from the stack pointer, from header to header. Once the stack pointer has gone up, at a return or
//! behind the scope of an array, what was there is not looked at any more.
//!
//! Headers stay behind on the stack. One of another function or of another activation says so by its site or its frame pointer. One
//! of an earlier activation that began at the same place lies below the fixed part of the frame, as the live ones do; there, all is
//! live blocks but what is in an array of variable length, and the metadata says over which code those are all known.

use allocs_metadata::AllocaRecord;

use super::vlas::{Extent, extent};
use crate::avma::Avma;
use crate::index::sites::{self, Key};
use crate::index::{Block, SiteIndex};
use crate::modules::{self, Module};
use crate::types::TypedFile;
use crate::unwind::walk::FramePlace;

/// Bytes in front of a block.
const HEADER_SIZE: usize = 32;
/// Alignment of a block and of its header.
const ALIGN: usize = 16;

/// The block that holds an address of a frame.
#[cold]
#[inline(never)]
#[must_use]
pub fn at(p: Avma, frame: &FramePlace) -> Option<Block> {
    let module = modules::at(frame.code)?;
    let file = module.metadata.as_ref()?;
    let function = file.alloca_at(module.svma(frame.code).0)?;
    // Between two instructions a header may be that of what was there before.
    if function.hides() || frame.is_interrupted {
        return None;
    }
    Area { module, file, function, frame }.block_at(p)
}

/// What lies below the fixed part of a frame.
struct Area<'a> {
    module: &'static Module,
    file: &'static TypedFile,
    function: &'static AllocaRecord,
    frame: &'a FramePlace,
}

impl Area<'_> {
    fn block_at(&self, p: Avma) -> Option<Block> {
        let mut at = aligned(self.frame.sp)?;
        while at <= p {
            let here = Extent { start: at, size: ALIGN };
            at = if let Some(end) = self.end_of_array(&here)? {
                aligned(end)?.max(Avma(at.0.checked_add(ALIGN)?))
            } else if let Some(header) = self.header_at(at) {
                let base = Avma(at.0.checked_add(HEADER_SIZE)?);
                let whole = Extent { start: at, size: header.size.checked_add(HEADER_SIZE)? };
                let end = at.checked_add(whole.size).filter(|&end| end <= self.frame.cfa)?;
                if self.end_of_array(&whole)?.is_some() {
                    return None;
                }
                let block = Block { base, size: header.size, site: SiteIndex::UNKNOWN };
                if block.holds(p) {
                    return Some(Block { site: sites::find_or_insert(Key::plain(header.site)), ..block });
                }
                aligned(end)?
            } else {
                Avma(at.0.checked_add(ALIGN)?)
            };
        }
        None
    }

    /// The end of the first array of variable length that meets an extent; `None` if it cannot be told where all are.
    fn end_of_array(&self, here: &Extent) -> Option<Option<Avma>> {
        for vla in self.file.vlas_at(self.module.svma(self.frame.code).0) {
            let array = extent(vla, self.frame)?;
            if array.overlaps(here) {
                return Some(Some(array.start.checked_add(array.size)?));
            }
        }
        Some(None)
    }

    /// What the words at an address say, if they are a header of this activation of the function.
    fn header_at(&self, at: Avma) -> Option<Header> {
        let word = |n: usize| self.frame.word_at(at.checked_add(8 * n)?);
        let header = Header { size: word(0)?, site: Avma(word(1)?) };
        let is_own = word(2)? == self.frame.bp.0 && word(3)? == header.size ^ header.site.0 ^ at.0;
        let call = Avma(header.site.0.wrapping_sub(1));
        if !is_own || !call.is_in(self.module.start, self.module.end.0.wrapping_sub(self.module.start.0)) {
            return None;
        }
        let of_call = self.file.alloca_at(self.module.svma(call).0)?;
        (of_call.function() == self.function.function()).then_some(header)
    }
}

struct Header {
    size: usize,
    site: Avma,
}

/// The next address that a header may have.
fn aligned(at: Avma) -> Option<Avma> {
    Some(Avma(at.0.checked_next_multiple_of(ALIGN)?))
}
