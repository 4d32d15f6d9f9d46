//! The compiler driver: runs the host C or C++ compiler on the original command line, and gathers metadata beside it.
//!
//! Reading order: [`arguments`], [`options`] and [`parser`] cut a command line into words with a meaning, [`plan`] says what the
//! command will do, [`spelling`] spells the commands to run instead, [`run`] runs them. [`units`] preprocesses and analyses each source
//! in a process of its own, [`alloca`] says when the compiler runs a second time, [`records`] frames what comes out of that, [`named_types`] finds objects for the types that a program names, [`objects`] puts it into object files, and
//! [`finish`] turns the linked file into its final form.
//!
//! The one law: what the user sees is what the compiler does. Nothing here may fail a build; whatever goes wrong with the metadata
//! is a [`warning`].
//!
//! # What passes through
//! A command becomes the compiler itself, at the cost of one `exec`, when it makes no object or program of C or C++: it only prints
//! something, preprocesses, stops at assembly or bitcode (`-emit-llvm`), makes a precompiled header (with the options that its
//! users get), compiles other languages, is for another machine (`-m32`, `--target=`), reads or writes a stream such as
//! `/dev/stdin`, asks for a debug format other than DWARF, or cannot work. Where headers may be needed it is told where ours are.
//!
//! # Where it differs from the compiler alone
//! - The linker's messages name lines, and `-save-temps` files hold debug info, as with `-g`.
//! - A build-id is that of the file with debug info. It depends on nothing else.
//! - With `-fallocs-alloca`, functions that call alloca put a header before each block ([`alloca`]), but with `-save-temps` and in `.i` files.
//! - `-g1` becomes `-g`; DWARF 4 is used with `-save-temps`, because clang's assembler warns of clang's DWARF 5.
//! - What another program links from our objects keeps [`records::FACTS_SECTION`] and the debug info.
//! - Of an archive, where only the inputs have the facts ([`finish`]), those of members that were not linked count too.

pub mod alloca;
pub mod arguments;
pub mod children;
pub mod compiler;
pub mod debug;
pub mod finish;
pub mod hooks;
pub mod inputs;
pub mod language;
pub mod link_map;
pub mod named_types;
pub mod objects;
pub mod options;
pub mod parser;
pub mod plan;
pub mod records;
pub mod run;
pub mod spelling;
pub mod stack;
pub mod standard_input;
pub mod units;
pub mod warning;

pub use hooks::{Annotate, Annotation, Hooks, LinkOutput, UnitInfo};
pub use run::main;
