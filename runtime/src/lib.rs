//! `liballocs_preload.so`: the meta level of a running process.
//!
//! Loaded with `LD_PRELOAD`, it indexes heap allocations as they happen and answers questions about any address: which
//! allocator, base, size, type and allocation site. It is `no_std`, keeps its own memory, takes no lock where `malloc`
//! is called, and exports only the names in `exports.map`.
//!
//! Reading order: `sys` is all that is asked of the system; `private_heap` is where our own data lives; `init` says how
//! far start-up is.
#![cfg_attr(not(test), no_std)]

pub mod allocators;
pub mod avma;
pub mod c_api;
pub mod census;
pub mod env;
pub mod hooks;
pub mod index;
pub mod init;
pub mod interpose;
pub mod modules;
#[cfg(not(test))]
mod panic;
pub mod private_heap;
pub mod query;
pub mod report;
pub mod start;
pub mod sys;
pub mod types;
pub mod unwind;
