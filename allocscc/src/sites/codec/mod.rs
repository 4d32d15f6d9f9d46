//! Facts as bytes, for a section of the object file.
//!
//! A block is [`MAGIC`], the version, the length of what follows, then a table of strings, a table of types that refer to
//! strings and earlier types, and the facts that refer to both. Numbers are LEB128. A linker puts the sections of many
//! objects behind each other, with zeros between; [`decode()`] reads all blocks. It never panics on hostile bytes.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// What each block begins with.
pub const MAGIC: [u8; 4] = *b"AlFa";
/// The version of the format; others are not read.
pub const VERSION: u8 = 10;

/// Why facts cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// A block does not begin as it should, at this offset.
    Magic(usize),
    /// A block was made by another version of allocscc.
    Version(u8),
    /// A block ends too early.
    Truncated,
    /// A number is out of its range, at this offset of its block.
    Value(usize),
}

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CodecError::Magic(offset) => write!(f, "no allocation facts at offset {offset:#x}"),
            CodecError::Version(version) => {
                write!(
                    f,
                    "allocation facts of version {version}, this is version {VERSION}: compile the file again"
                )
            }
            CodecError::Truncated => write!(f, "the allocation facts end too early"),
            CodecError::Value(offset) => {
                write!(f, "a bad number at offset {offset:#x} of the allocation facts")
            }
        }
    }
}

impl std::error::Error for CodecError {}
