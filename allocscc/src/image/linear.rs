//! What the code in front of a call says of the integers that it passes.
//!
//! Straight-line code only: where another path may come in, nothing is known any more. An argument is then read as `factor * x +
//! constant`, where nobody knows x. That is enough to say that a size is no multiple of a struct's.

use iced_x86::{FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind, Register};
use rustc_hash::FxHashSet;

use super::calls::Svma;
use super::function_code::Body;
use super::registers::{ARGUMENTS, CALLER_SAVED, index, is_written};

/// An integer that is `factor * x + constant` for some x.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Linear {
    /// 0 for a constant, 1 if nothing is known.
    pub factor: i64,
    /// What is added.
    pub constant: i64,
}

impl Linear {
    /// Any integer.
    pub const ANY: Linear = Linear { factor: 1, constant: 0 };

    /// The product of two arguments.
    #[must_use]
    pub fn times(self, other: Linear) -> Linear {
        let scaled = |form: Linear, n: i64| {
            Some(Linear { factor: form.factor.checked_mul(n)?, constant: form.constant.checked_mul(n)? })
        };
        let product = match (self, other) {
            (form, Linear { factor: 0, constant }) | (Linear { factor: 0, constant }, form) => {
                scaled(form, constant)
            }
            _ => self.divisor().checked_mul(other.divisor()).map(|factor| Linear { factor, constant: 0 }),
        };
        product.unwrap_or(Linear::ANY)
    }

    /// The largest integer that is known to divide it.
    fn divisor(self) -> i64 {
        common_divisor(self.factor, self.constant)
    }
}

/// The first six integer arguments of the call behind which `return_svma` is, in the order of the parameters. `None` if there is no
/// instruction that ends there.
#[must_use]
pub fn before(body: &Body<'_>, return_svma: Svma) -> Option<[Linear; 6]> {
    let targets = targets(body);
    let mut state = State::default();
    for instruction in body.instructions_from(body.start) {
        if targets.contains(&instruction.ip()) {
            state.forget_all();
        }
        if instruction.next_ip() == return_svma.0 {
            return Some(ARGUMENTS.map(|register| state.get(register).form));
        }
        if instruction.ip() >= return_svma.0 {
            break;
        }
        state.execute(&instruction);
    }
    None
}

/// Where the direct branches of a function go.
fn targets(body: &Body<'_>) -> FxHashSet<u64> {
    body.instructions_from(body.start)
        .filter(|i| matches!(i.op0_kind(), OpKind::NearBranch64) && i.flow_control() != FlowControl::Call)
        .map(|i| i.near_branch64())
        .collect()
}

/// A value of a register: its form, and which unknown integer x is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Value {
    form: Linear,
    x: u32,
}

/// The values of the general-purpose registers.
struct State {
    registers: [Option<Value>; 16],
    unknowns: u32,
    info: InstructionInfoFactory,
}

impl Default for State {
    fn default() -> Self {
        State { registers: [None; 16], unknowns: 0, info: InstructionInfoFactory::new() }
    }
}

impl State {
    fn forget_all(&mut self) {
        self.registers = [None; 16];
    }

    fn unknown(&mut self, factor: i64, constant: i64) -> Value {
        self.unknowns += 1;
        Value { form: Linear { factor, constant }, x: self.unknowns }
    }

    /// A register that nothing is known of holds an unknown that stays the same until it is written.
    fn get(&mut self, register: Register) -> Value {
        let Some(index) = index(register) else { return self.unknown(1, 0) };
        match self.registers[index] {
            Some(value) => value,
            None => {
                let value = self.unknown(1, 0);
                self.registers[index] = Some(value);
                value
            }
        }
    }

    fn execute(&mut self, instruction: &Instruction) {
        match instruction.flow_control() {
            FlowControl::Next | FlowControl::ConditionalBranch => {}
            FlowControl::Call | FlowControl::IndirectCall => {
                CALLER_SAVED.iter().filter_map(|&r| index(r)).for_each(|i| self.registers[i] = None);
                return;
            }
            // What comes next is reached from elsewhere.
            _ => return self.forget_all(),
        }
        let value = self.result(instruction);
        let info = self.info.info(instruction);
        for used in info.used_registers() {
            if is_written(used)
                && let Some(index) = index(used.register())
            {
                self.registers[index] = None;
            }
        }
        // The product of two registers is in rax, whichever these are.
        let target = if is_long_product(instruction) { Register::RAX } else { instruction.op0_register() };
        if let Some(value) = value
            && target.is_gpr64() | target.is_gpr32()
            && let Some(index) = index(target)
        {
            self.registers[index] = Some(value);
        }
    }

    /// What the first operand is after an instruction, if that is understood.
    fn result(&mut self, instruction: &Instruction) -> Option<Value> {
        match instruction.mnemonic() {
            Mnemonic::Cdqe => Some(self.get(Register::EAX)),
            Mnemonic::Mov | Mnemonic::Movsxd => self.operand(instruction, 1),
            Mnemonic::Xor if instruction.op0_register() == instruction.op1_register() => {
                (instruction.op1_kind() == OpKind::Register).then(|| constant(0))
            }
            Mnemonic::Add => {
                let (a, b) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
                self.sum(a, b)
            }
            Mnemonic::Sub => {
                let (a, b) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
                self.sum(a, scaled(b, -1)?)
            }
            Mnemonic::Shl | Mnemonic::Sal => {
                let (value, by) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
                let by = u32::try_from(by.is_constant()?).ok().filter(|&n| n < 32)?;
                scaled(value, 1 << by)
            }
            Mnemonic::Mul | Mnemonic::Imul if is_long_product(instruction) => {
                let (a, b) = (self.get(Register::RAX), self.operand(instruction, 0)?);
                let Linear { factor, constant } = a.form.times(b.form);
                Some(self.unknown(factor, constant))
            }
            // -1 stands for a product that has no room in a register, and is more than anybody can allocate.
            mnemonic if CONDITIONAL_MOVES.contains(&mnemonic) => {
                let (a, b) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
                match (a.is_constant(), b.is_constant()) {
                    (Some(-1), _) => Some(b),
                    (_, Some(-1)) => Some(a),
                    _ => None,
                }
            }
            Mnemonic::Imul if instruction.op_count() == 3 => {
                let (value, by) = (self.operand(instruction, 1)?, self.operand(instruction, 2)?);
                scaled(value, by.is_constant()?)
            }
            Mnemonic::Imul if instruction.op_count() == 2 => {
                let (a, b) = (self.operand(instruction, 0)?, self.operand(instruction, 1)?);
                let Linear { factor, constant } = a.form.times(b.form);
                Some(self.unknown(factor, constant))
            }
            // Adds to a multiple what is less than its factor.
            Mnemonic::Or => {
                let value = self.operand(instruction, 0)?;
                let more = self.operand(instruction, 1)?.is_constant()?;
                let Linear { factor, constant } = value.form;
                let lowest = 1i64.checked_shl((factor | constant).trailing_zeros())?;
                let constant = constant.checked_add(more).filter(|_| (0..lowest).contains(&more))?;
                Some(Value { form: Linear { factor, constant }, x: value.x })
            }
            // Rounded down to a multiple.
            Mnemonic::And => {
                let mask = self.operand(instruction, 1)?.is_constant()?;
                let multiple = mask.checked_neg().filter(|n| n.count_ones() == 1 && *n > 0)?;
                Some(self.unknown(multiple, 0))
            }
            Mnemonic::Lea => self.address(instruction),
            _ => None,
        }
    }

    fn operand(&mut self, instruction: &Instruction, number: u32) -> Option<Value> {
        match instruction.op_kind(number) {
            OpKind::Register => {
                let register = instruction.op_register(number);
                (register.is_gpr64() || register.is_gpr32()).then(|| self.get(register))
            }
            OpKind::Memory => Some(self.unknown(1, 0)),
            OpKind::Immediate32 => Some(constant(i64::from(instruction.immediate32()))),
            _ => instruction.try_immediate(number).ok().map(|n| constant(n.cast_signed())),
        }
    }

    fn address(&mut self, instruction: &Instruction) -> Option<Value> {
        if instruction.is_ip_rel_memory_operand() {
            return None;
        }
        let mut sum = constant(instruction.memory_displacement64().cast_signed());
        if instruction.memory_base() != Register::None {
            let base = self.get(instruction.memory_base());
            sum = self.sum(sum, base)?;
        }
        if instruction.memory_index() != Register::None {
            let index = self.get(instruction.memory_index());
            sum = self.sum(sum, scaled(index, i64::from(instruction.memory_index_scale()))?)?;
        }
        Some(sum)
    }

    fn sum(&mut self, a: Value, b: Value) -> Option<Value> {
        let constant = a.form.constant.checked_add(b.form.constant)?;
        let (fa, fb) = (a.form.factor, b.form.factor);
        Some(match (fa, fb) {
            (0, _) => Value { form: Linear { factor: fb, constant }, x: b.x },
            (_, 0) => Value { form: Linear { factor: fa, constant }, x: a.x },
            _ if a.x == b.x => Value { form: Linear { factor: fa.checked_add(fb)?, constant }, x: a.x },
            _ => self.unknown(common_divisor(fa, fb), constant),
        })
    }
}

/// What compilers make of the check whether a product or a sum is too large.
const CONDITIONAL_MOVES: [Mnemonic; 10] = [
    Mnemonic::Cmovo,
    Mnemonic::Cmovno,
    Mnemonic::Cmovb,
    Mnemonic::Cmovae,
    Mnemonic::Cmove,
    Mnemonic::Cmovne,
    Mnemonic::Cmova,
    Mnemonic::Cmovbe,
    Mnemonic::Cmovs,
    Mnemonic::Cmovns,
];

/// Whether an instruction multiplies rax with its operand.
fn is_long_product(instruction: &Instruction) -> bool {
    let is_product = matches!(instruction.mnemonic(), Mnemonic::Mul | Mnemonic::Imul);
    is_product && instruction.op_count() == 1 && instruction.op0_register().is_gpr64()
}

impl Value {
    fn is_constant(self) -> Option<i64> {
        (self.form.factor == 0).then_some(self.form.constant)
    }
}

fn constant(constant: i64) -> Value {
    Value { form: Linear { factor: 0, constant }, x: 0 }
}

fn scaled(value: Value, by: i64) -> Option<Value> {
    let Linear { factor, constant } = value.form;
    let form = Linear { factor: factor.checked_mul(by)?, constant: constant.checked_mul(by)? };
    Some(Value { form, x: value.x })
}

/// 0 if both are.
fn common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &[u8] = &[0xe8, 0, 0, 0, 0];

    /// Checks the first argument of the call behind this code.
    fn check(code: &[u8], factor: i64, constant: i64) {
        let bytes = [code, CALL].concat();
        let body = Body::new(Svma(0x1000), &bytes);
        let arguments = before(&body, Svma(0x1000 + bytes.len() as u64)).unwrap();
        assert_eq!(arguments[0], Linear { factor, constant });
    }

    #[test]
    fn constants() {
        check(&[0xbf, 0x18, 0, 0, 0], 0, 24); // mov $24, %edi
        check(&[0x31, 0xff], 0, 0); // xor %edi, %edi
        check(&[0xb8, 5, 0, 0, 0, 0x48, 0x89, 0xc7], 0, 5); // mov $5, %eax; mov %rax, %rdi
    }

    #[test]
    fn multiples() {
        check(&[0x48, 0xc1, 0xe7, 4], 16, 0); // shl $4, %rdi
        check(&[0x48, 0x6b, 0xf8, 24], 24, 0); // imul $24, %rax, %rdi
        check(&[0x48, 0x8d, 0x7c, 0x40, 9], 3, 9); // lea 9(%rax,%rax,2), %rdi
        // What gcc -O0 makes of 24 * n: mov %rax, %rdx; add %rax, %rax; add %rdx, %rax; shl $3, %rax; mov %rax, %rdi
        let code =
            [0x48, 0x89, 0xc2, 0x48, 0x01, 0xc0, 0x48, 0x01, 0xd0, 0x48, 0xc1, 0xe0, 3, 0x48, 0x89, 0xc7];
        check(&code, 24, 0);
    }

    #[test]
    fn products_that_may_be_too_large() {
        // What clang makes of 12 * n + 8: mov $12, %ecx; mov %rbx, %rax; mul %rcx; seto %cl; add $8, %rax; mov $-1, %rdi;
        // cmovb %rdi, %rax; test %cl, %cl; cmove %rax, %rdi
        let code = [
            0xb9, 12, 0, 0, 0, 0x48, 0x89, 0xd8, 0x48, 0xf7, 0xe1, 0x0f, 0x90, 0xc1, 0x48, 0x83, 0xc0, 8,
            0x48, 0xc7, 0xc7, 0xff, 0xff, 0xff, 0xff, 0x48, 0x0f, 0x42, 0xc7, 0x84, 0xc9, 0x48, 0x0f, 0x44,
            0xf8,
        ];
        check(&code, 12, 8);
        // mov $24, %edi; cmove %rax, %rdi: one or the other
        check(&[0xbf, 24, 0, 0, 0, 0x48, 0x0f, 0x44, 0xf8], 1, 0);
    }

    #[test]
    fn sums() {
        check(&[0x48, 0xc1, 0xe7, 4, 0x48, 0x83, 0xcf, 8], 16, 8); // shl $4, %rdi; or $8, %rdi
        check(&[0x48, 0xc1, 0xe7, 3, 0x48, 0x83, 0xcf, 8], 1, 0); // shl $3, %rdi; or $8, %rdi
        check(&[0x48, 0x83, 0xc7, 0x10], 1, 16); // add $16, %rdi
        check(&[0x48, 0x83, 0xef, 0x10], 1, -16); // sub $16, %rdi
        // shl $4, %rax; shl $3, %rdx; lea (%rax,%rdx), %rdi
        check(&[0x48, 0xc1, 0xe0, 4, 0x48, 0xc1, 0xe2, 3, 0x48, 0x8d, 0x3c, 0x10], 8, 0);
    }

    #[test]
    fn what_is_not_known() {
        check(&[0x48, 0x8b, 0x3c, 0x24], 1, 0); // mov (%rsp), %rdi
        check(&[0xbf, 0x18, 0, 0, 0, 0x40, 0xb7, 1], 1, 0); // mov $24, %edi; mov $1, %dil
        // Another call changes it: mov $24, %edi; call
        check(&[0xbf, 0x18, 0, 0, 0, 0xe8, 0, 0, 0, 0], 1, 0);
        // The call is jumped to: je CALL; mov $24, %edi
        check(&[0x74, 5, 0xbf, 0x18, 0, 0, 0], 1, 0);
        // What is in front of it is not run: mov $24, %edi; ret
        check(&[0xbf, 0x18, 0, 0, 0, 0xc3], 1, 0);
    }

    #[test]
    fn no_call_ends_there() {
        let body = Body::new(Svma(0x1000), CALL);
        assert_eq!(before(&body, Svma(0x1003)), None);
        assert_eq!(before(&body, Svma(0x2000)), None);
    }

    #[test]
    fn products() {
        let form = |factor, constant| Linear { factor, constant };
        assert_eq!(form(0, 3).times(form(0, 8)), form(0, 24));
        assert_eq!(Linear::ANY.times(form(0, 8)), form(8, 0));
        assert_eq!(form(4, 8).times(form(6, 0)), form(24, 0));
        assert_eq!(form(0, i64::MAX).times(form(0, 2)), Linear::ANY);
    }
}
