//! The subcommands of `allocs`.

pub mod completions;
pub mod meta;
pub mod parse;
pub mod run;
