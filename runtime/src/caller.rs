//! The registers of the code that called an exported function.

use crate::avma::Avma;

/// What an entry point written in assembly passes on, in two argument registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Caller {
    /// Where the return address lies.
    pub return_slot: Avma,
    /// The frame pointer.
    pub rbp: Avma,
}
