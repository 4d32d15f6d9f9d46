//! Hooks at the entries of functions that are a heap's and that nobody can interpose: those of a pool, and a `malloc` that only the
//! file itself calls.
//!
//! allocscc says in a file's metadata where they are and which instructions a jump can displace. When the library starts, before
//! any code of the loaded files runs, such a jump is written over them in memory; the file on disk stays as it is. It leads to a [`stub`] near the
//! file, which holds the displaced instructions too, and that to the [`entry`] code of the library, which calls the function
//! by its displaced instructions and has [`note`] see arguments and result.
//!
//! A record is believed if the bytes in memory are those that it says, in a segment that can be run and not written, if by the file's
//! unwind rules a function starts there that has them all, if a jump displaces that many, and if what they refer to lies in the file. What
//! stays trusted is that whole instructions end where the record says, that nothing jumps among them, and what the function does. So a
//! file can harm the process by a record that lies there; but it is the file whose code runs in the process anyway.
//!
//! Where code cannot be changed, as where a security policy forbids it, nothing is hooked and the heap stays unknown: pages with the jumps
//! are made ready elsewhere and take the place of the old ones in one step. No page is writable and executable at a time.
//!
//! # Safety
//! Code is changed before it runs: the constructor of this library is the first of all, and no other thread exists.
#![allow(unsafe_code)]

#[cfg(not(test))]
mod entry;
#[cfg(not(test))]
mod note;
pub mod stub;

use crate::avma::Avma;
use crate::modules::elf::loaded::{PF_R, PF_W, PF_X, Segment};
use allocs_metadata::{Heap, HookAction, HookRecord, JUMP_SIZE, REGISTER_ARGUMENTS};
use core::ops::Range;

/// A function that is hooked.
#[derive(Debug)]
#[repr(C)]
pub struct Function {
    /// Its displaced instructions, behind which it goes on. The entry code reads it.
    trampoline: Avma,
    action: HookAction,
    heap: Heap,
    sizes: u8,
    block: u8,
    output: u8,
}

impl Function {
    /// What a record says; `None` where no version of the format says so.
    fn of(record: &HookRecord, trampoline: Avma) -> Option<Function> {
        let is_output = record.output < REGISTER_ARGUMENTS || record.output == HookRecord::RETURNS;
        let is_known =
            record.block < REGISTER_ARGUMENTS && record.sizes >> REGISTER_ARGUMENTS == 0 && is_output;
        is_known.then_some(Function {
            trampoline,
            action: HookAction::from_u8(record.action)?,
            heap: Heap::from_u8(record.heap)?,
            sizes: record.sizes,
            block: record.block,
            output: record.output,
        })
    }
}

/// Most bytes that make room for a jump: the last instruction begins in it, and none is longer than 15 bytes.
const MOST_FOR_A_JUMP: usize = JUMP_SIZE - 1 + 15;
/// A landing pad for indirect branches. It stays where it is, so a hooked function may begin with it.
const ENDBR64: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];

/// Whether the code that a record says, `len` bytes at `at`, is at the entry of the function that the file's unwind rules say to be there;
/// `before` are the bytes in front of it.
fn is_entry(at: Avma, len: usize, function: &Range<Avma>, before: [u8; 4]) -> bool {
    let is_at_start =
        at == function.start || (at.0.wrapping_sub(function.start.0) == ENDBR64.len() && before == ENDBR64);
    is_at_start && at < function.end && len <= function.end.0 - at.0
}

/// The bytes that a record says to be in a segment that holds its address; `None` if the record cannot be true, as where the segment is no
/// code.
fn expected<'r>(record: &'r HookRecord, segment: &Segment) -> Option<&'r [u8]> {
    let makes_room = JUMP_SIZE..=MOST_FOR_A_JUMP;
    let bytes = record.bytes.get(..usize::from(record.length)).filter(|it| makes_room.contains(&it.len()))?;
    let left = segment.file_size.checked_sub(record.svma.checked_sub(segment.svma)?)?;
    let can_only_run = segment.flags & (PF_R | PF_W | PF_X) == PF_R | PF_X;
    (can_only_run && bytes.len() as u64 <= left).then_some(bytes)
}

#[cfg(not(test))]
pub use install::hook_loaded_files;

#[cfg(not(test))]
mod install {
    use super::stub::{self, STUB_SIZE};
    use super::{ENDBR64, Function, entry, expected, is_entry};
    use crate::avma::Avma;
    use crate::log::{Level, Path, log};
    use crate::modules::elf::loaded;
    use crate::modules::{self, Module, Svma, dl, open};
    use crate::private_heap;
    use crate::sys::memory::{self, Access, PAGE_SIZE};
    use crate::unwind::walk;
    use allocs_metadata::{FILE_HAS_HOOKS, HookAction, HookRecord};

    /// Hooks what the files that are loaded say. To be called once, while there is one thread and no code of theirs has run.
    pub fn hook_loaded_files() {
        let mut has_any = false;
        let _ = dl::each_loaded(|file| {
            // SAFETY: the file was just found to be loaded.
            let page = unsafe { open::first_page(&file) };
            if loaded::flags(page).is_some_and(|flags| flags & FILE_HAS_HOOKS != 0)
                && let Some(module) = modules::at(file.start)
            {
                has_any |= hook_file(module, page);
            }
            None::<()>
        });
        if has_any {
            entry::can_be_left();
        }
    }

    /// Hooks what a file says; whether there is anything.
    fn hook_file(module: &'static Module, first_page: &[u8]) -> bool {
        let Some(metadata) = &module.metadata else { return false };
        let records = metadata.hooks();
        let path = Path(module.path().to_bytes());
        let is_true = |record: &HookRecord| is_true(module, first_page, record);
        let len = (records.len() * STUB_SIZE).next_multiple_of(PAGE_SIZE);
        if len == 0 {
            return false;
        }
        let Some(stubs) = stub::map_near(module.start, module.end, len) else {
            log(
                Level::Problem,
                format_args!("{path}: no heap of its own is seen: no room for hooks near it"),
            );
            return false;
        };
        let place = |index: usize| Avma(stubs.0 + index * STUB_SIZE);
        for (index, record) in records.iter().enumerate().filter(|(_, record)| is_true(record)) {
            // SAFETY: each stub has its own place in the mapping, which is ours.
            unsafe { write_stub(module, record, place(index)) };
        }
        // SAFETY: all stubs are written.
        if let Err(why) = unsafe { memory::protect(stubs, len, Access::Run) } {
            log(Level::Problem, format_args!("{path}: no heap of its own is seen: error {}", why.0));
            return false;
        }
        let mut end = Svma(0);
        for (index, record) in records.iter().enumerate() {
            // Records that overlap lie.
            // SAFETY: a stub that was not written is empty; that of a record that was not found to be true was not.
            let is_hooked = record.svma >= end.0
                && unsafe { place(index).pointer::<u8>().read() } != 0
                && unsafe { write_jump(module.avma(Svma(record.svma)), place(index)) };
            if is_hooked {
                end = Svma(record.svma + u64::from(record.length));
            } else {
                let name = metadata.text(record.name);
                log(Level::Problem, format_args!("{path}: calls of {name} are not seen"));
            }
        }
        end != Svma(0)
    }

    /// Whether the code of the file is as the record says.
    fn is_true(module: &Module, first_page: &[u8], record: &HookRecord) -> bool {
        let Some(segment) = open::segment_with(first_page, record.svma) else { return false };
        let Some(bytes) = expected(record, &segment) else { return false };
        let at = module.avma(Svma(record.svma));
        let start = at.pointer::<u8>();
        let Some(function) = walk::function_in(module, at) else { return false };
        let is_behind = record.svma - segment.svma >= ENDBR64.len() as u64;
        // SAFETY: the bytes lie in a segment that is loaded from the file and can be read.
        let before = if is_behind { unsafe { start.cast::<[u8; 4]>().sub(1).read() } } else { [0; 4] };
        // SAFETY: as above.
        let found = unsafe { core::slice::from_raw_parts(start, bytes.len()) };
        bytes == found && is_entry(at, bytes.len(), &function, before)
    }

    /// Writes the stub of a function, unless there is no way to have one.
    ///
    /// # Safety
    /// The stub's place is ours, and can be written.
    unsafe fn write_stub(module: &Module, record: &HookRecord, place: Avma) {
        let trampoline = Avma(place.0 + stub::TRAMPOLINE);
        let Some(function) = Function::of(record, trampoline).and_then(private_heap::alloc_value) else {
            return;
        };
        let entry = match function.action {
            HookAction::Allocate => entry::allocate as extern "C" fn(),
            HookAction::Reallocate => entry::reallocate,
            HookAction::Free => entry::free,
        };
        let code = module.avma(Svma(record.svma));
        let file = module.start..module.end;
        let bytes = stub::bytes(record, code, place, Avma::of(function), Avma(entry as usize), &file);
        if let Some(bytes) = bytes {
            // SAFETY: says the caller.
            unsafe { place.pointer::<[u8; STUB_SIZE]>().write(bytes) };
        }
    }

    /// Puts a jump to a stub over the code at `at`; `false` where it cannot be changed.
    ///
    /// # Safety
    /// The code is that of a function with room for the jump, in a loaded segment that may be read and run, and there is one thread.
    unsafe fn write_jump(at: Avma, stub: Avma) -> bool {
        let Some(jump) = stub::jump(at, stub) else { return false };
        // SAFETY: says the caller; the pages are whole ones of a loaded segment, of which the file's last can be read to its end.
        unsafe { memory::replace_code(at, &jump) }.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::elf::loaded::PT_LOAD;
    use allocs_metadata::{MOST_DISPLACED, StrRef};

    const TRUE: HookRecord = HookRecord {
        svma: 0x1010,
        bytes: [0x90; MOST_DISPLACED],
        relative: 0,
        short: 0,
        name: StrRef(0),
        length: 6,
        action: HookAction::Free as u8,
        heap: Heap::Small as u8,
        sizes: 0,
        block: 1,
        output: HookRecord::RETURNS,
        reserved: [0; 6],
    };

    #[test]
    fn a_record_that_lies_about_the_code_is_not_believed() {
        let segment =
            |flags| Segment { kind: PT_LOAD, flags, svma: 0x1000, file_size: 0x100, memory_size: 0x200 };
        let check = |record: HookRecord, flags: u32, expect: Option<usize>| {
            assert_eq!(expected(&record, &segment(flags)).map(<[u8]>::len), expect, "{record:?} {flags}");
        };
        check(TRUE, PF_R | PF_X, Some(6));
        check(TRUE, PF_R, None);
        check(TRUE, PF_X, None);
        check(TRUE, PF_R | PF_W, None);
        check(TRUE, PF_R | PF_W | PF_X, None);
        check(HookRecord { length: 4, ..TRUE }, PF_R | PF_X, None);
        check(HookRecord { length: 19, ..TRUE }, PF_R | PF_X, Some(19));
        check(HookRecord { length: 20, ..TRUE }, PF_R | PF_X, None);
        check(HookRecord { length: 25, ..TRUE }, PF_R | PF_X, None);
        check(HookRecord { svma: 0x10fa, ..TRUE }, PF_R | PF_X, Some(6));
        check(HookRecord { svma: 0x10fb, ..TRUE }, PF_R | PF_X, None);
        check(HookRecord { svma: 0xfff, ..TRUE }, PF_R | PF_X, None);
        check(HookRecord { svma: u64::MAX, ..TRUE }, PF_R | PF_X, None);
    }

    #[test]
    fn only_the_start_of_a_function_is_an_entry() {
        let function = Avma(0x1000)..Avma(0x1010);
        let check = |at: usize, len: usize, before: [u8; 4], expect: bool| {
            assert_eq!(is_entry(Avma(at), len, &function, before), expect, "{at:#x} {len}");
        };
        check(0x1000, 5, [0; 4], true);
        check(0x1000, 16, [0; 4], true);
        check(0x1000, 17, [0; 4], false);
        check(0x1004, 5, [0; 4], false);
        check(0x1004, 5, ENDBR64, true);
        check(0x1004, 13, ENDBR64, false);
        check(0x1005, 5, ENDBR64, false);
        check(0xffc, 5, ENDBR64, false);
        check(0x1010, 5, [0; 4], false);
    }

    #[test]
    fn a_record_that_makes_no_sense_is_no_function() {
        let check = |record: HookRecord, expect: bool| {
            let found = Function::of(&record, Avma(0x5000));
            assert_eq!(found.is_some_and(|it| it.trampoline == Avma(0x5000)), expect, "{record:?}");
        };
        let Function { action, heap, sizes, block, output, .. } = Function::of(&TRUE, Avma(0x5000)).unwrap();
        assert_eq!((action, heap, sizes, block), (HookAction::Free, Heap::Small, 0, 1));
        assert_eq!(output, HookRecord::RETURNS);
        check(HookRecord { action: 3, ..TRUE }, false);
        check(HookRecord { heap: 2, ..TRUE }, false);
        check(HookRecord { block: 6, ..TRUE }, false);
        check(HookRecord { sizes: 0x40, ..TRUE }, false);
        check(HookRecord { output: 5, ..TRUE }, true);
        check(HookRecord { output: 6, ..TRUE }, false);
    }
}
