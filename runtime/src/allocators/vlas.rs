//! Arrays of variable length in the frames of the calling thread.
//!
//! The metadata says which words of a frame hold an array's address and its length, and from which instruction on. What they say is
//! believed only if the array lies in the frame, below all the words that say so, and apart from the frame's other arrays: two that overlap
//! cannot both be there.

use super::stack::Object;
use crate::avma::Avma;
use crate::modules;
use crate::types::intern;
use crate::unwind::walk::FramePlace;
use allocs_metadata::VlaRecord;

/// The array that holds an address of a frame.
#[cold]
#[inline(never)]
#[must_use]
pub fn at(p: Avma, frame: &FramePlace) -> Option<Object> {
    let module = modules::at(frame.code)?;
    let file = module.metadata?;
    let there = || file.vlas_at(module.svma(frame.code).0);
    let mut holding =
        there().filter_map(|vla| Some((vla, extent(vla, frame)?))).filter(|(_, at)| at.holds(p));
    let (vla, found) = holding.next()?;
    let is_alone = there().all(|other| {
        core::ptr::eq(vla, other) || extent(other, frame).is_none_or(|other| !other.overlaps(&found))
    });
    let ty = intern::intern(file, vla.ty)?;
    is_alone.then_some(Object { base: found.start, size: found.size, ty })
}

/// Where an array is.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// Its first byte.
    pub(super) start: Avma,
    /// Its size in bytes.
    pub(super) size: usize,
}

impl Extent {
    fn holds(&self, p: Avma) -> bool {
        p.is_in(self.start, self.size)
    }

    pub(super) fn overlaps(&self, other: &Extent) -> bool {
        self.holds(other.start) || other.holds(self.start)
    }
}

/// What the words of the frame say, if it can be.
pub(super) fn extent(vla: &VlaRecord, frame: &FramePlace) -> Option<Extent> {
    let start = Avma(frame.word(vla.address_below_cfa)?);
    let count = frame.word(vla.count_below_cfa)?.checked_add(vla.count_bias as usize)?;
    let size = count.checked_mul(vla.element_size as usize)?;
    let lowest_word = frame.cfa.0.checked_sub(vla.address_below_cfa.max(vla.count_below_cfa) as usize)?;
    let is_inside = start >= frame.sp && start.checked_add(size)?.0 <= lowest_word;
    is_inside.then_some(Extent { start, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocs_metadata::{StrRef, TypeId};

    #[test]
    fn only_an_array_below_its_words_and_above_the_stack_pointer_is_believed() {
        let mut words = [0usize; 32];
        let (sp, cfa) = (Avma::of(words.as_ptr()), Avma::of(words.as_ptr_range().end));
        let frame = FramePlace { code: Avma::NULL, sp, bp: Avma::NULL, cfa, is_interrupted: false };
        let vla = VlaRecord {
            frame: 0,
            start: 0,
            length: 1,
            address_below_cfa: 16,
            count_below_cfa: 24,
            count_bias: 1,
            element_size: 4,
            name: StrRef(0),
            ty: TypeId(0),
        };
        let mut check = |start: usize, last: usize, expect: Option<usize>| {
            words[30] = start;
            words[29] = last;
            let found = extent(&vla, &frame).map(|found| (found.start.0, found.size));
            assert_eq!(found, expect.map(|size| (start, size)), "{:#x} {last:#x}", start.wrapping_sub(sp.0));
        };
        check(sp.0, 4, Some(20));
        check(sp.0, usize::MAX, None);
        check(sp.0 + 8, 57, None);
        check(sp.0, 57, Some(29 * 8));
        check(sp.0 - 8, 4, None);
        check(cfa.0, 4, None);
        check(0, 4, None);
        check(usize::MAX, 4, None);
        check(sp.0, usize::MAX / 4, None);
        check(sp.0, usize::MAX - 1, None);
        let outside = VlaRecord { address_below_cfa: 33 * 8, ..vla };
        assert!(extent(&outside, &frame).is_none());
        assert!(extent(&VlaRecord { count_below_cfa: 20, ..vla }, &frame).is_none());
        assert!(extent(&VlaRecord { count_below_cfa: 0, ..vla }, &frame).is_none());
    }

    #[test]
    fn arrays_that_touch_do_not_overlap() {
        let extent = |start, size| Extent { start: Avma(start), size };
        let check = |a: (usize, usize), b: (usize, usize), expect: bool| {
            let (a, b) = (extent(a.0, a.1), extent(b.0, b.1));
            assert_eq!((a.overlaps(&b), b.overlaps(&a)), (expect, expect));
        };
        check((16, 16), (32, 16), false);
        check((16, 17), (32, 16), true);
        check((16, 64), (32, 16), true);
        check((16, 16), (16, 16), true);
        check((16, 0), (16, 0), false);
    }
}
