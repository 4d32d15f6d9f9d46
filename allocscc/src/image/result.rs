//! Where the code behind a call keeps what the call returned.

use std::ops::Range;

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};

use super::calls::Svma;
use super::function_code::Body;
use super::registers::{CALLER_SAVED, index, is_written};

/// How many instructions behind a call are looked at.
const MOST_INSTRUCTIONS: usize = 32;

/// A register by its number in DWARF.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RegisterNumber(pub u16);

/// rax, in which functions return pointers.
const RESULT: RegisterNumber = RegisterNumber(0);

/// rdi, in which functions get their first argument.
const FIRST_ARGUMENT: RegisterNumber = RegisterNumber(5);

/// A place that holds the result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// A register.
    Register(RegisterNumber),
    /// Memory that is addressed from a register, by an instruction at `by`.
    Memory {
        /// The register.
        base: RegisterNumber,
        /// How far from its value.
        displacement: i64,
        /// The instruction that stores it.
        by: Svma,
    },
    /// An object with static storage, or a part of it.
    Static(Svma),
}

/// A place, and over which code the result of the call is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The place.
    pub place: Place,
    /// What was added to the result.
    pub offset: i64,
    /// From the instruction behind the one that puts it there, to behind the one that changes it or the last one looked at.
    pub code: Range<u64>,
}

/// The places that hold the result of the call behind which `return_svma` is, in the order in which they get it.
///
/// Branches that may be taken are taken to be not: wherever the code is read, it runs after the call.
#[must_use]
pub fn behind(body: &Body<'_>, return_svma: Svma) -> Vec<Kept> {
    behind_with(body, return_svma, 0)
}

/// The places that hold the result and so many bytes more: where the objects of an array begin behind their number.
#[must_use]
pub fn behind_with(body: &Body<'_>, return_svma: Svma, offset: i64) -> Vec<Kept> {
    let mut kept = scan(body, return_svma).kept;
    kept.retain(|kept| kept.offset == offset);
    kept
}

/// The calls that get the result as their first argument, by their return addresses, in the order of the code. As C++ calls a
/// constructor, perhaps behind `memset`.
#[must_use]
pub fn passed_to(body: &Body<'_>, return_svma: Svma) -> Vec<Svma> {
    scan(body, return_svma).passed_to
}

fn scan(body: &Body<'_>, return_svma: Svma) -> Scan {
    let mut scan =
        Scan { kept: Vec::new(), ended: 0, passed_to: Vec::new(), info: InstructionInfoFactory::new() };
    scan.keep(Place::Register(RESULT), 0, return_svma.0);
    let mut next = return_svma;
    for _ in 0..MOST_INSTRUCTIONS {
        let Some(instruction) = body.instructions_from(next).next().filter(|i| !i.is_invalid()) else {
            break;
        };
        scan.ended = instruction.next_ip();
        next = Svma(instruction.next_ip());
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::ConditionalBranch => scan.execute(&instruction),
            FlowControl::Call | FlowControl::IndirectCall => scan.call(&instruction),
            FlowControl::UnconditionalBranch
                if body.range().contains(&instruction.near_branch64())
                    && instruction.near_branch64() > return_svma.0 =>
            {
                // The code that is jumped over is not run.
                scan.leave(&instruction);
                next = Svma(instruction.near_branch64());
            }
            _ => break,
        }
    }
    let ended = scan.ended;
    for kept in scan.kept.iter_mut().filter(|kept| kept.code.end == u64::MAX) {
        kept.code.end = ended.max(kept.code.start + 1);
    }
    scan
}

/// Numbers that the psABI gives to rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.
const DWARF_NUMBERS: [u16; 16] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

struct Scan {
    kept: Vec<Kept>,
    ended: u64,
    passed_to: Vec<Svma>,
    info: InstructionInfoFactory,
}

impl Scan {
    fn keep(&mut self, place: Place, offset: i64, from: u64) {
        self.kept.push(Kept { place, offset, code: from..u64::MAX });
    }

    /// What is added to the result in a place, if it is there.
    fn offset_in(&self, place: Place) -> Option<i64> {
        let is_there = |kept: &&Kept| is_same(kept.place, place) && kept.code.end == u64::MAX;
        self.kept.iter().find(is_there).map(|kept| kept.offset)
    }

    /// Ends all places for which `is_gone`.
    fn end(&mut self, at: u64, is_gone: impl Fn(Place) -> bool) {
        for kept in self.kept.iter_mut().filter(|kept| kept.code.end == u64::MAX && is_gone(kept.place)) {
            kept.code.end = at;
        }
    }

    /// Goes on at another place: what was kept up to a jump is kept from its target on.
    fn leave(&mut self, jump: &Instruction) {
        let is_there = |kept: &&Kept| kept.code.end == u64::MAX;
        let still: Vec<_> = self.kept.iter().filter(is_there).map(|kept| (kept.place, kept.offset)).collect();
        self.end(jump.next_ip(), |_| true);
        still.into_iter().for_each(|(place, offset)| self.keep(place, offset, jump.near_branch64()));
        self.ended = jump.near_branch64() + 1;
    }

    fn call(&mut self, instruction: &Instruction) {
        if self.offset_in(Place::Register(FIRST_ARGUMENT)) == Some(0) {
            self.passed_to.push(Svma(instruction.next_ip()));
        }
        let gone: Vec<RegisterNumber> = CALLER_SAVED.iter().filter_map(|&r| number(r)).collect();
        let is_gone = |place| matches!(place, Place::Register(register) if gone.contains(&register));
        self.end(instruction.next_ip(), is_gone);
    }

    fn execute(&mut self, instruction: &Instruction) {
        let moved = self.moved(instruction);
        let used = self.info.info(instruction).used_registers().iter();
        let written: Vec<RegisterNumber> =
            used.filter(|used| is_written(used)).filter_map(|used| number(used.register())).collect();
        let stored = memory(instruction, 0).filter(|_| instruction.mnemonic() != Mnemonic::Cmp);
        self.end(instruction.next_ip(), |place| match place {
            Place::Register(register) => written.contains(&register),
            Place::Memory { base, .. } => {
                written.contains(&base) || stored.is_some_and(|stored| is_same(stored, place))
            }
            Place::Static(_) => stored.is_some_and(|stored| is_same(stored, place)),
        });
        if let Some((place, offset)) = moved {
            self.keep(place, offset, instruction.next_ip());
        }
    }

    /// Where an instruction puts the result, and what is added to it there, if it moves it.
    fn moved(&self, instruction: &Instruction) -> Option<(Place, i64)> {
        let (source, more) = match instruction.mnemonic() {
            Mnemonic::Mov => (operand(instruction, 1)?, 0),
            Mnemonic::Add => (operand(instruction, 0)?, instruction.try_immediate(1).ok()?.cast_signed()),
            Mnemonic::Lea => match memory(instruction, 1)? {
                Place::Memory { base, displacement, .. } => (Place::Register(base), displacement),
                Place::Register(_) | Place::Static(_) => return None,
            },
            _ => return None,
        };
        let offset = self.offset_in(source)?.checked_add(more)?;
        Some((operand(instruction, 0)?, offset))
    }
}

/// The same place, whatever instruction stored there.
fn is_same(a: Place, b: Place) -> bool {
    match (a, b) {
        (
            Place::Memory { base, displacement, .. },
            Place::Memory { base: other, displacement: distance, .. },
        ) => (base, displacement) == (other, distance),
        _ => a == b,
    }
}

/// An operand of 64 bits.
fn operand(instruction: &Instruction, number_of_operand: u32) -> Option<Place> {
    match instruction.op_kind(number_of_operand) {
        OpKind::Register => {
            let register = instruction.op_register(number_of_operand);
            register.is_gpr64().then(|| number(register)).flatten().map(Place::Register)
        }
        OpKind::Memory if instruction.memory_size().size() == 8 => memory(instruction, number_of_operand),
        _ => None,
    }
}

fn memory(instruction: &Instruction, number_of_operand: u32) -> Option<Place> {
    if instruction.op_kind(number_of_operand) != OpKind::Memory
        || instruction.has_segment_prefix()
        || instruction.memory_index() != Register::None
    {
        return None;
    }
    if instruction.is_ip_rel_memory_operand() {
        return Some(Place::Static(Svma(instruction.ip_rel_memory_address())));
    }
    if instruction.memory_base() == Register::None {
        return Some(Place::Static(Svma(instruction.memory_displacement64())));
    }
    Some(Place::Memory {
        base: number(instruction.memory_base())?,
        displacement: instruction.memory_displacement64().cast_signed(),
        by: Svma(instruction.ip()),
    })
}

fn number(register: Register) -> Option<RegisterNumber> {
    index(register).map(|index| RegisterNumber(DWARF_NUMBERS[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAX: Place = Place::Register(RegisterNumber(0));
    const RBX: Place = Place::Register(RegisterNumber(3));
    const RBP: RegisterNumber = RegisterNumber(6);

    /// Checks what holds the result of a call that returns to the start of this code.
    fn check(code: &[u8], expected: &[(Place, Range<u64>)]) {
        let found = behind(&Body::new(Svma(0x1000), code), Svma(0x1000));
        let found: Vec<_> = found.into_iter().map(|kept| (kept.place, kept.code)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn moves_between_registers() {
        // mov %rax, %rbx; xor %eax, %eax; ret
        check(&[0x48, 0x89, 0xc3, 0x31, 0xc0, 0xc3], &[(RAX, 0x1000..0x1005), (RBX, 0x1003..0x1006)]);
    }

    #[test]
    fn stores_and_loads() {
        // mov %rax, -8(%rbp); mov -8(%rbp), %rbx; ret
        let slot = Place::Memory { base: RBP, displacement: -8, by: Svma(0x1000) };
        let code = [0x48, 0x89, 0x45, 0xf8, 0x48, 0x8b, 0x5d, 0xf8, 0xc3];
        check(&code, &[(RAX, 0x1000..0x1009), (slot, 0x1004..0x1009), (RBX, 0x1008..0x1009)]);
        // mov %rax, 0x10(%rip); ret
        let variable = Place::Static(Svma(0x1017));
        check(&[0x48, 0x89, 0x05, 0x10, 0, 0, 0, 0xc3], &[(RAX, 0x1000..0x1008), (variable, 0x1007..0x1008)]);
    }

    #[test]
    fn half_of_a_pointer_is_none() {
        // mov %eax, %ebx; mov %eax, -8(%rbp); ret
        check(&[0x89, 0xc3, 0x89, 0x45, 0xf8, 0xc3], &[(RAX, 0x1000..0x1006)]);
    }

    #[test]
    fn a_call_keeps_what_it_must() {
        // mov %rax, %rbx; call; ret
        let code = [0x48, 0x89, 0xc3, 0xe8, 0, 0, 0, 0, 0xc3];
        check(&code, &[(RAX, 0x1000..0x1008), (RBX, 0x1003..0x1009)]);
    }

    #[test]
    fn behind_what_is_kept_in_front() {
        // mov %rbx, (%rax); add $8, %rax; mov %rax, %rbx; lea 8(%rbx), %rcx; ret
        let code = [0x48, 0x89, 0x18, 0x48, 0x83, 0xc0, 8, 0x48, 0x89, 0xc3, 0x48, 0x8d, 0x4b, 8, 0xc3];
        check(&code, &[(RAX, 0x1000..0x1007)]);
        let with_8 = behind_with(&Body::new(Svma(0x1000), &code), Svma(0x1000), 8);
        let with_8: Vec<_> = with_8.into_iter().map(|kept| (kept.place, kept.code)).collect();
        assert_eq!(with_8, [(RAX, 0x1007..0x100f), (RBX, 0x100a..0x100f)]);
    }

    #[test]
    fn the_calls_that_get_it_first() {
        let check = |code: &[u8], expected: &[u64]| {
            let found = passed_to(&Body::new(Svma(0x1000), code), Svma(0x1000));
            assert_eq!(found, expected.iter().copied().map(Svma).collect::<Vec<_>>(), "{code:x?}");
        };
        // mov %rax, %rbx; call; mov %rbx, %rdi; call; ret
        check(&[0x48, 0x89, 0xc3, 0xe8, 0, 0, 0, 0, 0x48, 0x89, 0xdf, 0xe8, 0, 0, 0, 0, 0xc3], &[0x1010]);
        // mov %rax, %rdi; xor %edi, %edi; call; ret
        check(&[0x48, 0x89, 0xc7, 0x31, 0xff, 0xe8, 0, 0, 0, 0, 0xc3], &[]);
    }

    #[test]
    fn jumps_are_followed_and_branches_not() {
        // test %rax, %rax; je +1; jmp +1; int3; mov %rax, %rbx; ret
        let code = [0x48, 0x85, 0xc0, 0x74, 0x01, 0xeb, 0x01, 0xcc, 0x48, 0x89, 0xc3, 0xc3];
        check(&code, &[(RAX, 0x1000..0x1007), (RAX, 0x1008..0x100c), (RBX, 0x100b..0x100c)]);
    }
}
