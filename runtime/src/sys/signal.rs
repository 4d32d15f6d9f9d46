//! Signals: masks, the stack for handlers, and one handler of our own.
//!
//! # Safety
//! The kernel gets a pointer to a mask of the size that it is told, or to a `stack_t`; `sigaction` gets glibc's structure.
#![allow(unsafe_code)]

use super::Errno;
use super::libc;
use super::syscall::{Call, syscall};
use crate::avma::Avma;

/// A signal number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Signal(pub i32);

impl Signal {
    /// The second signal for applications.
    pub const SIGUSR2: Signal = Signal(12);
}

/// The kernel's set of signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct SignalSet(pub u64);

const SIG_SETMASK: usize = 2;

/// Blocks every signal in this thread and returns what was blocked before.
pub fn block_all() -> Result<SignalSet, Errno> {
    set_mask(SignalSet(u64::MAX))
}

/// Makes `set` this thread's blocked signals and returns what was blocked before.
pub fn set_mask(set: SignalSet) -> Result<SignalSet, Errno> {
    let mut old = SignalSet(0);
    let (new_at, old_at) = (&raw const set as usize, &raw mut old as usize);
    // SAFETY: both masks have the 8 bytes that the call is told.
    unsafe { syscall(Call::RtSigprocmask, [SIG_SETMASK, new_at, old_at, 8, 0, 0]) }?;
    Ok(old)
}

/// `stack_t`.
#[repr(C)]
struct SignalStack {
    start: usize,
    flags: i32,
    size: usize,
}

/// The stack that this thread has named for its handlers: first byte and size. `None` too while a handler runs on one that is
/// disarmed meanwhile.
#[must_use]
pub fn stack() -> Option<(Avma, usize)> {
    const SS_DISABLE: i32 = 2;
    let mut stack = SignalStack { start: 0, flags: SS_DISABLE, size: 0 };
    // SAFETY: the kernel writes the structure.
    unsafe { syscall(Call::Sigaltstack, [0, &raw mut stack as usize, 0, 0, 0, 0]) }.ok()?;
    (stack.flags & SS_DISABLE == 0).then_some((Avma(stack.start), stack.size))
}

/// Makes `handler` run on `signal`, until the program sets a handler of its own.
///
/// Ours may run at any instruction of any thread, so it must be async-signal-safe.
pub fn install_handler(signal: Signal, handler: extern "C" fn(i32)) -> Result<(), Errno> {
    const SA_RESTART: i32 = 0x1000_0000;
    let action = libc::SigAction { handler: handler as usize, mask: [0; 16], flags: SA_RESTART, restorer: 0 };
    // SAFETY: `action` has glibc's layout and the handler has the signature that its flags promise.
    match unsafe { libc::sigaction(signal.0, &raw const action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}
