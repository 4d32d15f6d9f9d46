//! The corpus: real C programs, built with `allocscc` and run under the library, and small C programs of our own.
//!
//! This crate knows only built files and command lines: the products reach it through the staged prefix ([`stage`]).
//! One corpus program walks these stations:
//! [`manifest`] says where its sources come from, how it is built and what it runs → [`fetch`] gets the pinned package and
//! [`sources`] finds its files → [`build`] compiles it once with the plain compiler and once with `allocscc`,
//! from a list of sources or by the package's own scripts in a [`tree`]; [`lines`] says how large it is → [`objects`] compares the code of the
//! two → [`workload`] runs it over generated [`inputs`], bare, with the library, and under each [`watch::Watch`] →
//! [`census`] reads what the library saw → [`snapshot`] renders it → [`report`] keeps the figures for the table.
//! [`accuracy`] judges what the library says by evidence that is not ours.
//! [`matrix`] goes the same way by other compilers and at other optimisations, and compares what the library says.
//! [`programs`] reads the directives of our own small C programs.

pub mod accuracy;
pub mod build;
pub mod cache;
pub mod census;
pub mod child;
pub mod fetch;
pub mod inputs;
pub mod lines;
pub mod manifest;
pub mod matrix;
pub mod objects;
pub mod parsed;
pub mod places;
pub mod programs;
pub mod report;
pub mod snapshot;
pub mod sources;
pub mod stage;
pub mod tools;
pub mod tree;
pub mod watch;
pub mod workload;
