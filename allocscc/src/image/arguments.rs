//! The constants that a call passes in registers.
//!
//! What a register holds when the call is reached is known where every way there passes the instruction that loads it. So
//! knowledge ends at each place that is jumped to, from the cold part of a function too, and through a table. A function that jumps
//! through a table that is not found has no knowledge.

use std::ops::Range;

use iced_x86::{Code, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, SectionKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::branches::{Branches, jumped_to};
use super::calls::Svma;
use super::function_code::{Body, FunctionCode};
use super::registers::{ARGUMENTS, is_written};

/// What a call passes in a register.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Passed {
    /// It cannot be told.
    #[default]
    Unknown,
    /// A constant with these low 32 bits.
    Constant(u32),
    /// What an instruction has just worked out.
    Computed,
}

/// The arguments in registers.
pub type Constants = [Passed; ARGUMENTS.len()];

/// Reads the functions of a linked file, each once.
pub struct ConstantArguments<'a, 'data> {
    file: &'a ElfFile64<'data>,
    code: FunctionCode<'data>,
    /// Every place that some instruction jumps to, ascending.
    jumped_to: Vec<u64>,
    /// Of the functions read so far, by where they start: the constants of each call, by return address.
    read: FxHashMap<Svma, FxHashMap<Svma, Constants>>,
}

impl<'a, 'data> ConstantArguments<'a, 'data> {
    /// Of the functions of a file, which has these branches.
    #[must_use]
    pub fn new(branches: &Branches<'a, 'data>) -> Self {
        let file = branches.file();
        let jumped_to = jumped_to(branches.all.iter().copied());
        ConstantArguments { file, code: FunctionCode::of(file), jumped_to, read: FxHashMap::default() }
    }

    /// What the call passes that returns to `return_svma`.
    pub fn of_call(&mut self, return_svma: Svma) -> Constants {
        let Some(body) = self.code.around(Svma(return_svma.0 - 1)) else { return Constants::default() };
        let word = |at: u64| word_at(self.file, at);
        let calls = self.read.entry(body.start).or_insert_with(|| read(&body, &self.jumped_to, word));
        calls.get(&return_svma).copied().unwrap_or_default()
    }
}

/// The four bytes at an address of read-only data.
fn word_at(file: &ElfFile64<'_>, at: u64) -> Option<u32> {
    let mut data = file.sections().filter(|section| section.kind() == SectionKind::ReadOnlyData);
    let bytes = data.find_map(|section| section.data_range(at, 4).ok().flatten())?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// The constants of all calls in the code of a function. `word` reads four bytes of data.
fn read(body: &Body<'_>, jumped_to: &[u64], word: impl Fn(u64) -> Option<u32>) -> FxHashMap<Svma, Constants> {
    let decoded: Vec<Instruction> = body.instructions_from(body.start).collect();
    let mut found = FxHashMap::default();
    let is_through_table = |instruction: &&Instruction| {
        instruction.flow_control() == FlowControl::IndirectBranch
            && instruction.memory_base() != Register::RIP
    };
    let code = body.range();
    let [first, end] = [code.start, code.end].map(|at| jumped_to.partition_point(|&target| target < at));
    let jumped_to = &jumped_to[first..end];
    let tables: Vec<FxHashSet<u64>> = decoded.iter().filter_map(|i| table(i, &code, &word)).collect();
    if decoded.iter().filter(is_through_table).count() > tables.len() {
        return found;
    }
    let jumped_to =
        |at: u64| jumped_to.binary_search(&at).is_ok() || tables.iter().any(|table| table.contains(&at));
    let mut factory = InstructionInfoFactory::new();
    let mut known = Constants::default();
    for instruction in &decoded {
        if jumped_to(instruction.ip()) {
            known = Constants::default();
        }
        if instruction.flow_control() == FlowControl::Next {
            step(instruction, &mut factory, &mut known);
            continue;
        }
        found.insert(Svma(instruction.next_ip()), known);
        if instruction.flow_control() != FlowControl::ConditionalBranch {
            known = Constants::default();
        }
    }
    found
}

/// The places in `code` that a table leads to whose address an instruction takes: distances from the table.
fn table(
    instruction: &Instruction,
    code: &Range<u64>,
    word: impl Fn(u64) -> Option<u32>,
) -> Option<FxHashSet<u64>> {
    let takes_address = instruction.mnemonic() == Mnemonic::Lea && instruction.memory_base() == Register::RIP;
    let at = takes_address.then(|| instruction.ip_rel_memory_address())?;
    let entry = |index: u64| {
        let distance = word(at + 4 * index)? as i32;
        Some(at.wrapping_add_signed(distance.into())).filter(|place| code.contains(place))
    };
    let places: FxHashSet<u64> = (0..).map_while(entry).collect();
    (!places.is_empty()).then_some(places)
}

/// What is known behind an instruction that goes on to the next one.
fn step(instruction: &Instruction, factory: &mut InstructionInfoFactory, known: &mut Constants) {
    for used in factory.info(instruction).used_registers() {
        if let Some(index) = argument(used.register()).filter(|_| is_written(used)) {
            // What a register is copied from may hold the constant.
            known[index] = if is_copy(instruction) { Passed::Unknown } else { Passed::Computed };
        }
    }
    if let Some((register, value)) = loaded(instruction)
        && let Some(index) = argument(register)
    {
        known[index] = Passed::Constant(value);
    }
}

fn is_copy(instruction: &Instruction) -> bool {
    instruction.op_kinds().skip(1).any(|kind| kind == OpKind::Register)
        || instruction.mnemonic() == Mnemonic::Pop
}

fn argument(register: Register) -> Option<usize> {
    ARGUMENTS.iter().position(|&argument| argument == register.full_register())
}

/// The register that an instruction makes a constant, and its low 32 bits.
fn loaded(instruction: &Instruction) -> Option<(Register, u32)> {
    let register = instruction.op0_register();
    match instruction.code() {
        Code::Mov_r32_imm32 | Code::Mov_rm32_imm32 => Some((register, instruction.immediate32())),
        Code::Mov_r64_imm64 | Code::Mov_rm64_imm32 => Some((register, instruction.immediate(1) as u32)),
        Code::Xor_r32_rm32 | Code::Xor_rm32_r32
            if instruction.op1_kind() == OpKind::Register && instruction.op1_register() == register =>
        {
            Some((register, 0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::branches::Branch;

    /// What the call in this code, which starts at 0 and returns to `after`, passes in which argument.
    fn check(code: &[u8], after: u64, expected: &[(usize, Passed)]) {
        let mut constants = Constants::default();
        for &(index, value) in expected {
            constants[index] = value;
        }
        let body = Body::new(Svma(0), code);
        let jumped_to = jumped_to(body.instructions_from(body.start).filter_map(|i| Branch::of(&i)));
        let read = read(&body, &jumped_to, |at| (at == 0x1000).then_some(7u32.wrapping_sub(0x1000)));
        assert_eq!(read.get(&Svma(after)).copied().unwrap_or_default(), constants);
    }

    const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];

    #[test]
    fn constants_are_loaded_into_registers() {
        // mov $24,%edi; xor %esi,%esi; call
        let code = [&[0xbf, 24, 0, 0, 0, 0x31, 0xf6][..], &CALL].concat();
        check(&code, 12, &[(0, Passed::Constant(24)), (1, Passed::Constant(0))]);
        // mov $8,%r8d; mov $-1,%rdx; call
        let code = [&[0x41, 0xb8, 8, 0, 0, 0, 0x48, 0xc7, 0xc2, 0xff, 0xff, 0xff, 0xff][..], &CALL].concat();
        check(&code, 18, &[(4, Passed::Constant(8)), (2, Passed::Constant(u32::MAX))]);
    }

    #[test]
    fn what_is_written_later_counts() {
        // mov $24,%edi; add $1,%edi; call
        check(&[&[0xbf, 24, 0, 0, 0, 0x83, 0xc7, 1][..], &CALL].concat(), 13, &[(0, Passed::Computed)]);
        // mov $24,%edi; mov %ebx,%edi; call
        check(&[&[0xbf, 24, 0, 0, 0, 0x89, 0xdf][..], &CALL].concat(), 12, &[]);
        // mov $24,%edi; call; call
        check(&[&[0xbf, 24, 0, 0, 0][..], &CALL, &CALL].concat(), 15, &[]);
    }

    #[test]
    fn nothing_is_known_where_another_way_leads_to() {
        // mov $24,%edi; jmp L; mov $8,%edi; L: call
        let jump = [&[0xbf, 24, 0, 0, 0, 0xeb, 5, 0xbf, 8, 0, 0, 0][..], &CALL].concat();
        check(&jump, 17, &[]);
        // The jump goes behind the call.
        let past = [&[0xeb, 10, 0xbf, 8, 0, 0, 0][..], &CALL].concat();
        check(&past, 12, &[(0, Passed::Constant(8))]);
    }

    #[test]
    fn tables_lead_to_places_too() {
        // jmp *%rax; mov $8,%edi; call: nobody knows where the jump goes.
        check(&[&[0xff, 0xe0, 0xbf, 8, 0, 0, 0][..], &CALL].concat(), 12, &[]);
        // lea 0x1000(%rip),%rdx, whose table leads to 7; 7: jmp *%rax; mov $8,%edi; call
        let code = [&[0x48, 0x8d, 0x15, 0xf9, 0x0f, 0, 0, 0xff, 0xe0, 0xbf, 8, 0, 0, 0][..], &CALL].concat();
        check(&code, 19, &[(0, Passed::Constant(8))]);
        // mov $24,%edi; nop; 7: lea 0x1000(%rip),%rdx, whose table leads to 7; call
        let code = [&[0xbf, 24, 0, 0, 0, 0x66, 0x90, 0x48, 0x8d, 0x15, 0xf2, 0x0f, 0, 0][..], &CALL].concat();
        check(&code, 19, &[(2, Passed::Computed)]);
    }
}
