//! The stacks that threads named for their signal handlers (`sigaltstack`).
//!
//! The kernel says that of the calling thread alone, and not while a handler runs on a stack that is disarmed meanwhile. So our
//! `sigaltstack` notes what each thread names. A note counts as long as its thread lives: the kernel knows the same
//! list of robust mutexes for the thread as when the note was made.
//!
//! Notes are a list that only grows. One that is free, or whose thread has ended, is used again.
//!
//! # Safety
//! Notes live in the private heap for ever, so shared references to them are sound.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::stack::Bounds;
use crate::avma::Avma;
use crate::private_heap;
use crate::sys::process::{self, Tid};
use crate::sys::{signal, tasks};

/// What one thread named.
#[derive(Debug)]
struct Note {
    /// The thread's id, [`FREE`], or [`CHANGING`].
    owner: AtomicU32,
    /// The thread's list of robust mutexes.
    list: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    next: *const Note,
}

const FREE: u32 = 0;
/// Nobody has this id: the kernel's are below 2^22.
const CHANGING: u32 = u32::MAX;

static NOTES: AtomicPtr<Note> = AtomicPtr::new(core::ptr::null_mut());

fn notes() -> impl Iterator<Item = &'static Note> {
    // SAFETY: NULL, or a note.
    let as_note = |at: *const Note| unsafe { at.as_ref() };
    core::iter::successors(as_note(NOTES.load(Ordering::Acquire)), move |note| as_note(note.next))
}

/// The signal stack of any thread that holds an address.
#[cold]
#[inline(never)]
#[must_use]
pub fn at(p: Avma) -> Option<Bounds> {
    let holds = |stack: &Bounds| stack.hold(p);
    own()
        .filter(holds)
        .or_else(|| notes().find_map(|note| note.stack().filter(holds).filter(|_| note.is_of_live_thread())))
}

/// Calls `f` with the signal stack of each thread that has one.
pub fn each(f: impl FnMut(Bounds)) {
    notes().filter(|note| note.is_of_live_thread()).filter_map(Note::stack).for_each(f);
}

/// What the kernel says of the calling thread.
fn own() -> Option<Bounds> {
    let (start, size) = signal::stack()?;
    Some(Bounds { start, end: start.checked_add(size)? })
}

/// Notes what the calling thread has named last, or that it has none any more.
pub fn changed() {
    note(own());
}

fn note(stack: Option<Bounds>) {
    let tid = process::tid();
    for note in notes().filter(|note| note.owner.load(Ordering::Relaxed) == tid.0) {
        note.owner.store(FREE, Ordering::Release);
    }
    // Without memory for a note other threads do not know the stack.
    if let Some(stack) = stack
        && let Some(note) = free_note().or_else(ended_note).or_else(new_note)
    {
        note.set(tid, stack);
    }
}

fn free_note() -> Option<&'static Note> {
    notes().find(|note| note.take(FREE))
}

fn ended_note() -> Option<&'static Note> {
    notes().find(|note| {
        let owner = note.owner.load(Ordering::Acquire);
        owner != FREE && owner != CHANGING && !note.is_of_live_thread() && note.take(owner)
    })
}

fn new_note() -> Option<&'static Note> {
    let mut next = NOTES.load(Ordering::Acquire);
    let layout = core::alloc::Layout::new::<Note>();
    let place = private_heap::alloc(layout)?.cast::<Note>();
    loop {
        let [list, start, end] = [const { AtomicUsize::new(0) }; 3];
        // SAFETY: the place is aligned, large enough, and nobody else's before it is in the list.
        unsafe { place.write(Note { owner: AtomicU32::new(CHANGING), list, start, end, next }) };
        match NOTES.compare_exchange(next, place.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it stays for ever.
            Ok(_) => return Some(unsafe { place.as_ref() }),
            Err(now) => next = now,
        }
    }
}

impl Note {
    /// Makes the note ours to change, if its owner still is that.
    fn take(&self, owner: u32) -> bool {
        self.owner.compare_exchange(owner, CHANGING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Fills in a note that nobody else changes.
    fn set(&self, tid: Tid, stack: Bounds) {
        // What is written here is not seen before the owner is, nor by a signal handler meanwhile.
        core::sync::atomic::fence(Ordering::Release);
        self.list.store(tasks::robust_list(tid).map_or(0, |list| list.0), Ordering::Relaxed);
        self.start.store(stack.start.0, Ordering::Relaxed);
        self.end.store(stack.end.0, Ordering::Relaxed);
        self.owner.store(tid.0, Ordering::Release);
    }

    /// The stack, unless the note is free or changes meanwhile.
    fn stack(&self) -> Option<Bounds> {
        let owner = self.owner.load(Ordering::Acquire);
        let bound = |word: &AtomicUsize| Avma(word.load(Ordering::Relaxed));
        let stack = Bounds { start: bound(&self.start), end: bound(&self.end) };
        core::sync::atomic::fence(Ordering::Acquire);
        let is_whole = self.owner.load(Ordering::Relaxed) == owner && owner != FREE && owner != CHANGING;
        is_whole.then_some(stack)
    }

    fn is_of_live_thread(&self) -> bool {
        let tid = Tid(self.owner.load(Ordering::Acquire));
        let list = Avma(self.list.load(Ordering::Relaxed));
        tasks::robust_list(tid).is_some_and(|now| now == list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_known_to_all_until_its_thread_gives_it_up_or_ends() {
        let stack = |start| Bounds { start: Avma(start), end: Avma(start + 0x1000) };
        let (told, asked) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            for named in [Some(stack(0x10_0000)), Some(stack(0x20_0000)), None, Some(stack(0x30_0000))] {
                note(named);
                told.send(()).unwrap();
                wait.recv().unwrap();
            }
        });
        for known in [Some(0x10_0000), Some(0x20_0000), None, Some(0x30_0000)] {
            asked.recv().unwrap();
            for start in [0x10_0000, 0x20_0000, 0x30_0000] {
                let expect = (known == Some(start)).then(|| stack(start));
                assert_eq!(at(Avma(start + 0xfff)), expect);
                assert_eq!(at(Avma(start + 0x1000)), None);
            }
            go_on.send(()).unwrap();
        }
        thread.join().unwrap();
        assert_eq!(at(Avma(0x30_0000)), None);
        // Its note is used again.
        let count = notes().count();
        note(Some(stack(0x40_0000)));
        assert_eq!((at(Avma(0x40_0000)), notes().count()), (Some(stack(0x40_0000)), count));
        note(None);
        assert_eq!(at(Avma(0x40_0000)), None);
    }
}
