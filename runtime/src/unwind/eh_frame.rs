//! Finds and interprets the unwind rules in `.eh_frame`.
//!
//! Only what this library needs is computed: the CFA, the return address and the caller's frame pointer. What the
//! format allows and no compiler for x86-64 emits gives [`Rule::Unknown`]. Bytes are read with bounds checks, so a file
//! with nonsense in it costs an answer and no more.

use super::rule::{Cfa, Rule, SavedRbp};
use core::ops::Range;

/// Bytes of a loaded segment that hold both `.eh_frame_hdr` and `.eh_frame`; positions are addresses.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Address of the first.
    pub start: u64,
}

const DW_EH_PE_OMIT: u8 = 0xff;
const REG_RBP: u64 = 6;
const REG_RSP: u64 = 7;
const REG_RETURN_ADDRESS: u64 = 16;
/// More than any compiler nests.
const MAX_REMEMBERED: usize = 8;

/// The rule for the instruction at address `pc`, given the address of `.eh_frame_hdr`.
#[must_use]
pub fn rule_at(segment: Segment<'_>, hdr: u64, pc: u64) -> Rule {
    find_fde(segment, hdr, pc).and_then(|fde| interpret(segment, fde, pc)).unwrap_or(Rule::Unknown)
}

/// Address of the frame description entry whose range starts last at or before `pc`.
fn find_fde(segment: Segment<'_>, hdr: u64, pc: u64) -> Option<u64> {
    const VERSION: u8 = 1;
    const PCREL_SDATA4: u8 = 0x1b;
    const UDATA4: u8 = 0x03;
    const DATAREL_SDATA4: u8 = 0x3b;
    let mut r = Reader { segment, at: hdr };
    if [r.u8()?, r.u8()?, r.u8()?, r.u8()?] != [VERSION, PCREL_SDATA4, UDATA4, DATAREL_SDATA4] {
        return None;
    }
    r.skip(4)?;
    let mut count = u64::from(r.u32()?);
    let mut first = r.at;
    let entry = |at: u64| -> Option<(u64, u64)> {
        let mut r = Reader { segment, at };
        let (start, fde) = (r.u32()? as i32, r.u32()? as i32);
        Some((hdr.wrapping_add_signed(start.into()), hdr.wrapping_add_signed(fde.into())))
    };
    if count == 0 || entry(first)?.0 > pc {
        return None;
    }
    while count > 1 {
        let half = count / 2;
        let middle = first.checked_add(half.checked_mul(8)?)?;
        if entry(middle)?.0 <= pc {
            first = middle;
        }
        count -= half;
    }
    Some(entry(first)?.1)
}

/// The code that one entry describes: that of a function, or of a part that the compiler put elsewhere. `None` if none has `pc`.
#[must_use]
pub fn range_with(segment: Segment<'_>, hdr: u64, pc: u64) -> Option<Range<u64>> {
    let fde = Fde::parse(segment, find_fde(segment, hdr, pc)?)?;
    fde.code.contains(&pc).then_some(fde.code)
}

/// A frame description entry.
struct Fde<'a> {
    cie: Cie,
    code: Range<u64>,
    /// Behind what was read of it.
    rest: Reader<'a>,
    end: u64,
}

impl<'a> Fde<'a> {
    fn parse(segment: Segment<'a>, at: u64) -> Option<Fde<'a>> {
        let mut r = Reader { segment, at };
        let length = r.length()?;
        let end = r.at.checked_add(length)?;
        let cie_pointer_at = r.at;
        let cie = parse_cie(segment, cie_pointer_at.checked_sub(u64::from(r.u32()?))?)?;
        let start = r.pointer(cie.pointer_encoding)?;
        let size = r.pointer(cie.pointer_encoding & 0x0f)?;
        Some(Fde { cie, code: start..start.saturating_add(size), rest: r, end })
    }
}

/// What a common information entry says.
struct Cie {
    code_align: u64,
    data_align: i64,
    pointer_encoding: u8,
    has_augmentation_data: bool,
    is_signal_frame: bool,
    instructions: u64,
    end: u64,
}

fn interpret(segment: Segment<'_>, fde: u64, pc: u64) -> Option<Rule> {
    let Fde { cie, code, rest: mut r, end } = Fde::parse(segment, fde)?;
    if !code.contains(&pc) {
        return None;
    }
    let start = code.start;
    if cie.is_signal_frame {
        return Some(Rule::Signal);
    }
    if cie.has_augmentation_data {
        let n = r.uleb()?;
        r.skip(n)?;
    }
    let mut machine = Machine::default();
    machine.run(&cie, Reader { segment, at: cie.instructions }, cie.end, start, u64::MAX, pc)?;
    machine.initial = machine.row;
    machine.run(&cie, r, end, start, pc, pc)?;
    machine.row.rule()
}

fn parse_cie(segment: Segment<'_>, at: u64) -> Option<Cie> {
    let mut r = Reader { segment, at };
    let length = r.length()?;
    let end = r.at.checked_add(length)?;
    if r.u32()? != 0 {
        return None;
    }
    let version = r.u8()?;
    if !matches!(version, 1 | 3) {
        return None;
    }
    let mut augmentation = r;
    while r.u8()? != 0 {}
    let code_align = r.uleb()?;
    let data_align = r.sleb()?;
    if version == 1 {
        r.skip(1)?;
    } else {
        r.uleb()?;
    }
    let mut cie = Cie {
        code_align,
        data_align,
        pointer_encoding: 0,
        has_augmentation_data: false,
        is_signal_frame: false,
        instructions: r.at,
        end,
    };
    let mut instructions = r.at;
    loop {
        match augmentation.u8()? {
            0 => break,
            b'z' => {
                let n = r.uleb()?;
                instructions = r.at.checked_add(n)?;
                cie.has_augmentation_data = true;
            }
            b'R' => cie.pointer_encoding = r.u8()?,
            b'L' => r.skip(1)?,
            b'P' => {
                let encoding = r.u8()?;
                r.pointer(encoding & 0x0f)?;
            }
            b'S' => cie.is_signal_frame = true,
            b'B' => {}
            _ => return None,
        }
    }
    cie.instructions = instructions;
    Some(cie)
}

/// What holds from one address on.
#[derive(Clone, Copy, Debug)]
struct Row {
    cfa: Option<Cfa>,
    /// `None` where the rule is one that we do not know.
    rbp: Option<SavedRbp>,
    /// The return address is undefined: there is no caller.
    is_end: bool,
    /// The return address lies directly below the CFA, as everywhere.
    is_usual_return: bool,
}

impl Row {
    fn rule(self) -> Option<Rule> {
        if self.is_end {
            return Some(Rule::End);
        }
        if !self.is_usual_return {
            return None;
        }
        Some(Rule::Frame(self.cfa?, self.rbp?))
    }
}

/// The interpreter of call frame instructions.
struct Machine {
    row: Row,
    initial: Row,
    remembered: [Row; MAX_REMEMBERED],
    depth: usize,
}

impl Default for Machine {
    fn default() -> Self {
        let row = Row { cfa: None, rbp: Some(SavedRbp::Same), is_end: false, is_usual_return: false };
        Machine { row, initial: row, remembered: [row; MAX_REMEMBERED], depth: 0 }
    }
}

impl Machine {
    /// Executes instructions up to `end`, or until the address passes `stop`.
    fn run(&mut self, cie: &Cie, mut r: Reader<'_>, end: u64, start: u64, stop: u64, pc: u64) -> Option<()> {
        let mut address = start;
        while r.at < end {
            let opcode = r.u8()?;
            let low = u64::from(opcode & 0x3f);
            let advance = match opcode >> 6 {
                1 => Some(low),
                2 => {
                    let offset = r.uleb()?;
                    self.saved(low, cie.factored(offset as i64));
                    None
                }
                3 => {
                    self.restore(low);
                    None
                }
                _ => self.extended(opcode, cie, &mut r, pc)?,
            };
            if let Some(delta) = advance {
                address = address.checked_add(delta.checked_mul(cie.code_align)?)?;
                if address > stop {
                    break;
                }
            }
        }
        Some(())
    }

    /// Executes an instruction without operands in its opcode; the distance if it advances the address.
    fn extended(&mut self, opcode: u8, cie: &Cie, r: &mut Reader<'_>, pc: u64) -> Option<Option<u64>> {
        match opcode {
            0x00 => {}                                  // DW_CFA_nop
            0x02 => return Some(Some(r.u8()?.into())),  // DW_CFA_advance_loc1
            0x03 => return Some(Some(r.u16()?.into())), // DW_CFA_advance_loc2
            0x04 => return Some(Some(r.u32()?.into())), // DW_CFA_advance_loc4
            0x05 => {
                // DW_CFA_offset_extended
                let (register, offset) = (r.uleb()?, r.uleb()?);
                self.saved(register, cie.factored(offset as i64));
            }
            0x06 => {
                // DW_CFA_restore_extended
                let register = r.uleb()?;
                self.restore(register);
            }
            0x07 | 0x08 => {
                // DW_CFA_undefined, DW_CFA_same_value
                let register = r.uleb()?;
                if register == REG_RETURN_ADDRESS {
                    self.row.is_end = opcode == 0x07;
                    self.row.is_usual_return = false;
                } else if register == REG_RBP {
                    self.row.rbp = Some(SavedRbp::Same);
                }
            }
            0x09 => {
                // DW_CFA_register
                let (register, _) = (r.uleb()?, r.uleb()?);
                self.unknown(register);
            }
            0x0a => {
                // DW_CFA_remember_state
                *self.remembered.get_mut(self.depth)? = self.row;
                self.depth += 1;
            }
            0x0b => {
                // DW_CFA_restore_state
                self.depth = self.depth.checked_sub(1)?;
                self.row = *self.remembered.get(self.depth)?;
            }
            0x0c => {
                // DW_CFA_def_cfa
                let (register, offset) = (r.uleb()?, r.uleb()?);
                self.row.cfa = cfa(register, i64::try_from(offset).ok()?);
            }
            0x0d => {
                // DW_CFA_def_cfa_register
                let register = r.uleb()?;
                self.row.cfa = cfa(register, self.cfa_offset()?);
            }
            0x0e => {
                // DW_CFA_def_cfa_offset
                let offset = r.uleb()?;
                self.set_cfa_offset(i64::try_from(offset).ok()?)?;
            }
            0x0f => {
                // DW_CFA_def_cfa_expression
                let block = r.block()?;
                self.row.cfa = cfa_expression(block, pc);
            }
            0x10 | 0x16 => {
                // DW_CFA_expression, DW_CFA_val_expression
                let register = r.uleb()?;
                let block = r.block()?;
                match saved_expression(block) {
                    Some(at) if opcode == 0x10 && register == REG_RBP => {
                        self.row.rbp = Some(SavedRbp::AtRbp(at));
                    }
                    _ => self.unknown(register),
                }
            }
            0x11 => {
                // DW_CFA_offset_extended_sf
                let (register, offset) = (r.uleb()?, r.sleb()?);
                self.saved(register, cie.factored(offset));
            }
            0x12 => {
                // DW_CFA_def_cfa_sf
                let (register, offset) = (r.uleb()?, r.sleb()?);
                self.row.cfa = cfa(register, cie.factored(offset)?);
            }
            0x13 => {
                // DW_CFA_def_cfa_offset_sf
                let offset = r.sleb()?;
                self.set_cfa_offset(cie.factored(offset)?)?;
            }
            0x14 | 0x15 => {
                // DW_CFA_val_offset, DW_CFA_val_offset_sf: the register's value is an address, as of no register here
                let (register, _) = (r.uleb()?, r.sleb()?);
                self.unknown(register);
            }
            0x2e => {
                r.uleb()?; // DW_CFA_GNU_args_size
            }
            _ => return None,
        }
        Some(None)
    }

    fn saved(&mut self, register: u64, at: Option<i64>) {
        match register {
            REG_RBP => {
                self.row.rbp = at.and_then(|at| i16::try_from(at).ok()).map(SavedRbp::AtCfa);
            }
            REG_RETURN_ADDRESS => {
                self.row.is_usual_return = at == Some(-8);
                self.row.is_end = false;
            }
            _ => {}
        }
    }

    fn restore(&mut self, register: u64) {
        match register {
            REG_RBP => self.row.rbp = self.initial.rbp,
            REG_RETURN_ADDRESS => {
                self.row.is_usual_return = self.initial.is_usual_return;
                self.row.is_end = self.initial.is_end;
            }
            _ => {}
        }
    }

    fn unknown(&mut self, register: u64) {
        match register {
            REG_RBP => self.row.rbp = None,
            REG_RETURN_ADDRESS => self.row.is_usual_return = false,
            _ => {}
        }
    }

    fn cfa_offset(&self) -> Option<i64> {
        match self.row.cfa? {
            Cfa::Rsp(offset) | Cfa::Rbp(offset) => Some(offset.into()),
            Cfa::AtRbp(_) => None,
        }
    }

    fn set_cfa_offset(&mut self, offset: i64) -> Option<()> {
        let offset = i32::try_from(offset).ok()?;
        match self.row.cfa.as_mut() {
            Some(Cfa::Rsp(place) | Cfa::Rbp(place)) => *place = offset,
            // A register that we do not follow: the new rule is as unknown as the old one.
            Some(Cfa::AtRbp(_)) | None => self.row.cfa = None,
        }
        Some(())
    }
}

impl Cie {
    fn factored(&self, offset: i64) -> Option<i64> {
        offset.checked_mul(self.data_align)
    }
}

/// A CFA in a register that is not followed is unknown (`r10` in the prologue of a function that realigns its stack).
fn cfa(register: u64, offset: i64) -> Option<Cfa> {
    let offset = i32::try_from(offset).ok()?;
    match register {
        REG_RSP => Some(Cfa::Rsp(offset)),
        REG_RBP => Some(Cfa::Rbp(offset)),
        _ => None,
    }
}

/// The expressions that are in use: `*(rbp + n)` where the stack is realigned, and the linker's for its PLT,
/// `rsp + 8 + ((rip & 15) >= n ? 8 : 0)`, which for a known program counter is a constant.
fn cfa_expression(block: Reader<'_>, pc: u64) -> Option<Cfa> {
    const BREG_RBP: u8 = 0x76;
    const BREG_RSP: u8 = 0x77;
    const BREG_RIP: u8 = 0x80;
    const DEREF: u8 = 0x06;
    let mut r = block;
    match r.u8()? {
        BREG_RBP => {
            let offset = r.sleb()?;
            (r.u8()? == DEREF && r.is_at_end()).then_some(Cfa::AtRbp(i32::try_from(offset).ok()?))
        }
        BREG_RSP => {
            let offset = i32::try_from(r.sleb()?).ok()?;
            let rip_plus = [r.u8()?, r.u8()?];
            let and = [r.u8()?, r.u8()?];
            let limit = r.u8()?.checked_sub(0x30)?;
            let rest = [r.u8()?, r.u8()?, r.u8()?, r.u8()?];
            // breg16 0; lit15; and; lit<limit>; ge; lit3; shl; plus
            let known = rip_plus == [BREG_RIP, 0] && and == [0x3f, 0x1a] && rest == [0x2a, 0x33, 0x24, 0x22];
            let pushed = pc & 15 >= u64::from(limit);
            (known && limit < 16 && r.is_at_end()).then_some(Cfa::Rsp(offset.checked_add(if pushed {
                8
            } else {
                0
            })?))
        }
        _ => None,
    }
}

/// `rbp + n`: where the caller's frame pointer was saved.
fn saved_expression(mut block: Reader<'_>) -> Option<i16> {
    const BREG_RBP: u8 = 0x76;
    let is_rbp = block.u8()? == BREG_RBP;
    let offset = block.sleb()?;
    (is_rbp && block.is_at_end()).then_some(i16::try_from(offset).ok()?)
}

/// A place in the segment, from which values are read one after the other.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    segment: Segment<'a>,
    at: u64,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let offset = usize::try_from(self.at.checked_sub(self.segment.start)?).ok()?;
        let bytes = self.segment.bytes.get(offset..)?.first_chunk().copied()?;
        self.at += N as u64;
        Some(bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        self.at = self.at.checked_add(n)?;
        Some(())
    }

    /// Length of an entry; 0 ends the section.
    fn length(&mut self) -> Option<u64> {
        match self.u32()? {
            0 => None,
            0xffff_ffff => self.u64(),
            n => Some(n.into()),
        }
    }

    fn uleb(&mut self) -> Option<u64> {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.u8()?;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }

    fn sleb(&mut self) -> Option<i64> {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.u8()?;
            if shift < 64 {
                value |= i64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte & 0x80 == 0 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1 << shift;
                }
                return Some(value);
            }
        }
    }

    /// A pointer in an encoding `DW_EH_PE_…`.
    fn pointer(&mut self, encoding: u8) -> Option<u64> {
        let at = self.at;
        if encoding == DW_EH_PE_OMIT {
            return None;
        }
        let value = match encoding & 0x0f {
            0x00 | 0x04 | 0x0c => self.u64()?,
            0x01 => self.uleb()?,
            0x02 => self.u16()?.into(),
            0x03 => self.u32()?.into(),
            0x09 => self.sleb()? as u64,
            0x0a => i64::from(self.u16()? as i16) as u64,
            0x0b => i64::from(self.u32()? as i32) as u64,
            _ => return None,
        };
        match encoding & 0x70 {
            0x00 => Some(value),
            0x10 => Some(at.wrapping_add(value)),
            _ => None,
        }
    }

    /// A block of bytes behind its length, as a segment of its own.
    fn block(&mut self) -> Option<Reader<'a>> {
        let len = usize::try_from(self.uleb()?).ok()?;
        let offset = usize::try_from(self.at.checked_sub(self.segment.start)?).ok()?;
        let bytes = self.segment.bytes.get(offset..)?.get(..len)?;
        let block = Reader { segment: Segment { bytes, start: self.at }, at: self.at };
        self.skip(len as u64)?;
        Some(block)
    }

    fn is_at_end(&self) -> bool {
        self.at - self.segment.start == self.segment.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// Where the header lies; the CIE follows at 0x1100, the FDE at 0x1200, the code is at 0x4000.
    const HDR: u64 = 0x1000;
    const CIE: u64 = 0x1100;
    const FDE: u64 = 0x1200;
    const CODE: u64 = 0x4000;
    const LEN: u32 = 0x100;

    /// `.eh_frame_hdr` and `.eh_frame` of one function with these instructions.
    fn segment(augmentation: &[u8], cie_instructions: &[u8], instructions: &[u8]) -> Vec<u8> {
        let mut bytes = std::vec![0; 0x400];
        let mut put = |at: u64, part: &[u8]| bytes[(at - HDR) as usize..][..part.len()].copy_from_slice(part);
        put(HDR, &[1, 0x1b, 0x03, 0x3b]);
        put(HDR + 8, &1u32.to_le_bytes());
        put(HDR + 12, &((CODE - HDR) as u32).to_le_bytes());
        put(HDR + 16, &((FDE - HDR) as u32).to_le_bytes());
        // id, version, augmentation, code and data alignment, return address column, augmentation data, rules
        let mut cie = std::vec![0, 0, 0, 0, 1];
        cie.extend_from_slice(augmentation);
        cie.extend_from_slice(&[0, 1, 0x78, 16, 1, 0x1b]);
        cie.extend_from_slice(cie_instructions);
        put(CIE, &(cie.len() as u32).to_le_bytes());
        put(CIE + 4, &cie);
        let mut fde = ((FDE + 4 - CIE) as u32).to_le_bytes().to_vec();
        fde.extend_from_slice(&((CODE.wrapping_sub(FDE + 8)) as u32).to_le_bytes());
        fde.extend_from_slice(&LEN.to_le_bytes());
        fde.push(0);
        fde.extend_from_slice(instructions);
        put(FDE, &(fde.len() as u32).to_le_bytes());
        put(FDE + 4, &fde);
        bytes
    }

    /// DW_CFA_def_cfa rsp+8; DW_CFA_offset return address at -8.
    const USUAL: &[u8] = &[0x0c, 7, 8, 0x90, 1];

    #[test]
    fn instructions_give_the_rule_at_an_address() {
        let check = |what: &str, instructions: &[u8], offset: u64, expect: Rule| {
            let bytes = segment(b"zR", USUAL, instructions);
            let segment = Segment { bytes: &bytes, start: HDR };
            assert_eq!(rule_at(segment, HDR, CODE.wrapping_add(offset)), expect, "{what}");
        };
        let frame = |cfa, saved| Rule::Frame(cfa, saved);
        check("as the CIE says", &[], 0, frame(Cfa::Rsp(8), SavedRbp::Same));
        // push %rbp; mov %rsp,%rbp … pop %rbp
        let prologue: &[u8] =
            &[0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x60, 0x0a, 0x0c, 7, 8, 0xc6, 0x41, 0x0b];
        check("before the push", prologue, 0, frame(Cfa::Rsp(8), SavedRbp::Same));
        check("behind the push", prologue, 1, frame(Cfa::Rsp(16), SavedRbp::AtCfa(-16)));
        check("in the body", prologue, 5, frame(Cfa::Rbp(16), SavedRbp::AtCfa(-16)));
        check("behind the pop", prologue, 0x24, frame(Cfa::Rsp(8), SavedRbp::Same));
        check("behind the return", prologue, 0x25, frame(Cfa::Rbp(16), SavedRbp::AtCfa(-16)));
        check("a far advance", &[0x03, 0x80, 0, 0x0e, 32], 0x80, frame(Cfa::Rsp(32), SavedRbp::Same));
        // DW_CFA_def_cfa r10; then the CFA at *(rbp-8), rbp at rbp+0.
        let realigned: &[u8] = &[0x41, 0x0c, 10, 0, 0x41, 0x10, 6, 2, 0x76, 0, 0x41, 0x0f, 3, 0x76, 0x78, 6];
        check("a CFA in r10", realigned, 1, Rule::Unknown);
        check("a realigned stack", realigned, 3, frame(Cfa::AtRbp(-8), SavedRbp::AtRbp(0)));
        let plt: &[u8] = &[0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];
        check("a PLT entry before its push", plt, 0x10, frame(Cfa::Rsp(8), SavedRbp::Same));
        check("a PLT entry behind its push", plt, 0x1b, frame(Cfa::Rsp(16), SavedRbp::Same));
        check("the outermost frame", &[0x07, 16], 0, Rule::End);
        check("an unknown instruction", &[0x3f], 0, Rule::Unknown);
        check("nothing to restore", &[0x0b], 0, Rule::Unknown);
        check("behind the function", &[], u64::from(LEN), Rule::Unknown);
        check("before every function", &[], 0u64.wrapping_sub(1), Rule::Unknown);
    }

    #[test]
    fn a_signal_frame_is_told_by_its_augmentation() {
        let bytes = segment(b"zRS", USUAL, &[]);
        assert_eq!(rule_at(Segment { bytes: &bytes, start: HDR }, HDR, CODE), Rule::Signal);
    }

    #[test]
    fn the_code_of_a_function_is_what_its_entry_says() {
        let bytes = segment(b"zR", USUAL, &[]);
        let range = |pc| range_with(Segment { bytes: &bytes, start: HDR }, HDR, pc);
        let code = CODE..CODE + u64::from(LEN);
        assert_eq!(range(CODE), Some(code.clone()));
        assert_eq!(range(code.end - 1), Some(code.clone()));
        assert_eq!(range(code.end), None);
        assert_eq!(range(CODE - 1), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_rule(
            damage in prop::collection::vec((0usize..0x400, any::<u8>()), 0..30),
            instructions in prop::collection::vec(any::<u8>(), 0..60),
            pc in CODE..CODE + 0x200,
            len in 0usize..0x400,
        ) {
            let mut bytes = segment(b"zR", USUAL, &instructions);
            for (at, byte) in damage {
                bytes[at] = byte;
            }
            bytes.truncate(len.max(12));
            let _ = range_with(Segment { bytes: &bytes, start: HDR }, HDR, pc);
            let rule = rule_at(Segment { bytes: &bytes, start: HDR }, HDR, pc);
            prop_assert_eq!(Rule::unpack(rule.pack()), rule);
        }
    }
}
