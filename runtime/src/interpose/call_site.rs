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
}

/// The call that a block belongs to, from the registers of the code that called the allocation function.
#[must_use]
#[inline]
pub fn find(caller: Caller) -> CallSite {
    let return_address = Frame::of(caller).return_address();
    if recent::find(return_address).is_some() {
        CallSite { return_address, is_settled: true }
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
        let passing = CallSite { return_address, is_settled: false };
        match (look_up(return_address), with_type) {
            (None, _) => return passing,
            (Some(Call::InWrapper(_)), _) if hops == MAX_HOPS => return passing,
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
            (Some(Call::Unlisted | Call::Listed), _) => return CallSite { return_address, is_settled: true },
        }
    }
}
