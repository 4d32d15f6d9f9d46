//! `operator new` of the C++ library: a wrapper in a file without metadata.
//!
//! Who asks for the block is the code that has the `new`. Where the frame ends, the unwind rules of the code say.
//! A program may replace the operator, and put something of its own in front of the block. So of other files without metadata
//! nothing is believed.

use allocs_metadata::CfaRegister;

use crate::avma::Avma;
use crate::index::sites::hop::{CallerRbp, Hop};
use crate::modules::{Module, symbols};
use crate::unwind::rule::{Cfa, Rule, SavedRbp};
use crate::unwind::walk;

/// The forms of the operator that can be replaced, which are those that allocate.
const OPERATORS: [&[u8]; 8] = [
    b"_Znwm",
    b"_Znam",
    b"_ZnwmRKSt9nothrow_t",
    b"_ZnamRKSt9nothrow_t",
    b"_ZnwmSt11align_val_t",
    b"_ZnamSt11align_val_t",
    b"_ZnwmSt11align_val_tRKSt9nothrow_t",
    b"_ZnamSt11align_val_tRKSt9nothrow_t",
];

/// The names of the files with the operators of GNU and LLVM.
const LIBRARIES: [&[u8]; 3] = [b"libstdc++.so", b"libc++abi.so", b"libc++.so"];

/// The way out of the operator, if this code, which is on the calling thread's stack, is in one.
pub fn hop_out_of(module: &Module, code: Avma) -> Option<Hop> {
    let path = module.path().to_bytes();
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    if !LIBRARIES.iter().any(|library| name.starts_with(library)) {
        return None;
    }
    let is_operator = symbols::symbol_on_stack(module, code)?.name(|name| OPERATORS.contains(&name));
    if is_operator { hop(walk::rule_in(module, code)) } else { None }
}

fn hop(rule: Rule) -> Option<Hop> {
    let Rule::Frame(cfa, saved) = rule else { return None };
    let (register, cfa_offset) = match cfa {
        Cfa::Rsp(offset) => (CfaRegister::Rsp, offset),
        Cfa::Rbp(offset) => (CfaRegister::Rbp, offset),
        Cfa::AtRbp(_) => return None,
    };
    let rbp = match saved {
        SavedRbp::Same => CallerRbp::Same,
        SavedRbp::AtCfa(at) => CallerRbp::AtCfa(at),
        SavedRbp::AtRbp(_) => CallerRbp::Unknown,
    };
    Some(Hop { register, cfa_offset, rbp, is_proved: true, has_type: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_that_of_the_unwind_rule() {
        let check = |rule: Rule, expect: Option<(CfaRegister, i32, CallerRbp)>| {
            let found = hop(rule).map(|hop| (hop.register, hop.cfa_offset, hop.rbp));
            assert_eq!(found, expect, "{rule:?}");
        };
        let frame = |cfa, saved| Rule::Frame(cfa, saved);
        check(frame(Cfa::Rsp(16), SavedRbp::Same), Some((CfaRegister::Rsp, 16, CallerRbp::Same)));
        check(frame(Cfa::Rbp(16), SavedRbp::AtCfa(-16)), Some((CfaRegister::Rbp, 16, CallerRbp::AtCfa(-16))));
        check(frame(Cfa::Rsp(16), SavedRbp::AtRbp(8)), Some((CfaRegister::Rsp, 16, CallerRbp::Unknown)));
        check(frame(Cfa::AtRbp(-8), SavedRbp::Same), None);
        [Rule::Unknown, Rule::End, Rule::Signal].into_iter().for_each(|rule| check(rule, None));
    }
}
