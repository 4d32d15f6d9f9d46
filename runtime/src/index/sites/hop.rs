//! The step from a call in a wrapper to the call of the wrapper.
//!
//! A *wrapper* is a function that allocates for its caller. Its blocks belong to the call of it, which its return address
//! identifies; the metadata says where that lies, counted from the registers as they are when the inner call returns.
//!
//! # Safety
//! Memory is read between the stack pointer and the end of the wrapper's frame, which is there as long as the wrapper runs.
//! That the rule gives the end of the frame is proved by the code's own unwind rules. Where there are none, the caller
//! vouches that the end lies on the same stack. So for a large frame, too: for a moment after a `dlclose` another thread may
//! run other code in that place, whose frame is another.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::caller::Caller;
use allocs_metadata::{CfaRegister, HopRecord, SavedRbp};

/// Largest distance from the stack pointer to the end of a wrapper's frame.
pub const LARGEST_FRAME: usize = 1 << 20;
/// The same of a frame that is small.
pub const SMALL_FRAME: usize = 2048;

/// How to get out of a wrapper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// What the canonical frame address (CFA), the end of the wrapper's frame, is counted from.
    pub register: CfaRegister,
    /// What is added to it.
    pub cfa_offset: i32,
    /// Where the caller's frame pointer is.
    pub rbp: CallerRbp,
    /// Whether the unwind rules of the code say the same.
    pub is_proved: bool,
    /// Whether the metadata has a type for the call in the wrapper, for when nothing is known of the caller.
    pub has_type: bool,
}

/// Where the frame pointer of a wrapper's caller is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerRbp {
    /// Still in the register.
    Same,
    /// In memory, at the CFA plus this.
    AtCfa(i16),
    /// It cannot be told.
    Unknown,
}

/// The registers when a call returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    return_slot: Avma,
    rbp: Option<Avma>,
}

impl Frame {
    /// Those of the code that called a function of ours.
    #[must_use]
    pub fn of(caller: Caller) -> Frame {
        Frame { return_slot: caller.return_slot, rbp: Some(caller.rbp) }
    }

    /// Where the call returns to.
    #[must_use]
    pub fn return_address(&self) -> Avma {
        // SAFETY: the slot of a call that has not returned yet, either our own caller's or one that a `Hop` led to.
        Avma(unsafe { self.return_slot.pointer::<usize>().read_volatile() })
    }

    /// The stack pointer behind the return.
    fn sp(&self) -> Avma {
        Avma(self.return_slot.0.wrapping_add(8))
    }
}

impl Hop {
    /// What a record says; `None` where no rule of today's format reads so.
    #[must_use]
    pub fn of(record: &HopRecord, is_proved: bool, has_type: bool) -> Option<Hop> {
        let rbp = match SavedRbp::from_u8(record.saved_rbp) {
            SavedRbp::Same => CallerRbp::Same,
            SavedRbp::AtCfa => CallerRbp::AtCfa(record.rbp_offset),
            SavedRbp::Unknown => CallerRbp::Unknown,
        };
        let register = CfaRegister::from_u8(record.cfa_register)?;
        Some(Hop { register, cfa_offset: record.cfa_offset, rbp, is_proved, has_type })
    }

    /// The registers when the wrapper returns to its caller, from those when the call in it does. `None` where the rule
    /// leads to no place that a frame can end at.
    ///
    /// `is_on_stack` says whether an address lies on the stack that another one lies on.
    #[must_use]
    pub fn out_of(&self, frame: Frame, is_on_stack: impl FnOnce(Avma, Avma) -> bool) -> Option<Frame> {
        let sp = frame.sp();
        let base = match self.register {
            CfaRegister::Rsp => sp,
            CfaRegister::Rbp => frame.rbp?,
        };
        let cfa = plus(base, self.cfa_offset);
        let size = cfa.offset_from(sp)?;
        if !(8..=LARGEST_FRAME).contains(&size) || !cfa.0.is_multiple_of(8) {
            return None;
        }
        let return_slot = plus(cfa, -8);
        let is_certain = self.is_proved && size <= SMALL_FRAME;
        if !is_certain && !is_on_stack(return_slot, sp) {
            return None;
        }
        let rbp = match self.rbp {
            CallerRbp::Same => frame.rbp,
            CallerRbp::AtCfa(offset) => saved(plus(cfa, offset.into()), sp, return_slot),
            CallerRbp::Unknown => None,
        };
        Some(Frame { return_slot, rbp })
    }

    /// The distance in words from the stack pointer to the end of the frame, if that is all that the way out takes.
    #[must_use]
    pub fn words(&self) -> Option<u16> {
        let size = usize::try_from(self.cfa_offset).ok().filter(|size| (8..=SMALL_FRAME).contains(size))?;
        let is_plain = self.is_proved && self.register == CfaRegister::Rsp && size.is_multiple_of(8);
        is_plain.then_some((size / 8) as u16)
    }
}

/// The register saved at `place`, if that is in the frame between `sp` and the return address.
fn saved(place: Avma, sp: Avma, return_slot: Avma) -> Option<Avma> {
    let is_inside = (sp..return_slot).contains(&place) && place.0.is_multiple_of(8);
    // SAFETY: an aligned word of the frame.
    is_inside.then(|| Avma(unsafe { place.pointer::<usize>().read_volatile() }))
}

fn plus(a: Avma, offset: i32) -> Avma {
    Avma(a.0.wrapping_add_signed(offset as isize))
}
