//! The C front end: preprocessed C in, resolved and typed syntax trees out, one external declaration at a time.
//!
//! In reading order: [`token`] and [`lexer`] cut the text, [`types`] and [`layout`] know what types are and how large,
//! [`scopes`] says what a name means, [`syntax`] holds the trees, [`typing`] and [`constant`] give an expression its type
//! and value, and [`parser`] builds it all in one pass, because C cannot be parsed without knowing its typedef names.
//!
//! The parser accepts more than C: it is there to read what a compiler has accepted or is about to reject. What it
//! cannot read costs one external declaration, never the file.

pub mod constant;
pub mod layout;
pub mod lexer;
mod literals;
pub mod parser;
pub mod scopes;
pub(crate) mod strings;
pub mod syntax;
pub mod token;
pub mod types;
pub mod typing;

pub use parser::{External, Parser};
