//! What the library has to say to the user, in the file that `LIBALLOCS_ERR` names, else on standard error.

use crate::env::{self, Variable};
use crate::sys::Errno;
use crate::sys::file::{Fd, write_stderr};
use core::fmt::{self, Write};

/// Longest line.
const LONGEST: usize = 512;

/// Says that something that the user asked for could not be done, unless `LIBALLOCS_DEBUG_LEVEL` is 0.
pub fn error(what: &str, name: &[u8], why: Errno) {
    if env::get(Variable::DebugLevel).is_some_and(|level| level.to_bytes() == b"0") {
        return;
    }
    let mut line = Line { bytes: [0; LONGEST], len: 0 };
    // A line that is too long ends early.
    let _ = write_line(&mut line, what, name, why);
    write(&line.bytes[..line.len]);
}

/// Writes text to where the user wants what the library says.
pub fn write(text: &[u8]) {
    // Where a message cannot be written there is nobody to tell.
    let _ = match env::get(Variable::Err).map(Fd::append) {
        Some(Ok(file)) => file.write_all(text),
        Some(Err(_)) | None => write_stderr(text),
    };
}

fn write_line(out: &mut impl Write, what: &str, name: &[u8], why: Errno) -> fmt::Result {
    write!(out, "liballocs: {what}")?;
    if !name.is_empty() {
        out.write_char(' ')?;
        name.utf8_chunks().try_for_each(|chunk| out.write_str(chunk.valid()))?;
    }
    writeln!(out, ": error {}", why.0)
}

struct Line {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn a_line_says_what_where_and_why() {
        let check = |name: &[u8], expect: &str| {
            let mut line = String::new();
            write_line(&mut line, "cannot write the census", name, Errno(13)).unwrap();
            assert_eq!(line, expect);
        };
        check(b"/a/b\xffc", "liballocs: cannot write the census /a/bc: error 13\n");
        check(b"", "liballocs: cannot write the census: error 13\n");
    }
}
