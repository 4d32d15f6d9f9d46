//! The places in a linked file's code that allocate a block by `alloca`, and the header that they give it.
//!
//! Where a source calls alloca, the driver lets the compiler make this instead (`driver/alloca.rs`): a block that begins with
//! four words, of which the program sees nothing: the size that was asked for, the site, the frame pointer, and a check, the exclusive
//! or of size, site and the header's own address. The site is the address behind an instruction that loads just that: such a one
//! has no other use.

use iced_x86::{Instruction, Mnemonic};

use super::branches::Branches;
use super::calls::{CallInstruction, Svma};

/// Bytes in front of a block.
pub const HEADER_SIZE: usize = 32;

/// What the names of the variables begin with that the header is made from. No frame has them: the program did not declare them.
pub const VARIABLE_PREFIX: &str = "allocs_alloca_";

/// The name that stands for what such a place calls.
pub const CALLEE: &str = "alloca";

/// All such places, as calls of [`CALLEE`].
#[must_use]
pub fn calls(branches: &Branches<'_, '_>) -> Vec<CallInstruction<Option<String>>> {
    let call = |&return_svma: &Svma| CallInstruction {
        return_svma,
        callee: Some(CALLEE.to_owned()),
        is_tail: false,
    };
    branches.alloca_sites.iter().map(call).collect()
}

/// Whether an instruction is `lea 0(%rip), %reg`.
pub(super) fn is_site(instruction: &Instruction) -> bool {
    instruction.mnemonic() == Mnemonic::Lea
        && instruction.is_ip_rel_memory_operand()
        && instruction.ip_rel_memory_address() == instruction.next_ip()
}
