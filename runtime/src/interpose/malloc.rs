//! `malloc`, `calloc`, `realloc` and `free`, whose fast paths every allocation pays for, and what they fall back to.
//!
//! They are written in assembly because only there is the return address at hand without a frame, and because their
//! length is the library's cost: 23 and 12 instructions for `malloc` and `free` over the real functions.
//!
//! # Safety
//! The assembly keeps the psABI: on entry the stack is 8 bytes off a 16-byte boundary, only caller-saved registers are
//! changed, and each `jmp` out leaves the stack as it was on entry. It accesses the tables as `index::regions`, `shadow` and
//! `sites` describe them.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::caller::Caller;
use crate::census;
use crate::index::regions::{DIRECTORY_OFFSET, REGION_SHIFT, TABLES};
use crate::index::sites::recent::{WORDS_SHIFT, WRAPPER_BIT};
use crate::index::sites::{self, Key};
use crate::index::{self, Block, LARGE};
use crate::interpose::call_site::{self, MAX_HOPS};
use crate::interpose::{bootstrap, note, real};
use core::arch::naked_asm;
use core::ffi::c_void;

/// Second half of the fast path: enters the block at rax, of the size in rdi, whose mark is in the upper half of rdx. r8 is
/// the tables, `slow` a label for what it cannot do.
macro_rules! write_slots {
    ($slow:literal) => {
        concat!(
            // The shadow of the block's region.
            "mov rcx, rax\n",
            "shr rcx, {region_shift}\n",
            "mov rcx, [r8 + 8*rcx + {directory}]\n",
            "test rcx, rcx\n",
            "je ",
            $slow,
            "\n",
            "cmp rdi, {large}\n",
            "jae ",
            $slow,
            "\n",
            // The size first, then the mark.
            "mov rsi, rax\n",
            "shr rsi, 2\n",
            "shr rdx, 32\n",
            "mov [rcx + rsi + 4], edi\n",
            "mov [rcx + rsi], edx\n",
            "ret",
        )
    };
}

/// The end of an allocation function: enters the block at rax, of the size in rdi, with the return address at `rsp`.
///
/// On the fast path the site is in the table of recent ones, the region has a shadow, and the block is not big. If the
/// real function fails while the region of address 0 has a shadow, as in a program loaded at low addresses, the slots
/// of NULL are written. No query looks at them.
macro_rules! enter_block {
    ($($begin:literal,)*; $($operand:tt)*) => {
        naked_asm!(
            ".cfi_startproc",
            $($begin,)*
            // The entry of the return address in the table of recent ones.
            "mov rsi, [rsp]",
            "lea r8, [rip + {tables}]",
            "movzx edx, si",
            "mov rdx, [r8 + 8*rdx]",
            "shr rsi, 16",
            "cmp esi, edx",
            "jne {leave_wrappers}",
            write_slots!("{slow}"),
            ".cfi_endproc",
            $($operand)*
            tables = sym TABLES,
            directory = const DIRECTORY_OFFSET,
            region_shift = const REGION_SHIFT,
            large = const LARGE,
            leave_wrappers = sym leave_wrappers,
            slow = sym slow_enter,
        )
    };
}

/// One step from a wrapper to its caller: with the test behind it 12 instructions, and two more to count. rdx is the entry of a return address, esi its tag, the operand
/// the stack pointer behind that return. They become those of the wrapper's return address; the stack pointer is in r9.
macro_rules! leave_wrapper {
    ($sp:literal) => {
        concat!(
            "btc rdx, {wrapper_bit}\n",
            "cmp esi, edx\n",
            "jne {slow}\n",
            "shr rdx, {words_shift}\n",
            concat!("lea r9, [", $sp, " + 8*rdx]\n"),
            "mov rsi, [r9 - 8]\n",
            "movzx edx, si\n",
            "mov rdx, [r8 + 8*rdx]\n",
            "shr rsi, 16\n",
            // No return address has nothing there, but an empty entry does.
            "je {slow}\n",
        )
    };
}

/// Goes on where the return address is not that of a recent site: from wrapper to caller, as long as the table has the
/// calls in wrappers, up to one in none. The block is at rax, its size in rdi, and r8 is the tables.
#[unsafe(naked)]
extern "C" fn leave_wrappers() {
    naked_asm!(
        ".cfi_startproc",
        leave_wrapper!("rsp + 8"),
        "cmp esi, edx",
        "je 3f",
        "mov ecx, {max_hops}",
        "2:",
        "dec ecx",
        "je {slow}",
        leave_wrapper!("r9"),
        "cmp esi, edx",
        "jne 2b",
        "3:",
        write_slots!("{slow}"),
        ".cfi_endproc",
        max_hops = const MAX_HOPS,
        wrapper_bit = const WRAPPER_BIT,
        words_shift = const WORDS_SHIFT,
        directory = const DIRECTORY_OFFSET,
        region_shift = const REGION_SHIFT,
        large = const LARGE,
        slow = sym slow_enter,
    )
}

/// What the fast paths leave to do: the block is at rax, its size in rdi.
#[unsafe(naked)]
extern "C" fn slow_enter() {
    naked_asm!(
        ".cfi_startproc",
        "mov rsi, rdi",
        "mov rdi, rax",
        "mov rdx, rsp",
        "mov rcx, rbp",
        "jmp {note_block}",
        ".cfi_endproc",
        note_block = sym note_block,
    )
}

/// `malloc`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    enter_block!(
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "call qword ptr [rip + {real_malloc}]",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        ;
        real_malloc = sym real::MALLOC,
    )
}

/// `calloc`. Where the product overflows, the real one fails, and the size does not matter.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    enter_block!(
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "imul rsi, rdi",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "mov rsi, [rsp + 8]",
        "sub rsp, 8",
        ".cfi_adjust_cfa_offset 8",
        "call qword ptr [rip + {real_calloc}]",
        "mov rdi, [rsp + 8]",
        "add rsp, 24",
        ".cfi_adjust_cfa_offset -24",
        ;
        real_calloc = sym real::CALLOC,
    )
}

/// `realloc`. Of NULL it is a `malloc`, as some programs make all their allocations.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn realloc(p: *mut c_void, size: usize) -> *mut c_void {
    enter_block!(
        "test rdi, rdi",
        "je 3f",
        "mov rdx, rsp",
        "mov rcx, rbp",
        "jmp {move_block}",
        "3:",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "call qword ptr [rip + {real_realloc}]",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        ;
        move_block = sym move_block,
        real_realloc = sym real::REALLOC,
    )
}

/// `free`. On the fast path the region has a shadow, and the size there is not big: then at most a mark is to be cleared.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn free(p: *mut c_void) {
    naked_asm!(
        ".cfi_startproc",
        "mov rax, rdi",
        "shr rax, {region_shift}",
        "lea rcx, [rip + {tables}]",
        "mov rax, [rcx + 8*rax + {directory}]",
        "test rax, rax",
        "je 2f",
        "mov rcx, rdi",
        "shr rcx, 4",
        "cmp dword ptr [rax + 4*rcx + 4], {large}",
        "jae 2f",
        "mov dword ptr [rax + 4*rcx], 0",
        "jmp qword ptr [rip + {real_free}]",
        "2:",
        "jmp {slow}",
        ".cfi_endproc",
        real_free = sym real::FREE,
        tables = sym TABLES,
        directory = const DIRECTORY_OFFSET,
        region_shift = const REGION_SHIFT,
        large = const LARGE,
        slow = sym slow_free,
    )
}

/// `cfree`, which old programs call: the same as `free`.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub extern "C" fn cfree(p: *mut c_void) {
    naked_asm!(".cfi_startproc", "jmp {free}", ".cfi_endproc", free = sym free)
}

extern "C" fn note_block(p: *mut c_void, size: usize, caller: Caller) -> *mut c_void {
    note::fresh(Avma::of(p), size, caller);
    p
}

/// `realloc` of a block that is there.
pub(super) extern "C" fn move_block(p: *mut c_void, size: usize, caller: Caller) -> *mut c_void {
    let old = Avma::of(p);
    // Out of the index before the real call: once that gives the memory back, another thread may get it.
    let Some(suspended) = index::suspend(old) else { return move_unknown_block(p, size, caller) };
    // SAFETY: the program's arguments.
    let new = unsafe { real::REALLOC.get()(p, size) };
    if size == 0 && (new.is_null() || real::is_foreign()) {
        index::resume(suspended, None);
        return new;
    }
    if new.is_null() {
        index::resume(suspended, Some(suspended.block));
        return new;
    }
    let call = call_site::find(caller);
    let site = sites::reallocated(suspended.block.site, Key::plain(call.return_address));
    if call.is_too_deep {
        index::site(site).note_too_deep();
    }
    index::resume(suspended, Some(Block { base: Avma::of(new), size, site }));
    if census::is_on() {
        index::site(site).count(size);
    }
    new
}

/// `realloc` of what the index does not have.
#[cold]
fn move_unknown_block(p: *mut c_void, size: usize, caller: Caller) -> *mut c_void {
    let new = if bootstrap::owns(Avma::of(p)) {
        leave_bootstrap(p, size)
    } else {
        // SAFETY: the program's arguments.
        unsafe { real::REALLOC.get()(p, size) }
    };
    note::fresh(Avma::of(new), size, caller);
    new
}

/// Copies a piece of the bootstrap area to the heap.
fn leave_bootstrap(p: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: any size may be asked for.
    let new = unsafe { real::MALLOC.get()(size) };
    if !new.is_null() {
        let len = size.min(bootstrap::readable_behind(Avma::of(p)));
        // SAFETY: the new block has `size` bytes, the area at least `len` behind `p`, and they are apart unless the new
        // block is in the area too, where pieces do not overlap but what is read behind `p` may: hence `copy`.
        unsafe { core::ptr::copy(p.cast::<u8>(), new.cast::<u8>(), len) };
    }
    new
}

extern "C" fn slow_free(p: *mut c_void) {
    let base = Avma::of(p);
    if base.is_null() || bootstrap::owns(base) {
        return;
    }
    index::remove(base);
    // SAFETY: the program vouches for its pointer.
    unsafe { real::FREE.get()(p) }
}
