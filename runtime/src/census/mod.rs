//! The census: every allocation made through a heap, by site, written when the program exits or gets SIGUSR2.
//!
//! What is counted: each successful call of `malloc`, `calloc`, `realloc`, `reallocarray`, `memalign`, `aligned_alloc`,
//! `posix_memalign`, `valloc` or `pvalloc` counts one allocation and the bytes that it asked for, also when the C library
//! makes the call for the program. So `realloc` is a new allocation of the new size; `realloc(p, 0)` that frees counts
//! nothing; and `strdup` counts once, as the `malloc` in it, for the site of the program. *Live* is what is still there.
//!
//! It is written after the program's own `atexit` handlers have run, and not at all when the process ends by `_exit`,
//! `quick_exit`, `abort` or a signal, or becomes another program by `exec`. A forked child starts with its parent's
//! totals and writes its own file if the name has `%p`. None of it uses the program's heap.
//!
//! Reading order: [`table`] gathers the lines, [`json`] spells them, [`path`] says where they go.

pub mod json;
pub mod path;
pub mod table;

use crate::avma::Avma;
use crate::env::{self, Variable};
use crate::index::sites::{self, recent};
use crate::index::{for_each_block, site};
use crate::log;
use crate::sys::file::{self, Fd};
use crate::sys::signal::{self, Signal};
use crate::sys::{Errno, process};
use core::convert::Infallible;
use core::ffi::CStr;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use path::Path;

static ON: AtomicBool = AtomicBool::new(false);
/// The process that is writing a census, or 0. A child forked meanwhile has its parent's id here, and may write its own.
static WRITING: AtomicU32 = AtomicU32::new(0);

/// Whether allocations are counted.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Begins to count if the environment asks for it. Called once, while there is one thread.
pub fn start() {
    let Some(pattern) = env::get(Variable::Census).filter(|pattern| !pattern.is_empty()) else { return };
    path::set_pattern(pattern);
    ON.store(true, Ordering::Relaxed);
    // What was allocated before counts as if it were allocated now, and no site takes the fast path any more.
    let _: ControlFlow<Infallible> = for_each_block(Avma::NULL, Avma::USER_END, |block| {
        site(block.site).count(block.size);
        ControlFlow::Continue(())
    });
    for index in sites::all() {
        recent::forget(site(index).return_address());
    }
    if env::is_on(Variable::CensusSignal)
        && let Err(why) = signal::install_handler(Signal::SIGUSR2, on_signal)
    {
        log::error("no census on SIGUSR2", b"", why);
    }
}

/// Writes the census of this moment, if one is counted and none is being written.
pub fn take() {
    let pid = process::pid();
    if !is_on() || WRITING.swap(pid.0, Ordering::Acquire) == pid.0 {
        return;
    }
    if let Err(why) = write() {
        let pattern = env::get(Variable::Census).map_or(&b""[..], CStr::to_bytes);
        log::error("the census could not be written to", pattern, why);
    }
    WRITING.store(0, Ordering::Release);
}

extern "C" fn on_signal(_: i32) {
    take();
}

/// Writes to a file beside the final one, which then takes its name, so that a reader never sees half a census.
fn write() -> Result<(), Errno> {
    let target = Path::of_census(process::pid()).ok_or(Errno::ENAMETOOLONG)?;
    let temporary = target.with_suffix(b".tmp").ok_or(Errno::ENAMETOOLONG)?;
    let lines = table::gather().ok_or(Errno::ENOMEM)?;
    let file = Fd::create(temporary.as_c_str())?;
    let result = json::write(&file, lines.as_slice())
        .and_then(|()| file::rename(temporary.as_c_str(), target.as_c_str()));
    if result.is_err() {
        let _ = file::unlink(temporary.as_c_str());
    }
    result
}
