//! The census: every allocation made through a heap, by site, at exit.

use core::sync::atomic::{AtomicBool, Ordering};

static ON: AtomicBool = AtomicBool::new(false);

/// Whether allocations are counted.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}
