//! The subcommands of `allocs`.

pub mod meta;
pub mod run;
