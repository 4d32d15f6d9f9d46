//! Stacks, and the frames of the calling thread's.
//!
//! # Safety
//! [`home`] is two words of thread-local storage that only its own thread touches. While they change, the end is NULL, so
//! that a signal handler never sees parts of two pairs.
#![allow(unsafe_code)]

use core::num::NonZeroU64;
use core::ops::ControlFlow;

use super::auxv;
use super::mmap::{self, Mapping};
use super::{allocas, signal_stacks, thread_stacks, vlas};
use crate::avma::Avma;
use crate::index::Block;
use crate::modules;
use crate::types::scratch::Scratch;
use crate::types::{self, TypeRef, Uniqtype};
use crate::unwind::Caller;
use crate::unwind::cache::{Cache, Key};
use crate::unwind::walk::{self, End};

/// A stack, without what the kernel put above the first frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// First byte.
    pub start: Avma,
    /// One past the last byte.
    pub end: Avma,
}

impl Bounds {
    /// Whether an address lies in it.
    #[must_use]
    pub fn hold(self, p: Avma) -> bool {
        self.start <= p && p < self.end
    }
}

// The bounds of the stack that the thread was last seen on: initial-exec thread-local storage, which needs no call.
core::arch::global_asm!(
    ".pushsection .tbss.liballocs_stack_home,\"awT\",@nobits",
    ".p2align 3",
    ".hidden liballocs_stack_home",
    ".globl liballocs_stack_home",
    ".type liballocs_stack_home, @object",
    ".size liballocs_stack_home, 16",
    "liballocs_stack_home: .zero 16",
    ".popsection",
);

fn home() -> *mut Bounds {
    let at: *mut Bounds;
    // SAFETY: computes the address of this thread's copy; touches no memory but the table of offsets.
    unsafe {
        core::arch::asm!(
            "mov {at}, qword ptr [rip + liballocs_stack_home@GOTTPOFF]",
            "add {at}, qword ptr fs:[0]",
            at = out(reg) at,
            options(nostack, pure, readonly),
        );
    }
    at
}

/// The stack that a stack pointer of the calling thread lies in.
#[must_use]
pub fn bounds_of(sp: Avma) -> Option<Bounds> {
    let home = home();
    // SAFETY: this thread's own words.
    let known = unsafe { home.read_volatile() };
    if known.hold(sp) { Some(known) } else { find_bounds(sp) }
}

/// The same, whatever was there before: a program may have unmapped the stack of a coroutine, and mapped it anew with
/// other bounds.
#[cold]
#[inline(never)]
#[must_use]
pub fn find_bounds(sp: Avma) -> Option<Bounds> {
    let home = home();
    let mapping = mmap::mapping_at(sp)?;
    let found = match mapping.kind {
        mmap::Kind::Stack => {
            let end = auxv::first_after(sp).unwrap_or(mapping.end);
            Bounds { start: mapping.start, end: end.min(mapping.end) }
        }
        _ => in_mapping(sp, &mapping),
    };
    // SAFETY: this thread's own words.
    unsafe {
        (&raw mut (*home).end).write_volatile(Avma::NULL);
        (&raw mut (*home).start).write_volatile(found.start);
        (&raw mut (*home).end).write_volatile(found.end);
    }
    Some(found)
}

/// The stack that holds a stack pointer of the calling thread, as far as it is in the mapping. If nobody knows of one, as of a
/// coroutine's, it is all of the mapping.
fn in_mapping(sp: Avma, mapping: &Mapping) -> Bounds {
    let known = signal_stacks::at(sp).or_else(|| thread_stacks::own().filter(|stack| stack.hold(sp)));
    let Some(stack) = known else { return Bounds { start: mapping.start, end: mapping.end } };
    Bounds { start: stack.start.max(mapping.start), end: stack.end.min(mapping.end) }
}

/// The stack of any thread that holds an address, whoever asks.
#[must_use]
pub fn any_at(p: Avma, mapping: &Mapping) -> Option<Bounds> {
    match mapping.kind {
        mmap::Kind::Stack => Some(Bounds { start: mapping.start, end: mapping.end }),
        mmap::Kind::Heap => None,
        mmap::Kind::Other => signal_stacks::at(p).or_else(|| thread_stacks::at(p)),
    }
}

/// The stacks of all threads but the main one's, which is a mapping of its own, by address. Those of the calling thread's
/// coroutines are not known.
#[must_use]
pub fn all() -> Scratch<Bounds> {
    let mut stacks = Scratch::default();
    let mut add = |stack| {
        // A thread may be listed twice. Without memory the first stacks are all there are.
        if !stacks.as_slice().contains(&stack) {
            let _ = stacks.push(stack);
        }
    };
    thread_stacks::each(&mut add);
    signal_stacks::each(&mut add);
    stacks.as_mut_slice().sort_unstable_by_key(|stack| stack.start);
    stacks
}

/// The stack that the calling thread was last seen on, if it holds an address above its stack pointer.
#[must_use]
pub fn own_stack_at(p: Avma, caller: Caller) -> Option<Bounds> {
    // Nearly every address that is not on the stack is told apart here.
    if p < caller.return_slot {
        return None;
    }
    bounds_of(caller.return_slot).filter(|bounds| bounds.hold(p))
}

/// Whether an address lies on the stack that a stack pointer of the calling thread lies in.
#[must_use]
pub fn is_same(p: Avma, sp: Avma) -> bool {
    bounds_of(sp).is_some_and(|bounds| bounds.hold(p))
}

/// What a frame has at an address.
#[derive(Clone, Copy, Debug)]
pub enum FrameHit {
    /// The frame's variables, from the lowest one to the end of the frame.
    Variables(Object),
    /// A block of `alloca` below them.
    Alloca(Block),
    /// An array of variable length there.
    Vla(Object),
}

/// An object on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// First byte.
    pub base: Avma,
    /// Size in bytes.
    pub size: usize,
    /// Its type.
    pub ty: TypeRef,
}

/// Why an address on the stack is in no known frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Miss {
    /// The walk got lost before it came there.
    Lost,
    /// The frame is that of a function without metadata.
    NoMetadata,
    /// It lies outside the frames' locals.
    Outside,
}

/// The frame that holds an address.
pub fn frame_at(p: Avma, caller: Caller) -> Result<FrameHit, Miss> {
    let found = walk::walk(caller, |frame| {
        if p < frame.cfa && p >= frame.sp {
            ControlFlow::Break(frame.place())
        } else {
            ControlFlow::Continue(())
        }
    });
    let frame = match found {
        Ok(frame) => frame,
        Err(End::Outermost) => return Err(Miss::Outside),
        Err(End::Lost) => return Err(Miss::Lost),
    };
    let below = |miss| {
        let block = allocas::at(p, &frame).map(FrameHit::Alloca);
        block.or_else(|| vlas::at(p, &frame).map(FrameHit::Vla)).ok_or(miss)
    };
    let Some(ty) = type_at(frame.code) else { return below(Miss::NoMetadata) };
    let size = ty.size().unwrap_or(0);
    let base = Avma(frame.cfa.0.wrapping_sub(size));
    if p >= base { Ok(FrameHit::Variables(Object { base, size, ty })) } else { below(Miss::Outside) }
}

/// The type of a function's frame at an instruction; its size is the distance from the lowest local to the CFA.
fn type_at(code: Avma) -> Option<TypeRef> {
    static TYPES: Cache = Cache::new();
    let found = TYPES.get(Key::of(code), || NonZeroU64::new(find_type(code)?.as_ptr() as u64))?;
    // SAFETY: only types that were given out are stored.
    unsafe { TypeRef::from_ptr(found.get() as *const Uniqtype) }
}

#[cold]
#[inline(never)]
fn find_type(code: Avma) -> Option<TypeRef> {
    let module = modules::at(code)?;
    let file = module.metadata?;
    types::frame(file, file.frame_at(module.svma(code).0)?)
}
