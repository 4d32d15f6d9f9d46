//! `liballocs_preload.so`: the meta level of a running process.
//!
//! Loaded with `LD_PRELOAD`, it indexes heap allocations as they happen and answers questions about any address: which
//! allocator, base, size, type and allocation site. It is `no_std`, keeps its own memory, takes no lock where `malloc`
//! is called, and exports only the functions that it takes the place of and what its headers name.
//!
//! Reading order, from the ground up: [`sys`] is all that is asked of the system, [`private_heap`] is where our own data
//! lives, [`init`] and [`start`] say how far start-up is. The heap side: [`interpose`] takes the place of `malloc` and its
//! family and fills the [`index`], as [`detour`] does for heaps that a file keeps to itself; [`census`] counts. The query side: [`modules`] are the loaded files with their metadata,
//! [`types`] the unique types, [`unwind`] and [`allocators`] find what holds an address; [`query`] is the one path through
//! all of them, and [`c_api`] is what C programs call. The heap side knows the query side only through [`hooks`].
#![cfg_attr(not(test), no_std)]

pub mod allocators;
pub mod avma;
pub mod c_api;
pub mod caller;
pub mod census;
pub mod detour;
pub mod env;
pub mod hooks;
pub mod index;
pub mod init;
pub mod interpose;
pub mod log;
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
