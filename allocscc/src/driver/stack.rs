//! Runs an analysis on a thread whose stack does not depend on the user's limits.

use anyhow::{Result, anyhow};

/// Expressions may be nested as deeply as the compiler allows. Pages that are not touched cost nothing.
const STACK_SIZE: usize = 256 << 20;

/// Runs `analysis` with a large stack. Where there is no room for one, the present stack has to do.
pub fn with_large_stack<T: Send>(analysis: impl Fn() -> Result<T> + Sync) -> Result<T> {
    std::thread::scope(|scope| {
        match std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, &analysis) {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(anyhow!("the analysis panicked"))),
            Err(_) => analysis(),
        }
    })
}
