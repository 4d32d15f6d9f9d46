//! Allocation sites: facts of each preprocessed file, and at link the type of what each site allocates.
//!
//! In reading order: [`facts`] is what a file says, [`functions`] are the functions that allocate, [`extract`] makes facts of
//! syntax trees, [`codec`] puts them into bytes, [`matching`] says which call instruction is which site.

pub mod codec;
pub mod extract;
pub mod facts;
pub mod functions;
pub mod heap_type;
pub mod matching;
pub mod shape;
pub mod solve;
pub mod sums;
