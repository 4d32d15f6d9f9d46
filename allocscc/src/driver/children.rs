//! The processes that we run, and what happens to them and to our temporary files when a signal ends us.
//!
//! SIGINT, SIGTERM and SIGHUP go on to every child; when the compiler has cleaned up and ended, our own temporary files go, and
//! then we end by the same signal, as the compiler alone would have.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long children may take to end after a signal.
const GRACE: Duration = Duration::from_secs(5);

struct Live {
    children: Vec<Pid>,
    files: Vec<PathBuf>,
    /// No further child may start.
    closed: bool,
    /// A signal ends us.
    ending: bool,
}

static LIVE: Mutex<Live> =
    Mutex::new(Live { children: Vec::new(), files: Vec::new(), closed: false, ending: false });

fn live() -> std::sync::MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A child process that a signal to us reaches too.
pub struct Running {
    /// The process, with its pipes.
    pub child: Child,
    pid: Pid,
}

impl Running {
    /// Starts `command`.
    pub fn spawn(command: &mut Command) -> io::Result<Running> {
        let mut live = live();
        if live.closed {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        let pid = Pid::from_child(&child);
        live.children.push(pid);
        Ok(Running { child, pid })
    }

    /// Waits for the end of the process.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        // Close our end of the standard input, as `Child::wait` does: the process may wait for that.
        drop(self.child.stdin.take());
        // It is reaped only under the lock, so that nobody signals a process that has its number later.
        while let Err(Errno::INTR) =
            waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        let mut live = live();
        live.children.retain(|&pid| pid != self.pid);
        self.child.wait()
    }
}

/// Ends every child at once, and lets no other start.
pub fn close() {
    live().closed = true;
    kill_all();
}

/// Ends every child at once.
pub fn kill_all() {
    for &pid in &live().children {
        // One that has ended by itself is just as well.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Removes the file when a signal ends us. [`forget`] it when it has its final name or is gone.
pub fn remember(path: &Path) {
    live().files.push(path.to_path_buf());
}

/// The opposite of [`remember`].
pub fn forget(path: &Path) {
    live().files.retain(|file| file != path);
}

/// Removes the files that [`remember`] knows, before an end that nothing drops them at.
pub fn remove_files() {
    live().remove_files();
}

/// Starts to listen for signals. Those that are ignored, as under `nohup`, stay ignored.
pub fn listen() -> io::Result<()> {
    let ignored = ignored_signals();
    // Inherited from a careless parent it would take our children's exit status away.
    if ignored >> (SIGCHLD - 1) & 1 == 1 {
        signal_hook::flag::register(SIGCHLD, Arc::default())?;
    }
    let signals = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(signals)?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end_by(signal);
        }
    })?;
    Ok(())
}

fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn end_by(signal: i32) {
    {
        let mut live = live();
        live.closed = true;
        live.ending = true;
        for &pid in &live.children {
            if let Some(signal) = Signal::from_named_raw(signal) {
                // One that has ended by itself is just as well.
                let _ = kill_process(pid, signal);
            }
        }
    }
    let deadline = Instant::now() + GRACE;
    while !live().children.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
    }
    live().remove_files();
    die_by(signal);
}

impl Live {
    fn remove_files(&mut self) {
        for file in self.files.drain(..) {
            // Nothing can be done about a file that does not go away.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Ends this process with the child's exit status, or by the signal that ended the child. When a signal to us is under way, that comes
/// first.
pub fn exit_like(status: ExitStatus) -> ! {
    use std::os::unix::process::ExitStatusExt;
    if live().ending {
        loop {
            std::thread::park();
        }
    }
    close();
    live().remove_files();
    if let Some(signal) = status.signal() {
        die_by(signal);
    }
    std::process::exit(status.code().unwrap_or(1))
}

fn die_by(signal: i32) -> ! {
    // It returns for a signal whose default is not to end the process.
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::exit(128 + signal)
}
