//! Response files: `@file` stands for the words in the file.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use tempfile::NamedTempFile;

use super::children;

/// A command line longer than this goes into a response file. The kernel's limit is larger, but counts the environment too.
const MAX_LENGTH: usize = 1 << 17;

/// Files that name each other without end are cut here, as the compiler does.
const MAX_EXPANSIONS: usize = 2000;

/// The words of a command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arguments {
    /// As given.
    pub given: Vec<OsString>,
    /// With each response file replaced by its words.
    pub expanded: Vec<OsString>,
}

impl Arguments {
    /// Reads the response files that `given` names.
    pub fn new(given: Vec<OsString>) -> Arguments {
        let mut expanded = Vec::with_capacity(given.len());
        let mut budget = MAX_EXPANSIONS;
        expand(&given, &mut expanded, &mut budget);
        Arguments { given, expanded }
    }

    /// Whether a response file was read.
    pub fn has_response_file(&self) -> bool {
        self.given != self.expanded
    }
}

/// A word that names no readable file stays as it is: that is how the compiler reports it.
fn expand(words: &[OsString], out: &mut Vec<OsString>, budget: &mut usize) {
    for word in words {
        let contents = word
            .as_bytes()
            .strip_prefix(b"@")
            .filter(|_| *budget > 0)
            .map(|name| Path::new(OsStr::from_bytes(name)))
            .filter(|path| path.is_file())
            .and_then(|path| std::fs::read(path).ok());
        match contents {
            Some(contents) => {
                *budget -= 1;
                expand(&split(&contents), out, budget);
            }
            None => out.push(word.clone()),
        }
    }
}

/// Splits the text of a response file: white space separates, quotes group, a backslash takes the next byte literally.
pub fn split(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            _ if quote == Some(byte) => quote = None,
            _ if quote.is_some() => word.get_or_insert_default().push(byte),
            b'"' | b'\'' => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            _ if byte.is_ascii_whitespace() || byte == 0x0b => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

/// The inverse of [`split`].
pub fn join(words: &[OsString]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        text.push(b'"');
        for &byte in word.as_bytes() {
            if matches!(byte, b'"' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.extend(b"\"\n");
    }
    text
}

/// Words for a command line that the kernel accepts.
pub struct Spelled {
    /// The words, or the name of a response file that holds them.
    pub words: Vec<OsString>,
    /// The response file; it goes away with this.
    pub file: Option<ResponseFile>,
}

/// A temporary file that a signal removes too.
pub struct ResponseFile(NamedTempFile);

impl Drop for ResponseFile {
    fn drop(&mut self) {
        children::forget(self.0.path());
    }
}

/// Puts words that are too many for a command line into a response file.
pub fn spell(words: Vec<OsString>) -> io::Result<Spelled> {
    if words.iter().map(|word| word.len() + 1).sum::<usize>() <= MAX_LENGTH {
        return Ok(Spelled { words, file: None });
    }
    let mut file = tempfile::Builder::new().prefix("allocscc-").tempfile()?;
    children::remember(file.path());
    file.write_all(&join(&words))?;
    let mut word = OsString::from("@");
    word.push(file.path());
    Ok(Spelled { words: vec![word], file: Some(ResponseFile(file)) })
}
