//! The exit summary: how many queries the program made, and what became of them.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::env::{self, Variable};
use crate::log;
use crate::query::{Place, Reason};
use crate::sys::threads;
use crate::types::make::decimal;

/// A line of the summary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
enum Line {
    UnknownStorage,
    Static,
    Stack,
    Heap,
    Alloca,
    UnindexedHeap,
    UnknownSite,
    UnindexedAlloca,
    UnknownFrame,
    UnknownStatic,
}

const LINES: usize = 10;
static COUNTS: [AtomicU64; LINES] = [const { AtomicU64::new(0) }; LINES];
static QUERIED: AtomicBool = AtomicBool::new(false);

/// Counts a query that found a place.
#[inline]
pub fn handled(place: &Place) {
    count(match place {
        Place::Heap(_) | Place::Divided(_) | Place::Pooled(_) => Line::Heap,
        Place::Static(_)
        | Place::DividedStatic(_)
        | Place::Symbol(_)
        | Place::Section(..)
        | Place::Segment(..)
        | Place::File(_) => Line::Static,
        Place::Frame(_) | Place::Stack(..) => Line::Stack,
        Place::Alloca(_) | Place::Vla(_) => Line::Alloca,
        Place::Nowhere => Line::UnknownStorage,
        Place::Auxv(_) | Place::Mapping(_) => return queried(),
    });
}

/// Counts a query that found a heap block.
#[inline]
pub fn handled_heap() {
    count(Line::Heap);
}

/// Counts a query that found no type.
#[cold]
pub fn aborted(reason: Reason) {
    count(match reason {
        Reason::UnknownStorage => Line::UnknownStorage,
        Reason::UnindexedHeap => Line::UnindexedHeap,
        Reason::UnknownSite => Line::UnknownSite,
        Reason::UnindexedAlloca => Line::UnindexedAlloca,
        Reason::UnknownStatic => Line::UnknownStatic,
        Reason::LostWalk | Reason::UnknownFrame => Line::UnknownFrame,
    });
}

/// Adds one. Without a lock prefix, which costs as much as half a query, as long as there is one thread; the one
/// instruction keeps a signal handler's count.
#[allow(unsafe_code)]
#[inline]
fn count(line: Line) {
    let counter = &COUNTS[line as usize];
    if threads::only_one() {
        // SAFETY: adds to the counter, which no other thread touches meanwhile.
        unsafe {
            core::arch::asm!("inc qword ptr [{at}]", at = in(reg) counter.as_ptr(), options(nostack));
        }
    } else {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn queried() {
    if !QUERIED.load(Ordering::Relaxed) {
        QUERIED.store(true, Ordering::Relaxed);
    }
}

const RULE: &[u8] = b"----------------------------------------------------\n";
const DOUBLE_RULE: &[u8] = b"====================================================\n";
/// Columns of a label, and of the number behind it.
const LABEL: usize = 43;
const NUMBER: usize = 9;

/// Writes the summary, if the program made a query or the user asks for it.
pub fn at_exit() {
    let any = QUERIED.load(Ordering::Relaxed) || COUNTS.iter().any(|n| n.load(Ordering::Relaxed) > 0);
    if !any && !env::is_on(Variable::Summary) {
        return;
    }
    let mut text = Text { bytes: [0; 1024], len: 0 };
    write_summary(&mut text, |line| COUNTS[line as usize].load(Ordering::Relaxed));
    log::write(text.bytes.get(..text.len).unwrap_or(&[]));
}

fn write_summary(text: &mut Text, count: impl Fn(Line) -> u64) {
    let lines: &[(&[u8], Option<Line>)] = &[
        (DOUBLE_RULE, None),
        (b"liballocs summary: \n", None),
        (RULE, None),
        (b"queries aborted for unknown storage:", Some(Line::UnknownStorage)),
        (b"queries handled by static case:", Some(Line::Static)),
        (b"queries handled by stack case:", Some(Line::Stack)),
        (b"queries handled by heap case:", Some(Line::Heap)),
        (b"queries handled by alloca case:", Some(Line::Alloca)),
        (RULE, None),
        (b"queries aborted for unindexed heap:", Some(Line::UnindexedHeap)),
        (b"queries aborted for unknown heap allocsite:", Some(Line::UnknownSite)),
        (b"queries aborted for unindexed alloca:", Some(Line::UnindexedAlloca)),
        (b"queries aborted for unknown stackframes:", Some(Line::UnknownFrame)),
        (b"queries aborted for unknown static obj:", Some(Line::UnknownStatic)),
        (DOUBLE_RULE, None),
    ];
    for &(label, line) in lines {
        text.push(label);
        let Some(line) = line else { continue };
        let mut digits = [0; 20];
        let number = decimal(count(line), &mut digits);
        text.blanks(LABEL.saturating_sub(label.len()) + NUMBER.saturating_sub(number.len()));
        text.push(number);
        text.push(b"\n");
    }
}

struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl Text {
    fn push(&mut self, part: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..).and_then(|rest| rest.get_mut(..part.len())) {
            place.copy_from_slice(part);
            self.len += part.len();
        }
    }

    fn blanks(&mut self, n: usize) {
        (0..n).for_each(|_| self.push(b" "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_one_that_scripts_parse() {
        let mut text = Text { bytes: [0; 1024], len: 0 };
        write_summary(&mut text, |line| if line == Line::Heap { 1_234_567_890 } else { line as u64 });
        let expect = "\
====================================================
liballocs summary: \n----------------------------------------------------
queries aborted for unknown storage:               0
queries handled by static case:                    1
queries handled by stack case:                     2
queries handled by heap case:              1234567890
queries handled by alloca case:                    4
----------------------------------------------------
queries aborted for unindexed heap:                5
queries aborted for unknown heap allocsite:        6
queries aborted for unindexed alloca:              7
queries aborted for unknown stackframes:           8
queries aborted for unknown static obj:            9
====================================================
";
        assert_eq!(std::str::from_utf8(&text.bytes[..text.len]).unwrap(), expect);
    }
}
