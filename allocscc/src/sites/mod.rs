//! From the source to the type of each allocation site.

pub mod facts;
pub mod matching;
