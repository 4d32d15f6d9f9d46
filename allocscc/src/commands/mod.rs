//! The subcommands of `allocs`.

pub mod completions;
mod file;
pub mod meta;
pub mod parse;
pub mod run;
pub mod sites;
mod spelling;
