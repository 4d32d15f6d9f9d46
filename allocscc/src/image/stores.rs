//! From where on a word of a function's frame holds what the function's only store puts there.

use std::ops::Range;

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register};

use super::calls::{Svma, instructions};

/// The code over which the word at a distance from rbp holds what the only instruction of a function that writes it has put
/// there: from behind that to the first place to which a way leads past it, at most to `end`. None if a jump goes where nobody
/// knows.
#[must_use]
pub fn held_over(function: &[u8], start: Svma, from_rbp: i64, end: Svma) -> Option<Range<Svma>> {
    let mut store = None;
    let mut jumps = Vec::new();
    for instruction in instructions(function, start.0) {
        if writes(&instruction, from_rbp) && store.replace(instruction.next_ip()).is_some() {
            return None;
        }
        match instruction.flow_control() {
            FlowControl::IndirectBranch => return None,
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                jumps.push((instruction.ip(), instruction.near_branch_target()));
            }
            _ => {}
        }
    }
    let mut held = store?..end.0;
    // What lies behind the first such place may lead back.
    while let Some(target) = first_entry(&held, &jumps) {
        held.end = target;
    }
    (held.start < held.end).then_some(Svma(held.start)..Svma(held.end))
}

/// The first place in some code to which a jump from elsewhere leads.
fn first_entry(code: &Range<u64>, jumps: &[(u64, u64)]) -> Option<u64> {
    let enters = |(from, to): &(u64, u64)| !code.contains(from) && code.contains(to);
    jumps.iter().filter(|jump| enters(jump)).map(|&(_, to)| to).min()
}

fn writes(instruction: &Instruction, from_rbp: i64) -> bool {
    let reads = [Mnemonic::Cmp, Mnemonic::Test, Mnemonic::Push, Mnemonic::Call, Mnemonic::Jmp];
    instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Memory
        && instruction.memory_base() == Register::RBP
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64().cast_signed() == from_rbp
        && !reads.contains(&instruction.mnemonic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `mov %rax,-0x48(%rbp)`
    const STORE: [u8; 4] = [0x48, 0x89, 0x45, 0xb8];
    const NOP: [u8; 1] = [0x90];

    fn held(code: &[&[u8]], end: u64) -> Option<(u64, u64)> {
        held_over(&code.concat(), Svma(0x100), -0x48, Svma(end)).map(|held| (held.start.0, held.end.0))
    }

    #[test]
    fn the_word_holds_behind_the_only_store() {
        let load = [0x48, 0x8b, 0x45, 0xb8];
        let compare = [0x48, 0x39, 0x45, 0xb8];
        let elsewhere = [0x48, 0x89, 0x45, 0xb0];
        let indexed = [0x48, 0x89, 0x44, 0x05, 0xb8];
        let add = [0x48, 0x83, 0x45, 0xb8, 0x01];
        assert_eq!(held(&[], 0x100), None);
        assert_eq!(held(&[&load, &compare, &elsewhere, &indexed], 0x111), None);
        assert_eq!(held(&[&load, &compare, &STORE, &elsewhere, &load], 0x114), Some((0x10c, 0x114)));
        assert_eq!(held(&[&load, &STORE], 0x104), None);
        assert_eq!(held(&[&STORE, &STORE], 0x108), None);
        assert_eq!(held(&[&STORE, &add], 0x109), None);
    }

    #[test]
    fn a_jump_past_the_store_takes_the_word_away() {
        let jump = |by: i8| [0xeb, by.cast_unsigned()];
        let jump_if_equal = |by: i8| [0x74, by.cast_unsigned()];
        // Over the store, into what is behind it; over all of that; to right behind the store.
        assert_eq!(held(&[&jump(5), &STORE, &NOP, &NOP], 0x108), Some((0x106, 0x107)));
        assert_eq!(held(&[&jump_if_equal(6), &STORE, &NOP, &NOP, &NOP], 0x108), Some((0x106, 0x108)));
        assert_eq!(held(&[&jump_if_equal(4), &STORE, &NOP, &NOP], 0x108), None);
        // From there to there, and from there to before the store.
        assert_eq!(held(&[&STORE, &NOP, &NOP, &jump(-3)], 0x108), Some((0x104, 0x108)));
        assert_eq!(held(&[&STORE, &NOP, &NOP, &jump(-8)], 0x108), Some((0x104, 0x108)));
        // From behind the end, and from behind a place that another jump leads to.
        assert_eq!(held(&[&STORE, &NOP, &NOP, &jump(-3)], 0x106), Some((0x104, 0x105)));
        let code: [&[u8]; 6] = [&jump(7), &STORE, &NOP, &NOP, &NOP, &jump(-4)];
        assert_eq!(held(&code, 0x10b), Some((0x106, 0x107)));
        // `jmp *%rax`
        assert_eq!(held(&[&STORE, &NOP, &[0xff, 0xe0]], 0x105), None);
    }
}
