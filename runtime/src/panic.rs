//! What a `no_std` library has to define to be linked.
//!
//! # Safety
//! Nothing here is ever called unless a defect made us panic: then the process ends, as `panic = "abort"` says.
#![allow(unsafe_code)]

use crate::sys::{file, process};
use core::arch::global_asm;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    let _ = file::write_stderr(b"liballocs: internal error, aborting\n");
    process::abort()
}

// The precompiled core library names these two in unwinding tables and landing pads that an aborting panic never reaches.
// Hidden, so that they cannot take the place of the program's own.
global_asm!(
    ".pushsection .text.liballocs_no_unwinding,\"ax\",@progbits",
    ".globl rust_eh_personality",
    ".hidden rust_eh_personality",
    ".type rust_eh_personality,@function",
    "rust_eh_personality:",
    ".globl _Unwind_Resume",
    ".hidden _Unwind_Resume",
    ".type _Unwind_Resume,@function",
    "_Unwind_Resume:",
    "ud2",
    ".size rust_eh_personality, . - rust_eh_personality",
    ".size _Unwind_Resume, . - _Unwind_Resume",
    ".popsection",
);
