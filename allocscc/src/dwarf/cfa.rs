//! How far above a register's value the CFA is, by code, and where the caller's rbp is kept, from `.eh_frame` or `.debug_frame`.

use std::ops::Range;

use allocs_metadata::CfaRegister;
use gimli::{
    BaseAddresses, CfaRule, CieOrFde, DebugFrame, EhFrame, LittleEndian, Register, RegisterRule,
    UnwindContext, UnwindSection, X86_64,
};

use super::linked::LinkedFile;
use super::units::Slice;

/// The rows of all frame descriptions whose CFA is a register plus a constant, by address.
#[derive(Default)]
pub struct CfaRules {
    rows: Vec<Row>,
}

struct Row {
    code: Range<u64>,
    register: Register,
    offset: i64,
    /// `None` if nothing is said of it: then it was not changed.
    rbp: Option<RegisterRule<usize>>,
}

/// The frame of a function at one instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRule {
    /// The register that the CFA is counted from.
    pub register: CfaRegister,
    /// The CFA, from that register's value.
    pub offset: i64,
    /// Where the caller's rbp is.
    pub rbp: CallersRbp,
}

/// Where a caller's rbp is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallersRbp {
    /// In rbp.
    Same,
    /// In memory, this far from the CFA.
    At(i64),
    /// It cannot be told.
    Unknown,
}

impl CfaRules {
    /// Reads the call frame information. What is broken is left out: variables that need it then have no known place.
    #[must_use]
    pub fn read(file: &LinkedFile<'_>) -> CfaRules {
        let mut rules = CfaRules::default();
        let address = |name| file.section(name).map_or(0, |(address, _)| address);
        if let Some((at, bytes)) = file.section(".eh_frame") {
            let bases =
                BaseAddresses::default().set_eh_frame(at).set_text(address(".text")).set_got(address(".got"));
            let mut section = EhFrame::new(&bytes, LittleEndian);
            section.set_address_size(8);
            rules.add(&section, &bases);
        }
        if let Some((_, bytes)) = file.section(".debug_frame") {
            let mut section = DebugFrame::new(&bytes, LittleEndian);
            section.set_address_size(8);
            rules.add(&section, &BaseAddresses::default());
        }
        rules.rows.sort_by_key(|r| r.code.start);
        rules
    }

    fn add<'a, S: UnwindSection<Slice<'a>>>(&mut self, section: &S, bases: &BaseAddresses) {
        let mut context = UnwindContext::new();
        let mut entries = section.entries(bases);
        while let Ok(Some(entry)) = entries.next() {
            let CieOrFde::Fde(fde) = entry else { continue };
            let Ok(fde) = fde.parse(S::cie_from_offset) else { continue };
            let Ok(mut table) = fde.rows(section, bases, &mut context) else { continue };
            while let Ok(Some(row)) = table.next_row() {
                if let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() {
                    let code = row.start_address()..row.end_address();
                    self.rows.push(Row { code, register, offset, rbp: row.register(X86_64::RBP) });
                }
            }
        }
    }

    /// The frame at an instruction; `None` where its CFA is not the stack or frame pointer plus a constant.
    #[must_use]
    pub fn frame_at(&self, svma: u64) -> Option<FrameRule> {
        let after = self.rows.partition_point(|r| r.code.start <= svma);
        let row = self.rows.get(after.checked_sub(1)?).filter(|r| r.code.contains(&svma))?;
        let register = match row.register {
            X86_64::RSP => CfaRegister::Rsp,
            X86_64::RBP => CfaRegister::Rbp,
            _ => return None,
        };
        let rbp = match row.rbp {
            None | Some(RegisterRule::SameValue) => CallersRbp::Same,
            Some(RegisterRule::Offset(offset)) => CallersRbp::At(offset),
            _ => CallersRbp::Unknown,
        };
        Some(FrameRule { register, offset: row.offset, rbp })
    }

    /// How far above the register's value the CFA is over most of `code`: in the prologue, where the register has not its
    /// final value yet, nothing has been stored in the frame either.
    #[must_use]
    pub fn cfa_above(&self, register: Register, code: &Range<u64>) -> Option<i64> {
        let first = self.rows.partition_point(|r| r.code.end <= code.start);
        let mut bytes_by_offset: Vec<(i64, u64)> = Vec::new();
        for row in self.rows[first..].iter().take_while(|r| r.code.start < code.end) {
            if row.register != register {
                continue;
            }
            let bytes = row.code.end.min(code.end).saturating_sub(row.code.start.max(code.start));
            match bytes_by_offset.iter_mut().find(|(offset, _)| *offset == row.offset) {
                Some((_, sum)) => *sum += bytes,
                None => bytes_by_offset.push((row.offset, bytes)),
            }
        }
        bytes_by_offset.into_iter().max_by_key(|&(_, bytes)| bytes).map(|(offset, _)| offset)
    }
}
