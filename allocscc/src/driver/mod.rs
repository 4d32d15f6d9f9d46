//! The compiler driver: runs the host C compiler on the original command line, and gathers metadata beside it.
//!
//! Reading order: [`arguments`] and [`options`] cut a command line into words with a meaning, [`plan`] says what the command
//! will do, [`commands`] spells the commands to run instead, [`run`] runs them. [`units`] preprocesses and analyses each source
//! in a process of its own, [`records`] frames what comes out of that, [`objects`] puts it into object files, and
//! [`finish`] turns the linked file into its final form.
//!
//! The one law: what the user sees is what the compiler does. Nothing here may fail a build; whatever goes wrong with the metadata
//! is a [`warning`].

pub mod arguments;
pub mod children;
pub mod commands;
pub mod compiler;
pub mod debug;
pub mod finish;
pub mod hooks;
pub mod inputs;
pub mod language;
pub mod objects;
pub mod options;
pub mod plan;
pub mod records;
pub mod run;
pub mod sources;
pub mod stack;
pub mod units;
pub mod warning;

pub use hooks::{Annotate, Hooks, LinkOutput, UnitInfo};
pub use run::main;
