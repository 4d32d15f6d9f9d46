//! Which variables are in a stack frame at an instruction.

use crate::layout::{FrameRecord, SlotRecord, StrRef};

/// The layout of a frame over the code around an instruction in which its variables are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout<'a> {
    /// First address of the code, in the file.
    pub start: u64,
    /// Address behind the code.
    pub end: u64,
    /// File and function; the name of the layout's type is this, `_vaddrs_0xLO_0xHI` with the ends of the code behind it.
    pub name: StrRef,
    /// Distance in bytes from the lowest variable up to the CFA: the size of the frame.
    pub below_cfa: u32,
    slots: &'a [SlotRecord],
    /// The instruction, from the start of the frame's record.
    at: u32,
}

impl<'a> FrameLayout<'a> {
    /// The layout at an instruction of a frame's code; `None` if no variable is in memory there.
    pub(crate) fn at(record: &FrameRecord, slots: &'a [SlotRecord], svma: u64) -> Option<Self> {
        let at = u32::try_from(svma.checked_sub(record.svma)?).ok().filter(|&at| at < record.length)?;
        let (mut start, mut end) = (0, record.length);
        let mut below_cfa = 0;
        for slot in slots {
            // The set of variables changes where one begins or ends.
            for change in [slot.start, slot.start.saturating_add(slot.length)] {
                if change <= at {
                    start = start.max(change);
                } else {
                    end = end.min(change);
                }
            }
            if is_there(slot, at) {
                below_cfa = below_cfa.max(slot.below_cfa);
            }
        }
        let address = |offset: u32| record.svma.saturating_add(u64::from(offset));
        let (start, end) = (address(start), address(end));
        (below_cfa != 0).then_some(FrameLayout { start, end, name: record.name, below_cfa, slots, at })
    }

    /// The variables, the lowest first. Their offsets in the frame are [`Self::offset`].
    pub fn variables(self) -> impl Iterator<Item = &'a SlotRecord> {
        let at = self.at;
        self.slots.iter().filter(move |slot| is_there(slot, at))
    }

    /// Offset of a variable from the start of the frame.
    #[must_use]
    pub fn offset(self, variable: &SlotRecord) -> u32 {
        self.below_cfa.saturating_sub(variable.below_cfa)
    }
}

fn is_there(slot: &SlotRecord, at: u32) -> bool {
    slot.start <= at && at - slot.start < slot.length
}
