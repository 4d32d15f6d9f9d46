//! From frame to frame.
//!
//! # Safety
//! Memory is read only between the red zone of the frame at hand and the end of the mapping that it lies in, which is
//! the calling thread's stack (or the signal stack that it runs on): it stays mapped while we run on it.
#![allow(unsafe_code)]

use core::num::NonZeroU64;
use core::ops::ControlFlow;
#[cfg(not(test))]
use core::ops::Range;

use super::cache::{Cache, Key};
use super::eh_frame::{self, Segment};
use super::rule::{Cfa, Rule, SavedRbp};
use crate::allocators::stack::{self, Bounds};
use crate::avma::Avma;
use crate::caller::Caller;
use crate::modules::{self, Module};

/// A function's frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Where the function goes on: a return address, or where a signal interrupted it.
    pub ip: Avma,
    /// The address that says which code this is: of a return address the byte before, which belongs to the call.
    pub code: Avma,
    /// Stack pointer.
    pub sp: Avma,
    /// Frame pointer register, whatever it holds.
    pub bp: Avma,
    /// Canonical frame address: the end of the frame.
    pub cfa: Avma,
}

/// The part of a [`Frame`] that says where it is, and of which code.
#[derive(Clone, Copy, Debug)]
pub struct FramePlace {
    /// As [`Frame::code`].
    pub code: Avma,
    /// Stack pointer.
    pub sp: Avma,
    /// Frame pointer register.
    pub bp: Avma,
    /// Canonical frame address.
    pub cfa: Avma,
    /// A signal interrupted the function: it is not at a call.
    pub is_interrupted: bool,
}

impl Frame {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> FramePlace {
        let is_interrupted = self.ip == self.code;
        FramePlace { code: self.code, sp: self.sp, bp: self.bp, cfa: self.cfa, is_interrupted }
    }
}

impl FramePlace {
    /// The word at a distance below the CFA, if it is in the frame.
    #[must_use]
    pub fn word(&self, below_cfa: u32) -> Option<usize> {
        self.word_at(Avma(self.cfa.0.checked_sub(below_cfa as usize)?))
    }

    /// The word at an address, if it is in the frame.
    #[must_use]
    pub fn word_at(&self, at: Avma) -> Option<usize> {
        let is_inside = at >= self.sp && at.checked_add(8)? <= self.cfa && at.0.is_multiple_of(8);
        // SAFETY: the word is aligned and lies between the stack pointer and the CFA, which the walk found on the stack.
        is_inside.then(|| unsafe { at.pointer::<usize>().read_volatile() })
    }
}

/// How a walk came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// At the outermost frame.
    Outermost,
    /// At a frame whose caller cannot be found.
    Lost,
}

/// Signal frames that one walk passes.
const MAX_SIGNALS: u32 = 64;

/// Calls `f` with each frame, the caller's own first, until it breaks.
pub fn walk<B>(caller: Caller, mut f: impl FnMut(&Frame) -> ControlFlow<B>) -> Result<B, End> {
    let mut bounds = stack::bounds_of(caller.return_slot).ok_or(End::Lost)?;
    let mut ip = read(bounds, caller.return_slot, caller.return_slot).ok_or(End::Lost)?;
    let mut code = Avma(ip.0.wrapping_sub(1));
    let mut sp = Avma(caller.return_slot.0.wrapping_add(8));
    let mut bp = caller.rbp;
    let mut signals = 0;
    loop {
        match rule_at(code) {
            Rule::Unknown => return Err(End::Lost),
            Rule::End => return Err(End::Outermost),
            Rule::Signal => {
                signals += 1;
                if signals > MAX_SIGNALS {
                    return Err(End::Lost);
                }
                let context = Context::at(bounds, sp).ok_or(End::Lost)?;
                (ip, sp, bp) = (context.ip, context.sp, context.bp);
                code = ip;
                bounds = stack::bounds_of(sp).ok_or(End::Lost)?;
            }
            Rule::Frame(rule, saved) => {
                let cfa = match rule {
                    Cfa::Rsp(offset) => plus(sp, offset),
                    Cfa::Rbp(offset) => plus(bp, offset),
                    Cfa::AtRbp(offset) => read(bounds, sp, plus(bp, offset)).ok_or(End::Lost)?,
                };
                if cfa <= sp || cfa > bounds.end || !cfa.0.is_multiple_of(8) {
                    return Err(End::Lost);
                }
                if let ControlFlow::Break(found) = f(&Frame { ip, code, sp, bp, cfa }) {
                    return Ok(found);
                }
                ip = read(bounds, sp, plus(cfa, -8)).ok_or(End::Lost)?;
                match saved {
                    SavedRbp::Same => {}
                    SavedRbp::AtCfa(at) => bp = read(bounds, sp, plus(cfa, at.into())).ok_or(End::Lost)?,
                    SavedRbp::AtRbp(at) => bp = read(bounds, sp, plus(bp, at.into())).ok_or(End::Lost)?,
                }
                if ip.is_null() {
                    return Err(End::Outermost);
                }
                code = Avma(ip.0.wrapping_sub(1));
                sp = cfa;
            }
        }
    }
}

fn plus(a: Avma, offset: i32) -> Avma {
    Avma(a.0.wrapping_add_signed(offset as isize))
}

/// What a function may use below its stack pointer, and a signal leaves alone. Behind the `pop %rbp` of an epilogue, the
/// rules still name the place that was popped.
const RED_ZONE: usize = 128;

/// The word at `at`, if it lies on the stack, not below what belongs to the frame at `sp`.
fn read(bounds: Bounds, sp: Avma, at: Avma) -> Option<Avma> {
    let lowest = Avma(sp.0.saturating_sub(RED_ZONE)).max(bounds.start);
    let inside = at >= lowest && at.checked_add(8)? <= bounds.end && at.0.is_multiple_of(8);
    // SAFETY: the word is aligned and lies between the red zone and the end of the stack's mapping.
    inside.then(|| Avma(unsafe { at.pointer::<usize>().read_volatile() }))
}

/// The registers that a signal interrupted.
struct Context {
    ip: Avma,
    sp: Avma,
    bp: Avma,
}

impl Context {
    /// From the `ucontext_t` at the stack pointer of the trampoline.
    fn at(bounds: Bounds, sp: Avma) -> Option<Context> {
        const RBP: i32 = 40 + 10 * 8;
        const RSP: i32 = 40 + 15 * 8;
        const RIP: i32 = 40 + 16 * 8;
        let register = |offset| read(bounds, sp, plus(sp, offset));
        Some(Context { ip: register(RIP)?, sp: register(RSP)?, bp: register(RBP)? })
    }
}

/// The rule for an instruction.
fn rule_at(code: Avma) -> Rule {
    static RULES: Cache = Cache::new();
    let found = RULES.get(Key::of(code), || NonZeroU64::new(find_rule(code).pack()));
    found.map_or(Rule::Unknown, |word| Rule::unpack(word.get()))
}

/// Apart from the walk, since a file that is looked at for the first time needs room on a stack that may be small.
#[cold]
#[inline(never)]
fn find_rule(code: Avma) -> Rule {
    modules::at(code).map_or(Rule::Unknown, |module| rule_in(module, code))
}

/// The rule for an instruction of a loaded file. It is not remembered.
#[inline(never)]
#[must_use]
pub fn rule_in(module: &Module, code: Avma) -> Rule {
    let Some((segment, hdr)) = rules_of(module) else { return Rule::Unknown };
    eh_frame::rule_at(segment, hdr, code.0 as u64)
}

/// The code of the function of a loaded file that holds an address, by the file's unwind rules.
#[cfg(not(test))]
#[must_use]
pub fn function_in(module: &Module, code: Avma) -> Option<Range<Avma>> {
    let (segment, hdr) = rules_of(module)?;
    let Range { start, end } = eh_frame::range_with(segment, hdr, code.0 as u64)?;
    Some(Avma(start as usize)..Avma(end as usize))
}

/// The segment of a loaded file with its unwind rules, and where their table is.
fn rules_of(module: &Module) -> Option<(Segment<'_>, u64)> {
    let (start, len) = module.unwind_segment?;
    // SAFETY: the file stays loaded for now: code of it is on the stack, or is about to run; the segment is readable.
    let bytes = unsafe { core::slice::from_raw_parts(start.pointer::<u8>(), len) };
    Some((Segment { bytes, start: start.0 as u64 }, module.eh_frame_hdr.0 as u64))
}
