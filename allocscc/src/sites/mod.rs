//! Allocation sites: facts of each preprocessed file, and at link the type of what each site allocates.
//!
//! In reading order: [`facts`] is what a file says, [`functions`] are the functions that allocate, [`extract`] makes facts of
//! syntax trees, [`codec`] puts them into bytes; at link, [`heap_type`] is what an allocation can hold, `wrappers` finds the
//! functions that allocate for their callers, [`signature`] says what they do to the links of other files, whose [`imports`] they are, `sums` and `shape` read a size expression, and [`solve`] weighs it against the receiving pointer;
//! [`explain`] says why, in the words of [`spelling`].

pub mod codec;
pub(crate) mod effect;
pub mod explain;
pub mod extract;
pub mod facts;
pub mod functions;
pub mod heap_type;
pub mod imports;
mod shape;
pub mod signature;
pub mod solve;
pub mod spelling;
mod sums;
mod targets;
mod uses;
mod wrappers;
