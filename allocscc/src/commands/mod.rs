//! The subcommands of `allocs`, one file each.

pub mod run;
