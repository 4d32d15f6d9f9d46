//! Linked files and object files as bytes: sections in and out, call instructions, string literals.
//!
//! Reading order: [`elf`] is the section table, [`append`] adds a section without touching what is there,
//! [`rewrite`] takes sections out of a linked file and [`renumber`] carries references over, [`debug_info`] says which
//! sections those are; [`dynamic`] says what the dynamic linker connects; [`branches`] decodes the code, [`calls`] finds call instructions in it and [`allocas`] blocks on the stack, [`arguments`] the constants that they pass, [`tail_calls`] who sees the return
//! address of those that are jumps, [`literals`] and [`unmerged`] the string literals. [`bitcode`] does for clang's `-flto`
//! objects what [`append`] does for ELF. [`object_file`] writes small objects and an archive of them. [`entry`] says which instructions a hook can displace. [`function_code`] is for who reads the code of functions: [`linear`] says what is known of the
//! integers that a call passes, [`result`] where its result goes, by the `registers`; [`stores`] over which code a word of a frame is set. [`unstrip`] puts a file and its debug information together.

pub mod allocas;
pub mod append;
pub mod arguments;
pub mod bitcode;
pub mod branches;
pub mod calls;
pub mod debug_info;
pub mod dynamic;
pub mod elf;
pub mod entry;
pub mod function_code;
pub mod linear;
pub mod literals;
pub mod object_file;
mod registers;
pub mod renumber;
pub mod result;
pub mod rewrite;
pub mod stores;
pub mod tail_calls;
pub mod unmerged;
pub mod unstrip;
