//! The code near a hooked file: for each function the way into the library, and the displaced instructions.
//!
//! | offset | what |
//! |---|---|
//! | 0 | `push` the address of the [`Function`](super::Function), then `jmp` into the library, both through the words at 16 and 24 |
//! | 32 | the displaced instructions, then a `jmp` behind them in the function |

use crate::avma::Avma;
use crate::sys::memory;
use allocs_metadata::{HookRecord, JUMP_SIZE};
use core::ops::Range;

/// Bytes of a stub.
pub const STUB_SIZE: usize = 96;
/// Where the displaced instructions are.
pub const TRAMPOLINE: usize = 32;

/// Distance over which a jump of five bytes surely reaches.
const REACH: usize = 0x7000_0000;

/// A place for `len` bytes of stubs, which can be written, from which and to which jumps reach from all of [`start`, `end`).
///
/// It lies below: above a program its break area begins.
#[must_use]
pub fn map_near(start: Avma, end: Avma, len: usize) -> Option<Avma> {
    const STEP: usize = 1 << 20;
    let lowest = end.0.saturating_sub(REACH).max(0x1_0000);
    let first = start.0.checked_sub(len)? & !(memory::PAGE_SIZE - 1);
    let places = (0..).map(|step| first.saturating_sub(step * STEP)).take_while(|&place| place > lowest);
    places
        .take(2000)
        .find_map(|place| memory::map_at(Avma(place), len))
        .map(|mapping| Avma::of(mapping.as_ptr()))
}

/// The jump at `at` to `to`, if it reaches.
#[must_use]
pub fn jump(at: Avma, to: Avma) -> Option<[u8; JUMP_SIZE]> {
    let [a, b, c, d] = distance(Avma(at.0.wrapping_add(JUMP_SIZE)), to)?;
    Some([0xe9, a, b, c, d])
}

fn distance(from: Avma, to: Avma) -> Option<[u8; 4]> {
    i32::try_from(to.0.wrapping_sub(from.0).cast_signed()).ok().map(i32::to_le_bytes)
}

/// The stub at `place` for the function whose displaced instructions were at `code`. `None` if the record makes no sense, or `code` is too
/// far away, or its instructions refer to what is not in `file`.
#[must_use]
pub fn bytes(
    record: &HookRecord,
    code: Avma,
    place: Avma,
    function: Avma,
    entry: Avma,
    file: &Range<Avma>,
) -> Option<[u8; STUB_SIZE]> {
    let in_file = |to: Avma| file.contains(&to).then_some(to);
    if !has_sense(record) {
        return None;
    }
    let mut stub = [0; STUB_SIZE];
    stub[..12].copy_from_slice(&[0xff, 0x35, 10, 0, 0, 0, 0xff, 0x25, 12, 0, 0, 0]);
    stub[16..24].copy_from_slice(&function.0.to_le_bytes());
    stub[24..32].copy_from_slice(&entry.0.to_le_bytes());
    let mut out = Out { stub: &mut stub, place, len: TRAMPOLINE };
    let displaced = record.bytes.get(..usize::from(record.length))?;
    let mut at = 0;
    while let Some(&byte) = displaced.get(at) {
        let is = |bits: u32| bits & 1 << at != 0;
        if is(record.short) {
            let distance = *displaced.get(at + 1)? as i8;
            match byte {
                0x70..=0x7f => out.push(&[0x0f, 0x80 | (byte & 15)])?,
                0xeb => out.push(&[0xe9])?,
                _ => return None,
            }
            at += 2;
            out.push_distance(in_file(Avma(code.0.wrapping_add(at).wrapping_add_signed(distance.into())))?)?;
        } else if is(record.relative) {
            let old = i32::from_le_bytes(*displaced.get(at..)?.first_chunk()?);
            at += 4;
            out.push_distance(in_file(Avma(code.0.wrapping_add(at).wrapping_add_signed(old as isize)))?)?;
        } else {
            out.push(&[byte])?;
            at += 1;
        }
    }
    out.push(&[0xe9])?;
    out.push_distance(Avma(code.0.wrapping_add(displaced.len())))?;
    Some(stub)
}

/// Whether instructions can be as a record says: a distance has an opcode in front of it and lies among the bytes, distances do not overlap,
/// and no short jump is behind what a jump takes the place of.
fn has_sense(record: &HookRecord) -> bool {
    let HookRecord { relative, short, length, .. } = *record;
    let last = u32::from(length).saturating_sub(4);
    relative & 1 == 0
        && relative.checked_shr(last + 1).unwrap_or(0) == 0
        && relative & (relative << 1 | relative << 2 | relative << 3) == 0
        && short >> JUMP_SIZE == 0
        && relative & (short | short << 1) == 0
}

/// The instructions written so far.
struct Out<'a> {
    stub: &'a mut [u8; STUB_SIZE],
    place: Avma,
    len: usize,
}

impl Out<'_> {
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        self.stub.get_mut(self.len..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// Adds a distance that leads to `to` if it is counted from behind it. A distance counted from further behind leads as much further.
    fn push_distance(&mut self, to: Avma) -> Option<()> {
        let behind = Avma(self.place.0.wrapping_add(self.len + 4));
        self.push(&distance(behind, to)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocs_metadata::{MOST_DISPLACED, StrRef};
    use proptest::prelude::*;
    use std::vec::Vec;

    const CODE: Avma = Avma(0x5555_0000_1000);
    const PLACE: Avma = Avma(0x5555_0000_0000);
    const FILE: Range<Avma> = Avma(0x5555_0000_0800)..Avma(0x5555_0000_8000);

    fn record(bytes: &[u8], relative: u32, short: u32) -> HookRecord {
        let mut padded = [0; MOST_DISPLACED];
        padded[..bytes.len()].copy_from_slice(bytes);
        HookRecord {
            svma: 0x1000,
            bytes: padded,
            relative,
            short,
            name: StrRef(0),
            length: bytes.len() as u8,
            action: 0,
            heap: 1,
            sizes: 1,
            block: 0,
            output: HookRecord::RETURNS,
            reserved: [0; 6],
        }
    }

    /// What is displaced → the instructions in the stub.
    fn check(displaced: &[u8], relative: u32, short: u32, expected: &[u8]) {
        let stub = bytes(&record(displaced, relative, short), CODE, PLACE, Avma(1), Avma(2), &FILE).unwrap();
        assert_eq!(stub[TRAMPOLINE..][..expected.len()], *expected, "{displaced:x?}");
    }

    #[test]
    fn instructions_run_as_in_their_old_place() {
        // push rbp; mov rbp, rsp; push rbx; then to CODE + 5, from PLACE + 42
        check(&[0x55, 0x48, 0x89, 0xe5, 0x53], 0, 0, &[0x55, 0x48, 0x89, 0xe5, 0x53, 0xe9, 0xdb, 0x0f, 0, 0]);
        // mov rax, [rip + 0x10]: 0xfe0 further
        check(&[0x48, 0x8b, 5, 0x10, 0, 0, 0], 1 << 3, 0, &[0x48, 0x8b, 5, 0xf0, 0x0f, 0, 0]);
        // cmp dword ptr [rip + 0x10], 5
        check(&[0x83, 0x3d, 0x10, 0, 0, 0, 5], 1 << 2, 0, &[0x83, 0x3d, 0xf0, 0x0f, 0, 0, 5]);
        // test rdi, rdi; je +1: to CODE + 6, from PLACE + 41
        check(
            &[0x48, 0x85, 0xff, 0x74, 1],
            0,
            1 << 3,
            &[0x48, 0x85, 0xff, 0x0f, 0x84, 0xdd, 0x0f, 0, 0, 0xe9],
        );
        // push rbx; mov ebx, eax; jmp -4: to CODE + 1, from PLACE + 40
        check(&[0x53, 0x89, 0xc3, 0xeb, 0xfc], 0, 1 << 3, &[0x53, 0x89, 0xc3, 0xe9, 0xd9, 0x0f, 0, 0, 0xe9]);
    }

    #[test]
    fn what_cannot_be_reached_has_no_stub() {
        let record = record(&[0x48, 0x8b, 5, 0x10, 0, 0, 0], 1 << 3, 0);
        assert!(bytes(&record, Avma(0x7fff_0000_0000), PLACE, Avma(1), Avma(2), &FILE).is_none());
        assert!(jump(CODE, Avma(CODE.0 + (1 << 31) + 5)).is_none());
        assert_eq!(jump(CODE, Avma(CODE.0 - 5)), Some([0xe9, 0xf6, 0xff, 0xff, 0xff]));
    }

    #[test]
    fn what_cannot_be_has_no_stub() {
        let check = |displaced: &[u8], relative: u32, short: u32, expect: bool| {
            let made = bytes(&record(displaced, relative, short), CODE, PLACE, Avma(1), Avma(2), &FILE);
            assert_eq!(made.is_some(), expect, "{displaced:x?} {relative:#x} {short:#x}");
        };
        let load = [0x48, 0x8b, 5, 0x10, 0, 0, 0];
        check(&load, 1 << 3, 0, true);
        check(&load, 1 << 4, 0, false);
        check(&load, 1, 0, false);
        check(&load, 1 << 2 | 1 << 3, 0, false);
        check(&load, 1 << 3, 1 << 5, false);
        // It refers to what is behind the file, or in front of it.
        check(&[0x48, 0x8b, 5, 0, 0, 1, 0], 1 << 3, 0, false);
        check(&[0x48, 0x8b, 5, 0, 0, 0xff, 0xff], 1 << 3, 0, false);
        check(&[0x48, 0x85, 0xff, 0x74, 1], 0, 1 << 3, true);
        check(&[0x48, 0x85, 0xff, 0x75, 1], 1 << 1, 1 << 3, false);
    }

    proptest! {
        #[test]
        fn records_that_lie_do_no_harm(
            displaced in prop::collection::vec(any::<u8>(), MOST_DISPLACED..=MOST_DISPLACED),
            length in any::<u8>(),
            relative in any::<u32>(),
            short in any::<u32>(),
        ) {
            let displaced: Vec<u8> = displaced;
            let record = HookRecord { length, ..record(&displaced, relative, short) };
            let _ = bytes(&record, CODE, PLACE, Avma(1), Avma(2), &FILE);
        }
    }

    #[test]
    fn a_place_near_a_file_is_below_it() {
        let here = Avma(a_place_near_a_file_is_below_it as fn() as usize);
        let found = map_near(here, Avma(here.0 + 0x1000), 0x1000).unwrap();
        assert!(found < here && here.0 - found.0 < REACH);
        assert!(memory::map_at(found, 0x1000).is_none());
    }
}
