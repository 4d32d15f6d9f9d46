//! The calls and jumps of a linked file: its code, decoded once for all who ask where control goes.

use anyhow::{Context, Result};
use iced_x86::{FlowControl, Instruction, OpKind, Register};
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, SectionKind};

use super::allocas;
use super::calls::{Svma, function_starts, instructions};

/// An instruction that calls or jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Branch {
    /// Address of the instruction behind it.
    pub(crate) behind: Svma,
    /// Where it goes.
    pub(crate) to: Destination,
    /// It leaves no return address.
    pub(crate) is_jump: bool,
}

/// Where a branch goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination {
    /// To this address.
    Code(u64),
    /// To what is in memory at this address.
    Slot(u64),
    /// To what a register, or memory that it leads to, holds.
    Pointer,
}

impl Branch {
    pub(crate) fn of(instruction: &Instruction) -> Option<Branch> {
        let is_jump = match instruction.flow_control() {
            FlowControl::Call | FlowControl::IndirectCall => false,
            FlowControl::UnconditionalBranch
            | FlowControl::ConditionalBranch
            | FlowControl::IndirectBranch => true,
            _ => return None,
        };
        let to = match (instruction.op0_kind(), instruction.flow_control()) {
            (OpKind::NearBranch64, _) => Destination::Code(instruction.near_branch64()),
            (OpKind::Memory, FlowControl::IndirectCall | FlowControl::IndirectBranch)
                if instruction.memory_base() == Register::RIP =>
            {
                Destination::Slot(instruction.ip_rel_memory_address())
            }
            (_, FlowControl::IndirectCall | FlowControl::IndirectBranch) => Destination::Pointer,
            _ => return None,
        };
        Some(Branch { behind: Svma(instruction.next_ip()), to, is_jump })
    }
}

/// All branches in the executable sections of a file but the procedure linkage tables.
pub struct Branches<'a, 'data> {
    file: &'a ElfFile64<'data>,
    /// Addresses at which functions start, ascending.
    pub(super) starts: Vec<Svma>,
    pub(crate) all: Vec<Branch>,
    /// Addresses behind the instructions that [`allocas::is_site`] knows, ascending in each section.
    pub(super) alloca_sites: Vec<Svma>,
}

impl<'a, 'data> Branches<'a, 'data> {
    /// Decodes the code of `file`.
    pub fn of(file: &'a ElfFile64<'data>) -> Result<Self> {
        let starts = function_starts(file);
        let mut all = Vec::new();
        let mut alloca_sites = Vec::new();
        for section in file.sections().filter(|s| s.kind() == SectionKind::Text) {
            let name = section.name().unwrap_or("?");
            if name.starts_with(".plt") {
                continue;
            }
            let code = section.data().with_context(|| format!("section {name} cannot be read"))?;
            let end = section.address().checked_add(code.len() as u64);
            let end = end.with_context(|| format!("section {name} ends behind the address space"))?;
            let first = starts.partition_point(|&s| s.0 <= section.address());
            let last = starts.partition_point(|&s| s.0 < end).max(first);
            // Padding and jump tables between functions may put the decoder out of step, so it starts afresh at each.
            let mut start = section.address();
            for stop in starts[first..last].iter().map(|s| s.0).chain([end]) {
                let from = (start - section.address()) as usize;
                let to = (stop - section.address()) as usize;
                for instruction in instructions(&code[from..to], start) {
                    all.extend(Branch::of(&instruction));
                    alloca_sites.extend(allocas::is_site(&instruction).then(|| Svma(instruction.next_ip())));
                }
                start = stop;
            }
        }
        Ok(Branches { file, starts, all, alloca_sites })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &'a ElfFile64<'data> {
        self.file
    }
}

/// Every place that one of some branches jumps to without a pointer, ascending.
pub(crate) fn jumped_to(branches: impl IntoIterator<Item = Branch>) -> Vec<u64> {
    let target = |branch: Branch| match branch.to {
        Destination::Code(target) if branch.is_jump => Some(target),
        _ => None,
    };
    let mut targets: Vec<u64> = branches.into_iter().filter_map(target).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
