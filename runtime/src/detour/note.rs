//! What a call of a hooked function means for the index.
//!
//! It runs between the program's own instructions, so it takes no lock, and `errno` stays as it is.
//!
//! # Safety
//! The entry code passes the frame that it made. What a function stores through an argument is read after it returned.
#![allow(unsafe_code)]

use super::Function;
use crate::avma::Avma;
use crate::caller::Caller;
use crate::census;
use crate::index::pools::{self, Object};
use crate::index::sites::{self, Key};
use crate::index::{self, SiteIndex};
use crate::interpose::{call_site, note};
use allocs_metadata::{Heap, HookAction, HookRecord, REGISTER_ARGUMENTS};

/// What lies on the stack at the entry of a hooked function.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Frame {
    /// The arguments, the last one first.
    arguments: [usize; REGISTER_ARGUMENTS as usize],
    function: &'static Function,
    return_address: usize,
}

impl Frame {
    fn argument(&self, number: u8) -> usize {
        self.arguments[usize::from(REGISTER_ARGUMENTS - 1 - number)]
    }

    /// What the program asks for.
    fn size(&self) -> usize {
        let wanted = (0..REGISTER_ARGUMENTS).filter(|number| self.function.sizes & 1 << number != 0);
        wanted.fold(1, |product: usize, number| product.saturating_mul(self.argument(number)))
    }

    fn caller(&self, rbp: Avma) -> Caller {
        Caller { return_slot: Avma::of(&raw const self.return_address), rbp }
    }
}

/// A function is about to make a block of another: the site of that, 0 for none.
pub(super) extern "C" fn before(frame: &Frame) -> usize {
    let base = Avma(frame.argument(frame.function.block));
    pools::object_at_base(base).map_or(0, |object| object.site.0 as usize)
}

/// A function has returned. `old` is the site of the block that it made the new one of, 0 for none.
pub(super) extern "C" fn made(frame: &Frame, result: usize, rbp: Avma, old: usize) {
    let function = frame.function;
    let base = match function.output {
        HookRecord::RETURNS => Avma(result),
        // SAFETY: the program's argument; where the function fails, it returns an error, and nothing is stored.
        output if result == 0 => Avma(unsafe { *(frame.argument(output) as *const usize) }),
        _ => Avma::NULL,
    };
    let (size, old) = (frame.size(), SiteIndex(old as u32));
    let taken = Avma(frame.argument(function.block));
    if base.is_null() {
        // Of size 0 it frees.
        if size == 0 && old != SiteIndex::UNKNOWN {
            pools::remove(taken);
        }
        return;
    }
    if old != SiteIndex::UNKNOWN && taken != base {
        pools::remove(taken);
    }
    let caller = frame.caller(rbp);
    let site = if old == SiteIndex::UNKNOWN {
        note::fresh_site(caller)
    } else {
        sites::reallocated(old, Key::plain(call_site::find(caller).return_address))
    };
    enter(&Object { base, size, site, heap: function.heap }, function.action == HookAction::Allocate);
}

/// Enters a new object; `is_fresh` says that it was not made of another.
fn enter(object: &Object, is_fresh: bool) {
    if let Some(block) = index::block_at(object.base) {
        if block.base == object.base && block.size == object.size {
            // It hands on what another malloc gave. What became of a type is for that one's `realloc` to say.
            if is_fresh {
                note::change_site(&block, object.site);
            }
            return;
        }
        index::divide(&block);
    }
    if object.heap == Heap::Small {
        index::site(object.site).note_small();
    }
    if census::is_on() {
        // A function that another one of the heap calls has entered it already.
        if let Some(inner) = pools::object_at_base(object.base) {
            index::site(inner.site).discount(inner.size);
        }
        index::site(object.site).count(object.size);
    }
    pools::insert(object);
}

/// A function is about to end a block. Where it goes on.
pub(super) extern "C" fn ended(frame: &Frame) -> Avma {
    pools::remove(Avma(frame.argument(frame.function.block)));
    frame.function.trampoline
}
