//! What the library has to say to the user, in the file that `LIBALLOCS_ERR` names, else on standard error.
//!
//! `LIBALLOCS_DEBUG_LEVEL` says how much; it is 1 where it is not set.

use crate::env::{self, Variable};
use crate::sys::Errno;
use crate::sys::file::{Fd, write_stderr};
use core::fmt::{self, Write};

/// Longest line.
const LONGEST: usize = 512;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// What the user asked for could not be done.
    Error = 1,
    /// Metadata is there and cannot be used.
    Problem = 2,
    /// What is done.
    Detail = 3,
}

/// Says something, on a line that begins with `liballocs: `, if the user wants to hear it.
pub fn log(level: Level, message: fmt::Arguments<'_>) {
    let wanted = env::get(Variable::DebugLevel).and_then(|value| value.to_bytes().first().copied());
    if wanted.unwrap_or(b'1') < b'0' + level as u8 {
        return;
    }
    say(message);
}

/// Apart from [`log`], so that what is not said needs no room on a stack that may be small.
#[cold]
#[inline(never)]
fn say(message: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; LONGEST], len: 0 };
    // A line that is too long is cut.
    let _ = write!(line, "liballocs: {message}");
    write(line.end());
}

/// Says that something that the user asked for could not be done, unless `LIBALLOCS_DEBUG_LEVEL` is 0.
pub fn error(what: &str, name: &[u8], why: Errno) {
    let blank = if name.is_empty() { "" } else { " " };
    log(Level::Error, format_args!("{what}{blank}{}: error {}", Path(name), why.0));
}

/// Writes text to where the user wants what the library says.
pub fn write(text: &[u8]) {
    // Where a message cannot be written there is nobody to tell.
    let _ = match env::get(Variable::Err).map(Fd::append) {
        Some(Ok(file)) => file.write_all(text),
        Some(Err(_)) | None => write_stderr(text),
    };
}

/// The bytes of a path, without those that are not text.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a>(pub &'a [u8]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| f.write_str(chunk.valid()))
    }
}

struct Line {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Line {
    /// The line with its newline.
    fn end(&mut self) -> &[u8] {
        self.len = self.len.min(LONGEST - 1);
        self.bytes[self.len] = b'\n';
        self.len += 1;
        &self.bytes[..self.len]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let n = text.len().min(LONGEST - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn a_long_line_is_cut_and_ends() {
        let check = |text: &str, expect: usize| {
            let mut line = Line { bytes: [0; LONGEST], len: 0 };
            write!(line, "{text}").unwrap();
            let line = line.end();
            assert_eq!((line.len(), line.last()), (expect, Some(&b'\n')));
        };
        check("", 1);
        check("short", 6);
        check(&"x".repeat(LONGEST - 1), LONGEST);
        check(&"x".repeat(2000), LONGEST);
    }

    #[test]
    fn a_path_is_shown_as_text() {
        let shown = std::format!("{}", Path(b"/a/b\xffc"));
        assert_eq!(shown, String::from("/a/bc"));
    }
}
