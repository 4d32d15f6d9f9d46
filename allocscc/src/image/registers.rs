//! The general-purpose registers, and what calls do with them (System V psABI).

use iced_x86::{OpAccess, Register, UsedRegister};

/// The registers that pass the first integer arguments, in the order of the parameters.
pub(super) const ARGUMENTS: [Register; 6] =
    [Register::RDI, Register::RSI, Register::RDX, Register::RCX, Register::R8, Register::R9];

/// What a call may change.
pub(super) const CALLER_SAVED: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

/// Number of the general-purpose register that a register is part of.
pub(super) fn index(register: Register) -> Option<usize> {
    let full = register.full_register();
    full.is_gpr64().then(|| full as usize - Register::RAX as usize)
}

/// Whether an instruction writes, or may write, a register that it uses.
pub(super) fn is_written(used: &UsedRegister) -> bool {
    !matches!(used.access(), OpAccess::Read | OpAccess::CondRead | OpAccess::None)
}
