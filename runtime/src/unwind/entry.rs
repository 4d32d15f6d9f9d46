//! Entry points that see their caller's registers.
//!
//! A function in Rust cannot know its caller's stack and frame pointer. So each exported query that may have to walk
//! the stack is a few instructions that pass them on as two more arguments. They have unwind rules, since a signal may
//! interrupt them, and its handler may ask about the interrupted stack.

/// Defines exported functions that jump to `$target` with the caller's stack and frame pointer as further arguments,
/// in the given registers.
macro_rules! entry {
    ($($(#[$meta:meta])* $name:ident),+ $(,)? => $target:path, $sp:literal, $bp:literal) => {
        $(
            $(#[$meta])*
            #[doc = "See the header."]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            #[unsafe(naked)]
            pub extern "C" fn $name() {
                core::arch::naked_asm!(
                    ".cfi_startproc",
                    concat!("mov ", $sp, ", rsp"),
                    concat!("mov ", $bp, ", rbp"),
                    "jmp {target}",
                    ".cfi_endproc",
                    target = sym $target,
                )
            }
        )+
    };
}

/// The same for functions with six arguments: the two more go onto the stack.
macro_rules! entry_with_six {
    ($($(#[$meta:meta])* $name:ident),+ $(,)? => $target:path) => {
        $(
            $(#[$meta])*
            #[doc = "See the header."]
            #[cfg_attr(not(test), unsafe(no_mangle))]
            #[unsafe(naked)]
            pub extern "C" fn $name() {
                core::arch::naked_asm!(
                    ".cfi_startproc",
                    "mov rax, rsp",
                    "sub rsp, 8",
                    ".cfi_adjust_cfa_offset 8",
                    "push rbp",
                    ".cfi_adjust_cfa_offset 8",
                    "push rax",
                    ".cfi_adjust_cfa_offset 8",
                    "call {target}",
                    "add rsp, 24",
                    ".cfi_adjust_cfa_offset -24",
                    "ret",
                    ".cfi_endproc",
                    target = sym $target,
                )
            }
        )+
    };
}

pub(crate) use {entry, entry_with_six};
