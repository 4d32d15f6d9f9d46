//! From the DWARF of a linked file to types, statics, frames and source positions.
//!
//! Reading order: [`linked`] opens the ELF file, [`units`] lists its units and follows references between DIEs,
//! [`scopes`] reads functions, blocks and variables, [`lines`] answers where in the source an address is.

pub mod error;
pub mod lines;
pub mod linked;
pub mod scopes;
pub mod units;

pub use error::{Error, Result};
