//! What the library says about itself.
//!
//! That something which the user asked for could not be done is said unless `LIBALLOCS_DEBUG_LEVEL` is 0; the rest only if it asks
//! for it: level 1 is what a user can act upon (metadata that was found and cannot be used), level 2 is each file that is looked
//! at. It goes where the exit summary goes.

use core::fmt::{self, Write};

use crate::env::{self, Variable};
use crate::sys::Errno;
use crate::sys::file::{Fd, write_stderr};

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// What a user can act upon.
    Problem = 1,
    /// What happens.
    Detail = 2,
}

/// Says that something that the user asked for could not be done: what, with which file, and the error number.
pub fn error(what: &str, name: &[u8], why: Errno) {
    if wanted() != Some(b'0') {
        let space = if name.is_empty() { "" } else { " " };
        say(format_args!("{what}{space}{}: error {}", Path(name), why.0));
    }
}

/// Says something if the user wants to hear it.
pub fn log(level: Level, message: fmt::Arguments<'_>) {
    if wanted().is_some_and(|digit| (b'0' + level as u8..=b'9').contains(&digit)) {
        say(message);
    }
}

/// The first character of the level that the user wants.
fn wanted() -> Option<u8> {
    env::get(Variable::DebugLevel).and_then(|value| value.to_bytes().first().copied())
}

/// Writes a line that begins with `liballocs: `.
fn say(message: fmt::Arguments<'_>) {
    let mut line = Line { bytes: [0; 512], len: 0 };
    // A line that is too long is cut.
    let _ = write!(line, "liballocs: {message}");
    line.end();
    write(line.text());
}

/// Writes to the file of `LIBALLOCS_ERR`, or to standard error. What cannot be written has nowhere else to go.
pub fn write(bytes: &[u8]) {
    let _ = match env::get(Variable::Err).map(Fd::append) {
        Some(Ok(fd)) => fd.write_all(bytes),
        Some(Err(_)) | None => write_stderr(bytes),
    };
}

/// Bytes of a path, for people.
pub struct Path<'a>(pub &'a [u8]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            f.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

struct Line {
    bytes: [u8; 512],
    len: usize,
}

impl Line {
    fn end(&mut self) {
        self.len = self.len.min(self.bytes.len() - 1);
        self.bytes[self.len] = b'\n';
        self.len += 1;
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl Write for Line {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).unwrap_or(&mut []);
        let n = s.len().min(room.len());
        room[..n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    #[test]
    fn a_long_line_is_cut_and_ends() {
        let check = |text: &str, expect: usize| {
            let mut line = Line { bytes: [0; 512], len: 0 };
            write!(line, "{text}").unwrap();
            line.end();
            assert_eq!((line.text().len(), line.text().last()), (expect, Some(&b'\n')));
        };
        check("", 1);
        check("short", 6);
        check(&"x".repeat(511), 512);
        check(&"x".repeat(2000), 512);
        let odd = format!("{}", Path(b"/a/\xff/b"));
        assert_eq!(odd, String::from("/a/\u{fffd}/b"));
    }
}
