//! The first instructions of a function, as a hook displaces them: which make room for a jump, and what has to change in them
//! at another place.

use std::fmt;

use allocs_metadata::{JUMP_SIZE, MOST_DISPLACED};
use iced_x86::{ConstantOffsets, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::calls::Svma;

/// Instructions that can run elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Displaced {
    /// Address of the first one.
    pub svma: Svma,
    /// Their bytes.
    pub bytes: Vec<u8>,
    /// A bit for each byte: four bytes from there on are a distance from the instruction behind.
    pub relative: u32,
    /// A bit for each byte: a short jump begins there.
    pub short: u32,
}

/// Why a function cannot be hooked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It ends before there is room for a jump.
    TooShort,
    /// Code jumps to this address, among the instructions to be displaced.
    JumpedTo(u64),
    /// The instruction at this address would do something else at another place.
    NotMovable(u64),
    /// The bytes at this address are no instruction.
    NoInstruction(u64),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::TooShort => write!(f, "it is too short for a jump of {JUMP_SIZE} bytes"),
            Refusal::JumpedTo(svma) => {
                write!(f, "something jumps to {svma:#x}, among its first instructions")
            }
            Refusal::NotMovable(svma) => {
                write!(f, "its instruction at {svma:#x} cannot run at another place")
            }
            Refusal::NoInstruction(svma) => write!(f, "there is no instruction at {svma:#x}"),
        }
    }
}

/// Which instructions make room for a jump at the entry of a function, whose code is `body`. `is_jumped_to` knows where jumps go,
/// calls of the function that are jumps apart.
///
/// A landing pad for indirect branches stays where it is.
///
/// # Errors
/// Says why the function cannot be hooked.
pub fn displaced(entry: Svma, body: &[u8], is_jumped_to: impl Fn(u64) -> bool) -> Result<Displaced, Refusal> {
    let mut decoder = Decoder::with_ip(64, body, entry.0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut start = entry.0;
    let (mut relative, mut short) = (0, 0);
    loop {
        if !decoder.can_decode() {
            return Err(Refusal::TooShort);
        }
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            return Err(Refusal::NoInstruction(instruction.ip()));
        }
        if instruction.ip() == entry.0 && instruction.mnemonic() == Mnemonic::Endbr64 {
            start = instruction.next_ip();
            continue;
        }
        let at = instruction.ip() - start;
        if is_jumped_to(instruction.ip()) {
            return Err(Refusal::JumpedTo(instruction.ip()));
        }
        match change(&instruction, &decoder.get_constant_offsets(&instruction))? {
            Change::None => {}
            Change::Relative(offset) => relative |= 1 << (at + offset),
            Change::Short => short |= 1 << at,
        }
        let length = instruction.next_ip() - start;
        if length > MOST_DISPLACED as u64 {
            return Err(Refusal::NotMovable(instruction.ip()));
        }
        if length >= JUMP_SIZE as u64 {
            let from = (start - entry.0) as usize;
            let bytes = body[from..from + length as usize].to_vec();
            return Ok(Displaced { svma: Svma(start), bytes, relative, short });
        }
        // Behind an unconditional jump or a return comes other code.
        if matches!(
            instruction.flow_control(),
            FlowControl::Return | FlowControl::UnconditionalBranch | FlowControl::IndirectBranch
        ) {
            return Err(Refusal::TooShort);
        }
    }
}

/// What has to change in an instruction that moves.
enum Change {
    None,
    /// The distance at this offset.
    Relative(u64),
    /// All of it: a short jump.
    Short,
}

fn change(instruction: &Instruction, offsets: &ConstantOffsets) -> Result<Change, Refusal> {
    let refused = Err(Refusal::NotMovable(instruction.ip()));
    match instruction.flow_control() {
        FlowControl::Next => {}
        FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch => {
            return match (instruction.op0_kind(), instruction.len()) {
                // `loop` and `jrcxz` have no long form.
                (OpKind::NearBranch64, 2) if instruction.is_jcc_short() || instruction.is_jmp_short() => {
                    Ok(Change::Short)
                }
                (OpKind::NearBranch64, _) if offsets.immediate_size() == 4 => {
                    Ok(Change::Relative(offsets.immediate_offset() as u64))
                }
                _ => refused,
            };
        }
        FlowControl::Return | FlowControl::IndirectBranch => {}
        // What a call leaves on the stack would be another return address.
        _ => return refused,
    }
    if instruction.is_ip_rel_memory_operand() {
        if offsets.displacement_size() != 4 {
            return refused;
        }
        return Ok(Change::Relative(offsets.displacement_offset() as u64));
    }
    Ok(Change::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: u64 = 0x1000;

    /// The bytes of a function in hexadecimal → what is displaced: from where, how many bytes, and the bits.
    fn check(body: &str, expected: Result<(u64, usize, u32, u32), Refusal>) {
        check_jumped(body, &[], expected);
    }

    fn check_jumped(body: &str, targets: &[u64], expected: Result<(u64, usize, u32, u32), Refusal>) {
        let bytes: Vec<u8> =
            body.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let found = displaced(Svma(ENTRY), &bytes, |target| targets.contains(&target));
        let found = found.map(|it| {
            let start = (it.svma.0 - ENTRY) as usize;
            assert_eq!(it.bytes, bytes[start..start + it.bytes.len()], "{body}");
            (it.svma.0, it.bytes.len(), it.relative, it.short)
        });
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn whole_instructions_up_to_the_size_of_a_jump() {
        // push rbp; mov rbp, rsp; sub rsp, 16
        check("55 48 89 e5 48 83 ec 10 c3", Ok((ENTRY, 8, 0, 0)));
        // push rbp; mov rbp, rsp; push rbx
        check("55 48 89 e5 53 c3", Ok((ENTRY, 5, 0, 0)));
        // mov rax, rdi; add rax, rsi; ret
        check("48 89 f8 48 01 f0 c3", Ok((ENTRY, 6, 0, 0)));
        // lea rax, [rdi + 16]; ret
        check("48 8d 47 10 c3", Ok((ENTRY, 5, 0, 0)));
    }

    #[test]
    fn a_landing_pad_stays() {
        check("f3 0f 1e fa 55 48 89 e5 53 c3", Ok((ENTRY + 4, 5, 0, 0)));
        check("f3 0f 1e fa 31 c0 c3", Err(Refusal::TooShort));
    }

    #[test]
    fn distances_are_marked() {
        // mov rax, [rip + 0x10]
        check("48 8b 05 10 00 00 00 c3", Ok((ENTRY, 7, 1 << 3, 0)));
        // cmp dword ptr [rip + 0x10], 5: an immediate stands behind
        check("83 3d 10 00 00 00 05 c3", Ok((ENTRY, 7, 1 << 2, 0)));
        // test rdi, rdi; je +0x20
        check("48 85 ff 0f 84 20 00 00 00 c3", Ok((ENTRY, 9, 1 << 5, 0)));
        // jmp +0x20, a tail call
        check("e9 20 00 00 00", Ok((ENTRY, 5, 1 << 1, 0)));
    }

    #[test]
    fn short_jumps_are_marked() {
        // test rdi, rdi; je +1; ret
        check("48 85 ff 74 01 c3 c3", Ok((ENTRY, 5, 0, 1 << 3)));
        // push rbx; jmp +2 leaves no room behind it
        check("53 eb 02 90 90 90 90", Err(Refusal::TooShort));
        // push rbx; mov ebx, eax; jmp +2
        check("53 89 c3 eb 02 90 90 c3", Ok((ENTRY, 5, 0, 1 << 3)));
        // push rbx; mov ebx, eax; jrcxz +1
        check("53 89 c3 e3 01 90 c3", Err(Refusal::NotMovable(ENTRY + 3)));
    }

    #[test]
    fn what_cannot_be_displaced() {
        check("", Err(Refusal::TooShort));
        check("c3", Err(Refusal::TooShort));
        // xor eax, eax; ret
        check("31 c0 c3 90 90 90 90", Err(Refusal::TooShort));
        // call +0
        check("e8 00 00 00 00 c3", Err(Refusal::NotMovable(ENTRY)));
        // push rbx; call [rip + 0]
        check("53 ff 15 00 00 00 00 c3", Err(Refusal::NotMovable(ENTRY + 1)));
        // int3
        check("cc cc cc cc cc", Err(Refusal::NotMovable(ENTRY)));
        // An instruction that is cut off
        check("55 48 89", Err(Refusal::NoInstruction(ENTRY + 1)));
    }

    #[test]
    fn a_jump_among_the_first_instructions() {
        // dec rax; jne back to the entry
        check_jumped("48 ff c8 75 fb 55 48 89 e5 c3", &[ENTRY], Err(Refusal::JumpedTo(ENTRY)));
        check_jumped("55 48 89 e5 53 c3", &[ENTRY + 5], Ok((ENTRY, 5, 0, 0)));
        check_jumped("55 48 89 e5 53 c3", &[ENTRY + 4], Err(Refusal::JumpedTo(ENTRY + 4)));
    }
}
