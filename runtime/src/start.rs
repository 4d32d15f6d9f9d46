//! What the query side does when the library starts, and when the process ends.

use core::ffi::c_char;

use crate::allocators::{auxv, calls, signal_stacks, site_types, stack, thread_stacks};
use crate::avma::Avma;
use crate::c_api;
use crate::hooks::{self, Hooks};
use crate::modules::dl;
use crate::report;
use crate::sys::threads;
use crate::types::link_time;

static HOOKS: Hooks = Hooks {
    before_unload: site_types::before_unload,
    after_unload: site_types::files_unloaded,
    look_up_call: calls::look_up,
    type_of_symbol: c_api::uniqtypes::of_symbol,
    is_on_stack: stack::is_same,
    signal_stack_changed: signal_stacks::changed,
    decides: site_types::decides,
    is_loaded,
    describe_site: site_types::describe,
};

/// Makes queries possible.
///
/// # Safety
/// `argv` is the vector that the kernel made, and no other thread exists.
#[allow(unsafe_code)]
pub unsafe fn start(argv: *const *const c_char) {
    dl::init();
    threads::init();
    thread_stacks::init();
    // SAFETY: says the caller.
    unsafe { auxv::init(argv) };
    c_api::allocators::init();
    hooks::register(&HOOKS);
    #[cfg(not(test))]
    crate::detour::hook_loaded_files();
    c_api::misc::set_initialized();
    link_time::files_at_start();
}

/// Does what is left when the process ends in an orderly way.
pub fn at_exit() {
    report::at_exit();
}

fn is_loaded(address: Avma) -> bool {
    dl::loaded_at(address).is_some()
}
