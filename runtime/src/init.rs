//! Start-up, as stages that only go forward.
//!
//! The library is linked with `-z initfirst`, so its constructor runs before those of all other files. The program may
//! still have called `malloc` before: the interposed functions need no constructor (see `interpose`).
//!
//! # Safety
//! The dynamic linker calls the constructor once, with the arguments of `main`, before any thread is started.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU8, Ordering};

/// How far the library is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Stage {
    /// The constructor has not run: queries answer "unknown".
    Loaded = 0,
    /// It has run and found that the library was opened by `dlopen`: the program does not use our `malloc`. Queries
    /// answer "unknown" for ever.
    Inactive = 1,
    /// Queries are answered.
    Ready = 2,
}

static STAGE: AtomicU8 = AtomicU8::new(Stage::Loaded as u8);

/// How far the library is.
#[must_use]
pub fn stage() -> Stage {
    match STAGE.load(Ordering::Acquire) {
        0 => Stage::Loaded,
        1 => Stage::Inactive,
        _ => Stage::Ready,
    }
}

/// Whether queries are answered.
#[must_use]
pub fn ready() -> bool {
    STAGE.load(Ordering::Acquire) == Stage::Ready as u8
}

#[cfg(not(test))]
mod constructor {
    use super::{STAGE, Stage};
    use crate::index::{big, pages, regions};
    use crate::{census, env, interpose};
    use core::ffi::{c_char, c_int};
    use core::sync::atomic::Ordering;

    #[used]
    #[unsafe(link_section = ".init_array")]
    static CONSTRUCTOR: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = start;

    extern "C" fn start(_argc: c_int, argv: *const *const c_char, envp: *const *const c_char) {
        interpose::real::resolve();
        if !interpose::is_before_libc() {
            STAGE.store(Stage::Inactive as u8, Ordering::Release);
            return;
        }
        // SAFETY: `envp` is what the dynamic linker hands to constructors, and no other thread exists.
        unsafe { env::read(envp) };
        regions::keep_pages_small();
        big::keep_pages_small();
        pages::ensure_flat();
        // SAFETY: `argv` is the kernel's vector, and no other thread exists.
        unsafe { crate::start::start(argv) };
        census::start();
        STAGE.store(Stage::Ready as u8, Ordering::Release);
    }

    #[used]
    #[unsafe(link_section = ".fini_array")]
    static DESTRUCTOR: extern "C" fn() = end;

    /// Runs after the program's `atexit` handlers.
    extern "C" fn end() {
        census::take();
        crate::start::at_exit();
    }
}
