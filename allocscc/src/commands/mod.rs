//! The subcommands of `allocs`.

pub mod add;
pub mod completions;
mod debug_file;
mod file;
pub mod meta;
pub mod parse;
mod receivers;
pub mod run;
pub mod sites;
mod spelling;
