//! The text of the standard input, for a command that compiles it: both the compiler and we must read it.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::children::Running;

/// What a child gets as its standard input.
#[derive(Clone)]
pub enum Input {
    /// The same as we have.
    Inherited,
    /// Nothing.
    Nothing,
    /// These bytes.
    Text(Arc<Vec<u8>>),
}

impl Input {
    /// Reads our standard input to its end.
    pub fn read() -> io::Result<Input> {
        let mut text = Vec::new();
        io::stdin().lock().read_to_end(&mut text)?;
        Ok(Input::Text(Arc::new(text)))
    }

    /// Starts `command` with this input.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Running> {
        command.stdin(match self {
            Input::Inherited => Stdio::inherit(),
            Input::Nothing => Stdio::null(),
            Input::Text(_) => Stdio::piped(),
        });
        let mut running = Running::spawn(command)?;
        if let (Input::Text(text), Some(mut pipe)) = (self, running.child.stdin.take()) {
            let text = Arc::clone(text);
            // A process that ends without having read everything is its own affair.
            std::thread::Builder::new().spawn(move || pipe.write_all(&text).ok())?;
        }
        Ok(running)
    }
}
