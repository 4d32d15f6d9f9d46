//! The matrix: every program of the corpus by every compiler at every optimisation, with the same types in each.
//!
//! A program does the same allocations whoever compiles it, so what the library says of them must be the same. [`cell`] says
//! what the cells are → [`measure`] builds a program in one and runs it → [`claims`] adds up what the library says →
//! [`compare`] holds that against the baseline's → [`outcome`] judges and prints.

pub mod cell;
pub mod claims;
pub mod compare;
pub mod measure;
pub mod outcome;
