//! Runs one program and says what it used: CPU time, wall time, and how it ended.
//!
//! # Safety
//! `waitid`, `kill` and `wait4` are called on a child that this module started and that nothing else waits for.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a finished program did.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// User and system time of it and of the children that it waited for.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
    /// Most resident memory, in kilobytes, of it or of one of the children that it waited for.
    pub peak: u64,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// "exit 1" or "signal 11".
    pub fn ending(&self) -> String {
        ending(self.status)
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => status.to_string(),
    }
}

/// Runs `command` to its end, at most `limit` long, with its output in `scratch`, a directory of its own.
///
/// Output goes through files, so that a program sees the same kind of descriptor in every mode and never blocks on us.
pub fn run(command: &mut Command, scratch: &Path, limit: Duration) -> Result<Outcome> {
    let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
    command.stdout(File::create(&out)?).stderr(File::create(&err)?);
    let program = PathBuf::from(command.get_program());
    let start = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    let pid = libc::pid_t::try_from(child.id())?;

    let (done, finished) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let late = finished.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
        if late {
            // SAFETY: the child is reaped only after this thread is joined, so its id is not reused.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        }
        late
    });
    let ended = until_ended(pid);
    let wall = start.elapsed();
    // The watcher may have ended already; then nobody listens.
    let _ = done.send(());
    let late = watch.join().unwrap_or(false);
    let (status, cpu, peak) =
        ended.and_then(|()| reap(pid)).with_context(|| format!("cannot wait for {}", program.display()))?;
    if late {
        bail!("{} did not end within {} s and was killed", program.display(), limit.as_secs());
    }
    Ok(Outcome { status, cpu, wall, peak, stdout: fs::read(out)?, stderr: fs::read(err)? })
}

/// Blocks until the child has ended, and leaves it to be reaped.
fn until_ended(pid: libc::pid_t) -> io::Result<()> {
    uninterrupted(|| {
        // SAFETY: all-zero is a valid `siginfo_t`.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live local of the right type.
        unsafe { libc::waitid(libc::P_PID, pid.unsigned_abs(), &raw mut info, libc::WEXITED | libc::WNOWAIT) }
    })
}

fn reap(pid: libc::pid_t) -> io::Result<(ExitStatus, Duration, u64)> {
    let mut status = 0;
    // SAFETY: all-zero is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the right type.
    uninterrupted(|| unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) })?;
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Ok((ExitStatus::from_raw(status), cpu, usage.ru_maxrss.unsigned_abs()))
}

fn uninterrupted(mut call: impl FnMut() -> libc::c_int) -> io::Result<()> {
    while call() < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec.unsigned_abs(), 0) + Duration::from_micros(time.tv_usec.unsigned_abs())
}

/// Runs a build tool that must succeed, and returns what it wrote to standard error.
pub fn must(command: &mut Command) -> Result<(String, Duration)> {
    let outcome = succeeded(command)?;
    Ok((String::from_utf8_lossy(&outcome.stderr).into_owned(), outcome.cpu))
}

/// Runs a tool that must succeed, and returns what it wrote to standard output.
pub fn printed(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8(succeeded(command)?.stdout)?)
}

/// The same, where what is written need not be UTF-8.
pub fn printed_lossy(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&succeeded(command)?.stdout).into_owned())
}

/// Runs a tool that must succeed.
pub fn succeeded(command: &mut Command) -> Result<Outcome> {
    let scratch = tempfile::tempdir()?;
    let outcome = run(command.stdin(Stdio::null()), scratch.path(), Duration::from_secs(1800))?;
    if !outcome.status.success() {
        bail!("{}\n{command:?}\n{}", outcome.ending(), String::from_utf8_lossy(&outcome.stderr));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Outcome> {
        let scratch = tempfile::tempdir()?;
        run(Command::new("sh").args(["-c", script]), scratch.path(), limit)
    }

    #[test]
    fn output_and_ending_are_kept() {
        let outcome = shell("echo out; echo err >&2; exit 3", Duration::from_secs(30)).unwrap();
        assert_eq!((&outcome.stdout[..], &outcome.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(outcome.ending(), "exit 3");
        assert_eq!(shell("kill -11 $$", Duration::from_secs(30)).unwrap().ending(), "signal 11");
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let error = shell("exec sleep 60", Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
    }
}
