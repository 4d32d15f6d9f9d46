//! Where the stubs of hooked functions lead.
//!
//! The compiler may know of a function that only its own file calls which registers it leaves alone, the caller's to save included. So
//! everything is kept that the function itself does not change: all registers but those that code of ours cannot touch, as it is compiled for SSE2.
//! Nor need the stack be aligned where it calls such a function, so ours gets it aligned, and the function as it was.
//!
//! # Safety
//! On entry the stack is as at the entry of the function, with the address of its [`Function`](super::Function) below. It is that again,
//! without this word, where the function runs, and arguments and result are in their registers.
#![allow(unsafe_code)]

use super::note;
use crate::avma::Avma;
use crate::index::sites::calls::{self, Call};
use crate::index::sites::hop::{CallerRbp, Hop};
use allocs_metadata::CfaRegister;
use core::arch::naked_asm;

/// Bytes of what [`keep!`] keeps.
const KEPT: usize = 336;
/// From the stack pointer where a function is called to the end of the frame of its caller's call.
const FRAME: usize = 80;

/// Keeps what a function may leave alone.
macro_rules! keep {
    () => {
        concat!(
            "lea rsp, [rsp - {kept}]\n",
            ".cfi_adjust_cfa_offset {kept}\n",
            "mov [rsp + 256], rax\n",
            "mov [rsp + 264], rcx\n",
            "mov [rsp + 272], rdx\n",
            "mov [rsp + 280], rsi\n",
            "mov [rsp + 288], rdi\n",
            "mov [rsp + 296], r8\n",
            "mov [rsp + 304], r9\n",
            "mov [rsp + 312], r10\n",
            "mov [rsp + 320], r11\n",
            "mov [rsp + 328], rbp\n",
            ".cfi_rel_offset rbp, 328\n",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n",
            "movups [rsp + 16 * \\n], xmm\\n\n",
            ".endr",
        )
    };
}

/// Has it back.
macro_rules! restore {
    () => {
        concat!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n",
            "movups xmm\\n, [rsp + 16 * \\n]\n",
            ".endr\n",
            "mov rax, [rsp + 256]\n",
            "mov rcx, [rsp + 264]\n",
            "mov rdx, [rsp + 272]\n",
            "mov rsi, [rsp + 280]\n",
            "mov rdi, [rsp + 288]\n",
            "mov r8, [rsp + 296]\n",
            "mov r9, [rsp + 304]\n",
            "mov r10, [rsp + 312]\n",
            "mov r11, [rsp + 320]\n",
            "mov rbp, [rsp + 328]\n",
            ".cfi_restore rbp\n",
            "lea rsp, [rsp + {kept}]\n",
            ".cfi_adjust_cfa_offset -{kept}",
        )
    };
}

/// Calls a function of ours; what was kept is there again at the stack pointer.
macro_rules! call_ours {
    ($operand:literal) => {
        concat!(
            "mov rbp, rsp\n",
            ".cfi_def_cfa_register rbp\n",
            "and rsp, -16\n",
            "cld\n",
            "call ",
            $operand,
            "\n",
            "mov rsp, rbp\n",
            ".cfi_def_cfa_register rsp\n",
        )
    };
}

/// Lays the arguments on the stack, as [`note::Frame`] has them.
macro_rules! push_arguments {
    () => {
        concat!(
            ".cfi_def_cfa_offset 16\n",
            ".irp r, rdi, rsi, rdx, rcx, r8, r9\n",
            "push \\r\n",
            ".cfi_adjust_cfa_offset 8\n",
            ".endr",
        )
    };
}

/// Calls the function with the stack two words below the frame; the upper one is handed to [`note::made`].
macro_rules! call_function {
    ($return_label:literal) => {
        concat!(
            // No register is free, so the address goes through the lower word.
            "mov rdi, [rsp + 64]\n",
            "mov rdi, [rdi]\n",
            "mov [rsp], rdi\n",
            "mov rdi, [rsp + 56]\n",
            "call [rsp]\n",
            $return_label
        )
    };
}

/// Has the result seen and returns it.
macro_rules! note_and_return {
    () => {
        concat!(
            keep!(),
            "\n",
            "lea rdi, [rsp + {kept} + 16]\n",
            "mov rsi, rax\n",
            "mov rdx, rbp\n",
            "mov rcx, [rsp + {kept} + 8]\n",
            call_ours!("{made}"),
            restore!(),
            "\n",
            // The words below, the arguments, and the function.
            "lea rsp, [rsp + 72]\n",
            ".cfi_adjust_cfa_offset -72\n",
            "ret"
        )
    };
}

/// A function that makes a block.
#[unsafe(naked)]
pub(super) extern "C" fn allocate() {
    naked_asm!(
        ".cfi_startproc",
        push_arguments!(),
        "lea rsp, [rsp - 16]",
        ".cfi_adjust_cfa_offset 16",
        "mov qword ptr [rsp + 8], 0",
        call_function!(".globl liballocs_allocated\n.hidden liballocs_allocated\nliballocs_allocated:"),
        note_and_return!(),
        ".cfi_endproc",
        kept = const KEPT,
        made = sym note::made,
    )
}

/// A function that makes a block of another.
#[unsafe(naked)]
pub(super) extern "C" fn reallocate() {
    naked_asm!(
        ".cfi_startproc",
        push_arguments!(),
        "lea rsp, [rsp - 16]",
        ".cfi_adjust_cfa_offset 16",
        keep!(),
        "lea rdi, [rsp + {kept} + 16]",
        call_ours!("{before}"),
        "mov [rsp + {kept} + 8], rax",
        restore!(),
        call_function!(".globl liballocs_reallocated\n.hidden liballocs_reallocated\nliballocs_reallocated:"),
        note_and_return!(),
        ".cfi_endproc",
        kept = const KEPT,
        before = sym note::before,
        made = sym note::made,
    )
}

/// A function that ends a block. It is jumped to, so it returns to its caller.
#[unsafe(naked)]
pub(super) extern "C" fn free() {
    naked_asm!(
        ".cfi_startproc",
        push_arguments!(),
        keep!(),
        "lea rdi, [rsp + {kept}]",
        call_ours!("{ended}"),
        "mov [rsp + {kept} + 48], rax",
        restore!(),
        "lea rsp, [rsp + 56]",
        ".cfi_adjust_cfa_offset -56",
        // No register is free; below the stack pointer signal handlers leave 128 bytes alone.
        "jmp [rsp - 8]",
        ".cfi_endproc",
        kept = const KEPT,
        ended = sym note::ended,
    )
}

unsafe extern "C" {
    /// Where [`allocate`] is returned to.
    static liballocs_allocated: u8;
    /// Where [`reallocate`] is returned to.
    static liballocs_reallocated: u8;
}

/// Says that a block that a hooked function makes for its caller is that caller's, as in any wrapper.
pub(super) fn can_be_left() {
    let hop = Hop {
        register: CfaRegister::Rsp,
        cfa_offset: FRAME as i32,
        rbp: CallerRbp::Same,
        is_proved: true,
        has_type: false,
    };
    for place in [&raw const liballocs_allocated, &raw const liballocs_reallocated] {
        calls::remember(Avma::of(place), Call::InWrapper(hop));
    }
}
