//! Which call a block belongs to: the one of the allocation function, or, if that is in a wrapper, the one of the wrapper.
//!
//! The call is looked for from the innermost outwards: the first one that is in no wrapper, at most [`MAX_HOPS`] frames up.
//! Where the way out is lost, and behind the last frame, it is the one reached. If nothing is known of the call, as in a
//! library without metadata, it still is that call, so that whoever asks sees where the knowledge ends; but if the call in
//! the wrapper has a type of its own, that call is it.

use crate::avma::Avma;
use crate::caller::Caller;
use crate::hooks;
use crate::index::sites::calls::{self, Call};
use crate::index::sites::hop::Frame;
use crate::index::sites::recent;

/// Number of wrappers that are left for one block.
pub const MAX_HOPS: usize = 8;

/// A call that allocates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// What identifies it.
    pub return_address: Avma,
    /// Whether all blocks from there belong to it, whichever way they came.
    pub is_settled: bool,
    /// Whether it is the call in a wrapper behind [`MAX_HOPS`] others.
    pub is_too_deep: bool,
}

/// The call that a block belongs to, from the registers of the code that called the allocation function.
#[must_use]
#[inline]
pub fn find(caller: Caller) -> CallSite {
    let return_address = Frame::of(caller).return_address();
    if recent::find(return_address).is_some() {
        CallSite { return_address, is_settled: true, is_too_deep: false }
    } else {
        find_outwards(caller)
    }
}

#[inline(never)]
fn find_outwards(caller: Caller) -> CallSite {
    let is_on_stack = |p, sp| hooks::get().is_some_and(|query_side| (query_side.is_on_stack)(p, sp));
    walk(caller, look_up, is_on_stack)
}

/// What is known of a return address; `None` before anybody can tell.
fn look_up(return_address: Avma) -> Option<Call> {
    let call = match calls::find(return_address) {
        Some(known) => known,
        None => {
            let call = (hooks::get()?.look_up_call)(return_address);
            calls::remember(return_address, call);
            call
        }
    };
    if let Call::InWrapper(hop) = call
        && let Some(words) = hop.words()
    {
        recent::remember_wrapper(return_address, words);
    }
    Some(call)
}

fn walk(
    caller: Caller,
    look_up: impl Fn(Avma) -> Option<Call>,
    is_on_stack: impl Fn(Avma, Avma) -> bool,
) -> CallSite {
    let mut frame = Frame::of(caller);
    let mut with_type = None;
    let mut hops = 0;
    loop {
        let return_address = frame.return_address();
        let passing = CallSite { return_address, is_settled: false, is_too_deep: false };
        match (look_up(return_address), with_type) {
            (None, _) => return passing,
            (Some(Call::InWrapper(_)), _) if hops == MAX_HOPS => {
                return CallSite { is_too_deep: true, ..passing };
            }
            (Some(Call::InWrapper(hop)), _) => {
                let outer = hop.out_of(frame, &is_on_stack);
                let Some(outer) = outer.filter(|outer| !outer.return_address().is_null()) else {
                    return passing;
                };
                frame = outer;
                with_type = hop.has_type.then_some(passing);
                hops += 1;
            }
            (Some(Call::Unlisted), Some(inner)) => return inner,
            (Some(Call::Unlisted | Call::Listed), _) => {
                return CallSite { is_settled: true, ..passing };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::sites::hop::{CallerRbp, Hop, LARGEST_FRAME, SMALL_FRAME};
    use allocs_metadata::CfaRegister;
    use core::cell::Cell;
    use proptest::prelude::*;
    use proptest::test_runner::Config;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    const FIRST: usize = 0x40_0000;
    const NOT_ON_STACK: fn(Avma, Avma) -> bool = |_, _| false;

    fn hop(register: CfaRegister, cfa_offset: i32, rbp: CallerRbp) -> Hop {
        Hop { register, cfa_offset, rbp, is_proved: true, has_type: false }
    }

    /// Words of a stack that grows down to the first one, where the call of the allocation function lies.
    fn call_site(words: &[usize], rbp: Avma, calls: &BTreeMap<usize, Call>) -> CallSite {
        let caller = Caller { return_slot: Avma::of(words.as_ptr()), rbp };
        walk(caller, |at| calls.get(&at.0).copied(), NOT_ON_STACK)
    }

    /// A frame of a wrapper: how many words lie between the two return addresses, whether it has a frame pointer, and
    /// whether it changes rbp without one.
    #[derive(Clone, Copy, Debug)]
    struct Made {
        words: usize,
        is_counted_from_rbp: bool,
        saves_rbp: bool,
    }

    fn made() -> impl Strategy<Value = Made> {
        (1usize..40, any::<bool>(), any::<bool>()).prop_map(|(words, is_counted_from_rbp, saves_rbp)| Made {
            words,
            is_counted_from_rbp,
            saves_rbp,
        })
    }

    /// The stack of nested wrappers, innermost first, with what the metadata says; frame `i` is left from `FIRST + i`.
    fn lay_out(frames: &[Made]) -> (Vec<usize>, Avma, BTreeMap<usize, Call>) {
        let size = 2 + frames.iter().map(|frame| frame.words + 1).sum::<usize>();
        let mut stack = std::vec![0xdead_beef; size];
        let start = stack.as_ptr() as usize;
        let mut calls = BTreeMap::new();
        // From the outermost frame inwards, as the calls are made.
        let mut slot = size - 2;
        let mut rbp = 0x1234_5678;
        stack[slot] = FIRST + frames.len();
        calls.insert(FIRST + frames.len(), Call::Listed);
        for (i, frame) in frames.iter().enumerate().rev() {
            let saved = CallerRbp::AtCfa(-16);
            let inner = slot - frame.words - 1;
            let below_cfa = 8 * frame.words as i32 + 8;
            if frame.is_counted_from_rbp {
                stack[slot - 1] = rbp;
                rbp = start + 8 * (slot - 1);
                calls.insert(FIRST + i, Call::InWrapper(hop(CfaRegister::Rbp, 16, saved)));
            } else if frame.saves_rbp {
                stack[slot - 1] = rbp;
                rbp = 0x77;
                calls.insert(FIRST + i, Call::InWrapper(hop(CfaRegister::Rsp, below_cfa, saved)));
            } else {
                let same = CallerRbp::Same;
                calls.insert(FIRST + i, Call::InWrapper(hop(CfaRegister::Rsp, below_cfa, same)));
            }
            stack[inner] = FIRST + i;
            slot = inner;
        }
        assert_eq!(slot, 0, "the stack has no room to spare");
        (stack, Avma(rbp), calls)
    }

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        #[test]
        fn the_site_is_the_call_of_the_outermost_wrapper(frames in prop::collection::vec(made(), 0..12)) {
            let (stack, rbp, calls) = lay_out(&frames);
            let expect = CallSite {
                return_address: Avma(FIRST + frames.len().min(MAX_HOPS)),
                is_settled: frames.len() <= MAX_HOPS,
                is_too_deep: frames.len() > MAX_HOPS,
            };
            prop_assert_eq!(call_site(&stack, rbp, &calls), expect);
        }

        #[test]
        fn a_wrong_way_out_leads_nowhere_or_to_a_word_of_the_frame(
            ways in prop::collection::vec((any::<bool>(), -64i32..64, -100i16..100, any::<u8>()), 1..12),
            rbp_word in 0usize..200,
        ) {
            // As far as a wrapper's frame may reach, the stack is there.
            let words: Vec<usize> = (0..600).map(|i| FIRST + i % (ways.len() + 1)).collect();
            let seen = Cell::new(0);
            let look_up = |at: Avma| {
                seen.set(seen.get() + 1);
                let &(is_rbp, offset, saved, kind) = ways.get(at.0.checked_sub(FIRST)?)?;
                let register = if is_rbp { CfaRegister::Rbp } else { CfaRegister::Rsp };
                let rbp = [CallerRbp::Same, CallerRbp::AtCfa(saved), CallerRbp::Unknown][kind as usize % 3];
                Some(Call::InWrapper(Hop { has_type: kind & 4 != 0, ..hop(register, offset, rbp) }))
            };
            let rbp = Avma::of(&raw const words[rbp_word]);
            let caller = Caller { return_slot: Avma::of(words.as_ptr()), rbp };
            let found = walk(caller, look_up, NOT_ON_STACK);
            prop_assert!(words.contains(&found.return_address.0));
            prop_assert!(seen.get() <= MAX_HOPS + 1);
        }
    }

    #[test]
    fn a_frame_must_end_above_the_stack_pointer_on_a_word_and_not_far_away() {
        let words = [FIRST, FIRST + 1, FIRST + 1];
        let check = |hop: Hop, expect: usize| {
            let calls = [(FIRST, Call::InWrapper(hop)), (FIRST + 1, Call::Listed)].into();
            let rbp = Avma::of(words.as_ptr());
            assert_eq!(call_site(&words, rbp, &calls).return_address, Avma(expect), "{hop:?}");
        };
        let way = |register, offset| hop(register, offset, CallerRbp::Same);
        check(way(CfaRegister::Rsp, 8), FIRST + 1);
        check(way(CfaRegister::Rbp, 24), FIRST + 1);
        for offset in [0, -8, 12, LARGEST_FRAME as i32 + 16, i32::MAX, i32::MIN] {
            check(way(CfaRegister::Rsp, offset), FIRST);
            check(way(CfaRegister::Rbp, offset), FIRST);
        }
        check(Hop { is_proved: false, ..way(CfaRegister::Rsp, 8) }, FIRST);
    }

    #[test]
    fn the_fast_path_takes_small_frames_that_are_counted_from_rsp() {
        let words = |hop: Hop| hop.words();
        let way = |register, offset| hop(register, offset, CallerRbp::Same);
        assert_eq!(words(way(CfaRegister::Rsp, 8)), Some(1));
        assert_eq!(words(way(CfaRegister::Rsp, SMALL_FRAME as i32)), Some(SMALL_FRAME as u16 / 8));
        assert_eq!(words(Hop { is_proved: false, ..way(CfaRegister::Rsp, 8) }), None);
        assert_eq!(words(way(CfaRegister::Rbp, 16)), None);
        for offset in [0, -8, 12, SMALL_FRAME as i32 + 8, i32::MAX, i32::MIN] {
            assert_eq!(words(way(CfaRegister::Rsp, offset)), None, "{offset}");
        }
    }

    #[test]
    fn the_end_of_a_large_frame_must_lie_on_the_stack() {
        let mut words = std::vec![FIRST; SMALL_FRAME / 8 + 2];
        words[SMALL_FRAME / 8] = FIRST + 1;
        words[SMALL_FRAME / 8 + 1] = FIRST + 2;
        let check = |offset: usize, is_on_stack: bool, expect: usize| {
            let way = hop(CfaRegister::Rsp, offset as i32, CallerRbp::Same);
            let look_up = |at: Avma| Some(if at.0 == FIRST { Call::InWrapper(way) } else { Call::Listed });
            let caller = Caller { return_slot: Avma::of(words.as_ptr()), rbp: Avma::NULL };
            let found = walk(caller, look_up, |_, _| is_on_stack);
            assert_eq!(found.return_address, Avma(expect), "{offset} {is_on_stack}");
        };
        check(SMALL_FRAME, false, FIRST + 1);
        check(SMALL_FRAME + 8, true, FIRST + 2);
        check(SMALL_FRAME + 8, false, FIRST);
    }

    #[test]
    fn what_no_unwind_rule_proves_must_lie_on_the_stack() {
        let words = [FIRST, 0, FIRST + 1];
        let end = Avma::of(words.as_ptr_range().end);
        let on_stack = |p: Avma, sp: Avma| sp <= p && p < end;
        let unproved = |offset| Hop { is_proved: false, ..hop(CfaRegister::Rsp, offset, CallerRbp::Same) };
        let check = |offset, expect: usize| {
            let look_up = |at: Avma| match at.0 - FIRST {
                0 => Some(Call::InWrapper(unproved(offset))),
                _ => Some(Call::Listed),
            };
            let caller = Caller { return_slot: Avma::of(words.as_ptr()), rbp: Avma::NULL };
            assert_eq!(walk(caller, look_up, on_stack).return_address, Avma(expect), "{offset}");
        };
        check(16, FIRST + 1);
        check(24, FIRST);
        // Nothing returns to NULL.
        check(8, FIRST);
    }

    #[test]
    fn where_nothing_is_known_of_the_caller_the_wrapper_counts_if_it_has_a_type() {
        let words = [FIRST, FIRST + 1];
        let check = |has_type, outer, expect: CallSite| {
            let inner = Hop { has_type, ..hop(CfaRegister::Rsp, 8, CallerRbp::Same) };
            let calls = [(FIRST, Call::InWrapper(inner)), (FIRST + 1, outer)].into();
            assert_eq!(call_site(&words, Avma::NULL, &calls), expect);
        };
        let site = |at: usize, is_settled| CallSite {
            return_address: Avma(FIRST + at),
            is_settled,
            is_too_deep: false,
        };
        check(false, Call::Unlisted, site(1, true));
        check(true, Call::Unlisted, site(0, false));
        check(true, Call::Listed, site(1, true));
        // Before anybody can tell, nothing is settled.
        assert_eq!(call_site(&words, Avma::NULL, &BTreeMap::new()), site(0, false));
    }
}
