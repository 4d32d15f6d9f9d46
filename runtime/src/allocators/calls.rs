//! What the metadata says of a call that allocates, for the interposed functions.
//!
//! Asked while the program allocates, so nothing here takes a lock or much stack.

use allocs_metadata::{CfaRegister, Evidence, HopRecord, SavedRbp, SiteRecord};

use super::{conditions, operator_new};
use crate::avma::Avma;
use crate::index::sites::calls::Call;
use crate::index::sites::hop::Hop;
use crate::modules::{self, Module};
use crate::types::TypedFile;
use crate::unwind::rule::{self, Cfa, Rule};
use crate::unwind::walk;

/// What the metadata says of a return address that is on the calling thread's stack.
#[cold]
#[inline(never)]
pub fn look_up(return_address: Avma) -> Call {
    // A call may be the last instruction of its file's code.
    let code = Avma(return_address.0.wrapping_sub(1));
    let module = modules::at_without_lock(code);
    let Some(module) = module else { return Call::Unlisted };
    match module.metadata {
        Some(file) => look_up_in(module, file, return_address, code),
        None => operator_new::hop_out_of(module, code).map_or(Call::Unlisted, Call::InWrapper),
    }
}

fn look_up_in(module: &Module, file: &TypedFile, return_address: Avma, code: Avma) -> Call {
    let svma = module.svma(return_address);
    if !conditions::hold(module, file, svma) {
        return Call::Unlisted;
    }
    let svma = svma.0;
    let site = file.site_at(svma);
    // What receives the result in a wrapper may be there for what the wrapper keeps in front of its caller's.
    let says_type = |site: &SiteRecord| {
        matches!(Evidence::from_u8(site.evidence), Evidence::Sizeof | Evidence::Both | Evidence::Declared)
    };
    let has_type = site.is_some_and(says_type);
    let hop = file.hop_at(svma).and_then(|record| hop(record, walk::rule_in(module, code), has_type));
    match (hop, site) {
        (Some(hop), _) => Call::InWrapper(hop),
        (None, Some(_)) => Call::Listed,
        (None, None) => Call::Unlisted,
    }
}

/// The way out of a wrapper that a record says. None if the unwind rule of the code says another: then the record is not
/// about this code.
fn hop(record: &HopRecord, rule: Rule, has_type: bool) -> Option<Hop> {
    match rule {
        Rule::Unknown => Hop::of(record, false, has_type),
        Rule::Frame(cfa, rbp) if agrees(record, cfa, rbp) => Hop::of(record, true, has_type),
        Rule::Frame(..) | Rule::End | Rule::Signal => None,
    }
}

fn agrees(record: &HopRecord, cfa: Cfa, rbp: rule::SavedRbp) -> bool {
    let is_cfa = match CfaRegister::from_u8(record.cfa_register) {
        Some(CfaRegister::Rsp) => cfa == Cfa::Rsp(record.cfa_offset),
        Some(CfaRegister::Rbp) => cfa == Cfa::Rbp(record.cfa_offset),
        None => false,
    };
    let is_rbp = match SavedRbp::from_u8(record.saved_rbp) {
        SavedRbp::Same => rbp == rule::SavedRbp::Same,
        SavedRbp::AtCfa => rbp == rule::SavedRbp::AtCfa(record.rbp_offset),
        SavedRbp::Unknown => true,
    };
    is_cfa && is_rbp
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::sites::hop::CallerRbp;
    use proptest::prelude::*;

    fn record(register: u8, cfa_offset: i32, saved_rbp: u8, rbp_offset: i16) -> HopRecord {
        HopRecord { return_svma: 0, cfa_offset, cfa_register: register, saved_rbp, rbp_offset }
    }

    #[test]
    fn only_what_the_unwind_rule_says_is_believed() {
        let frame = |cfa, rbp| Rule::Frame(cfa, rbp);
        let (same, at) = (rule::SavedRbp::Same, rule::SavedRbp::AtCfa);
        let check = |record: HopRecord, rule: Rule, expect: Option<(bool, CallerRbp)>| {
            let found = hop(&record, rule, false).map(|hop| (hop.is_proved, hop.rbp));
            assert_eq!(found, expect, "{record:?} {rule:?}");
        };
        check(record(0, 16, 0, 0), frame(Cfa::Rsp(16), same), Some((true, CallerRbp::Same)));
        check(record(0, 16, 0, 0), frame(Cfa::Rsp(24), same), None);
        check(record(0, 16, 0, 0), frame(Cfa::Rbp(16), same), None);
        check(record(0, 16, 0, 0), frame(Cfa::Rsp(16), at(-16)), None);
        check(record(1, 16, 1, -16), frame(Cfa::Rbp(16), at(-16)), Some((true, CallerRbp::AtCfa(-16))));
        check(record(1, 16, 1, -16), frame(Cfa::Rbp(16), at(-24)), None);
        check(record(1, 16, 2, -16), frame(Cfa::Rbp(16), at(-24)), Some((true, CallerRbp::Unknown)));
        check(record(1, 16, 1, -16), frame(Cfa::AtRbp(16), at(-16)), None);
        check(record(0, 16, 0, 0), Rule::Unknown, Some((false, CallerRbp::Same)));
        check(record(2, 16, 0, 0), Rule::Unknown, None);
        check(record(0, 16, 0, 0), Rule::End, None);
        check(record(0, 16, 0, 0), Rule::Signal, None);
    }

    proptest! {
        #[test]
        fn a_proved_way_out_is_that_of_the_unwind_rule(
            (register, offset, saved, at) in any::<(u8, i32, u8, i16)>(),
            (kind, rule_offset, rule_at) in (0u8..4, any::<i32>(), any::<i16>()),
            is_equal: bool,
        ) {
            let record = record(register, offset, saved, at);
            let (rule_offset, rule_at) = if is_equal { (offset, at) } else { (rule_offset, rule_at) };
            let cfa = match kind & 1 { 0 => Cfa::Rsp(rule_offset), _ => Cfa::Rbp(rule_offset) };
            let rbp = match kind & 2 { 0 => rule::SavedRbp::Same, _ => rule::SavedRbp::AtCfa(rule_at) };
            if let Some(hop) = hop(&record, Rule::Frame(cfa, rbp), false) {
                prop_assert!(hop.is_proved);
                prop_assert_eq!(hop.register as u8, kind & 1);
                prop_assert_eq!(hop.cfa_offset, rule_offset);
                match hop.rbp {
                    CallerRbp::Same => prop_assert_eq!(rbp, rule::SavedRbp::Same),
                    CallerRbp::AtCfa(at) => prop_assert_eq!(rbp, rule::SavedRbp::AtCfa(at)),
                    CallerRbp::Unknown => {}
                }
            }
        }
    }
}
