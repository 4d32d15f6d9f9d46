//! The stacks of all threads that the C library started, its own or given by the program.
//!
//! Nobody has to see a thread start or end: the kernel lists the threads, and of each knows the list of robust mutexes, whose
//! head lies in the C library's descriptor of the thread. The descriptor lies at the top of the thread's stack and says
//! where that is. A thread that has ended has no such list any more, so that the stack which the C library keeps for the next
//! thread is a mapping like any other.

use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::stack::Bounds;
use crate::avma::Avma;
use crate::sys::process::{self, Tid};
use crate::sys::{tasks, threads};

/// The stack of the thread that has an address on it, as `pthread_getattr_np` says it: without its guard.
#[cold]
#[inline(never)]
#[must_use]
pub fn at(p: Avma) -> Option<Bounds> {
    let holds = |stack: &Bounds| stack.hold(p);
    if threads::only_one() {
        return own().filter(holds);
    }
    // The descriptor is at the top, so between the address and it there is no other. The address may be a part of it.
    let (mut below, mut above) = (None, None);
    let _: Option<()> = tasks::each(|tid| {
        match tasks::robust_list(tid) {
            Some(head) if head > p => above = Some(above.map_or(head, |nearest: Avma| nearest.min(head))),
            head => below = below.max(head),
        }
        ControlFlow::Continue(())
    });
    [above, below].into_iter().flatten().find_map(|head| stack_with(head).filter(holds))
}

/// Calls `f` with the stack of each thread but the main one.
pub fn each(mut f: impl FnMut(Bounds)) {
    let _: Option<()> = tasks::each(|tid| {
        if let Some(stack) = tasks::robust_list(tid).and_then(stack_with) {
            f(stack);
        }
        ControlFlow::Continue(())
    });
}

/// The calling thread's own stack, wherever it runs now.
#[must_use]
pub fn own() -> Option<Bounds> {
    stack_with(list_of_caller()?)
}

fn list_of_caller() -> Option<Avma> {
    const CALLING_THREAD: Tid = Tid(0);
    tasks::robust_list(CALLING_THREAD)
}

/// The main thread's list: its stack is the kernel's, and its descriptor says nothing of it.
static MAIN: AtomicUsize = AtomicUsize::new(0);

/// Notes which thread is the main one. Called once, by that.
pub fn init() {
    MAIN.store(list_of_caller().map_or(0, |head| head.0), Ordering::Relaxed);
}

/// Which word behind the head of the list is the first of [`Words`]; 0 if nobody has looked. It differs between versions of
/// the C library.
static PLACE: AtomicUsize = AtomicUsize::new(0);

/// No version of the C library has them further behind.
const FURTHEST: usize = 192;

/// The stack of the thread with that list of robust mutexes.
fn stack_with(head: Avma) -> Option<Bounds> {
    if head.0 == MAIN.load(Ordering::Relaxed) {
        return None;
    }
    let known = PLACE.load(Ordering::Relaxed);
    if known != 0 {
        return Words::of(&read::<WORDS>(head, known)?)?.stack(head);
    }
    // In pieces that overlap, since the stack that we run on may be small.
    const PIECE: usize = 64;
    (0..FURTHEST).step_by(PIECE).find_map(|start| {
        let piece = read::<{ PIECE + WORDS - 1 }>(head, start)?;
        let mut places = piece.windows(WORDS).enumerate();
        let (place, stack) =
            places.find_map(|(place, words)| Some((start + place, Words::of(words)?.stack(head)?)))?;
        PLACE.store(place, Ordering::Relaxed);
        Some(stack)
    })
}

/// Words of a descriptor, which may be gone.
fn read<const N: usize>(head: Avma, place: usize) -> Option<[usize; N]> {
    let mut words = [0; N];
    let is_all = process::read_words(head.checked_add(8 * place)?, &mut words).ok()? == N;
    is_all.then_some(words)
}

const WORDS: usize = 4;

/// What a descriptor says of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Words {
    /// First byte of the stack, or of its guard.
    block: usize,
    /// Size of both.
    size: usize,
    guard: usize,
    /// What the program asked for.
    reported_guard: usize,
}

impl Words {
    fn of(words: &[usize]) -> Option<Words> {
        let &[block, size, guard, reported_guard] = words else { return None };
        Some(Words { block, size, guard, reported_guard })
    }

    /// The stack, if that is what the words say of the thread whose list begins at `head`. Other words of a descriptor never
    /// fit: they are small, or flags, or addresses without a size behind.
    fn stack(self, head: Avma) -> Option<Bounds> {
        /// What is above the head: the rest of the descriptor, and what alignment takes.
        const TOP: usize = 8192;
        let end = self.block.checked_add(self.size)?;
        let has_head = self.block != 0 && self.block <= head.0 && head.0 < end && end - head.0 <= TOP;
        let has_guard = self.guard < self.size && self.reported_guard < self.size;
        let start = Avma(self.block.checked_add(self.guard)?);
        (has_head && has_guard && start <= head).then_some(Bounds { start, end: Avma(end) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_block_with_the_descriptor_at_its_top_is_a_stack() {
        let check = |block, size, guard, reported_guard, expect: Option<(usize, usize)>| {
            let words = Words { block, size, guard, reported_guard };
            let stack = words.stack(Avma(0x10_f900)).map(|stack| (stack.start.0, stack.end.0));
            assert_eq!(stack, expect, "{words:x?}");
        };
        check(0x10_0000, 0x1_0000, 0x1000, 0x1000, Some((0x10_1000, 0x11_0000)));
        // The program's own, with no guard, on no boundary.
        check(0x10_0008, 0xfff0, 0, 0, Some((0x10_0008, 0x10_fff8)));
        check(0x10_0000, 0xf000, 0, 0, None);
        check(0x10_0000, 0x10_0000, 0, 0, None);
        check(0x10_fa00, 0x1000, 0, 0, None);
        check(0x10_0000, 0x1_0000, 0x1_0000, 0, None);
        check(0x10_0000, 0x1_0000, 0xfa00, 0, None);
        check(0x10_0000, 0x1_0000, 0, usize::MAX, None);
        check(0x10_0000, usize::MAX, 0, 0, None);
        check(0, 0x11_0000, 0, 0, None);
        check(0, 0, 0, 0, None);
    }

    #[test]
    fn a_thread_finds_its_own_stack_and_that_of_another() {
        let local = 0u8;
        let here = Avma::of(&raw const local);
        let mine = own().unwrap();
        assert!(mine.hold(here));
        let at_once = std::thread::spawn(move || (at(here), own(), Avma::of(&raw const here)));
        let (of_the_other, its_own, its_local) = at_once.join().unwrap();
        assert_eq!(of_the_other, Some(mine));
        assert!(its_own.is_some_and(|stack| stack.hold(its_local)));
    }
}
