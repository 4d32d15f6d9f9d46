//! The functions that take the place of the C library's.
//!
//! The dynamic linker binds the program's calls of `malloc` and its family to ours, because a preloaded file comes first.
//! Each of ours calls the next definition in load order, so a malloc that the program links in stays in use, and then
//! enters what came back in the index.
//!
//! One allocation, station by station: the program calls `malloc` ([`malloc`]) → [`real`] has the next malloc → the return
//! address becomes a site (`index::sites`), or if it is in a wrapper, the return address of the wrapper → two stores into the shadow (`index::shadow`) → if the block is big, or the site
//! new, or a census counts, [`note`] does the rest; [`call_site`] finds the site.
//!
//! Nothing here may allocate from the program's heap or take a lock, and `errno` stays as the real function left it.

pub mod bootstrap;
pub mod call_site;
#[cfg(not(test))]
pub mod dl;
#[cfg(not(test))]
pub mod family;
#[cfg(not(test))]
pub mod lazy;
#[cfg(not(test))]
pub mod lock;
#[cfg(not(test))]
pub mod malloc;
pub mod note;
#[cfg(not(test))]
mod padded;
#[cfg(not(test))]
pub mod real;
#[cfg(not(test))]
pub mod signal_stack;
#[cfg(not(test))]
pub mod strings;

#[cfg(not(test))]
pub use real::is_foreign;
#[cfg(not(test))]
pub use strings::is_before_libc;

/// Whether the `malloc` that ours calls is not the C library's.
#[cfg(test)]
#[must_use]
pub fn is_foreign() -> bool {
    false
}

/// Defines an exported function that hands the place of its return address and the frame pointer, as one [`Caller`] more in
/// the given registers, to a function of ours.
///
/// [`Caller`]: crate::caller::Caller
#[cfg(not(test))]
macro_rules! entry {
    ($(#[$doc:meta])* $name:ident => $target:ident, $sp:literal, $bp:literal) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
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
    };
}
#[cfg(not(test))]
use entry;
