//! A container engine for the checks: the user's running one, or Debian's dockerd, started for them alone.

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context as _, Result, bail, ensure};
use duct::{Expression, cmd};
use tempfile::TempDir;

use super::{Context, base, mounts, tools};

/// An engine that answers. A daemon of its own ends with it.
pub(super) struct Engine {
    own: Option<Daemon>,
    version: String,
}

impl Engine {
    /// The engine that the user's settings name, if it answers; else one of its own.
    pub(super) fn start(context: &Context) -> Result<Self> {
        if let Ok(version) = version("docker".as_ref()) {
            return Ok(Self { own: None, version });
        }
        tools::need(&[("docker", "docker.io"), ("dockerd", "docker.io"), ("unshare", "util-linux")])?;
        let own = Daemon::start(context)
            .context("no container engine is running, and starting a private one failed")?;
        let version = version(&own.client())?;
        Ok(Self { own: Some(own), version })
    }

    /// A docker command, as a user types it: `docker(["run", "--rm", …])`.
    pub(super) fn docker<T: Into<OsString>>(&self, arguments: impl IntoIterator<Item = T>) -> Expression {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        match &self.own {
            Some(daemon) => cmd(daemon.client(), arguments),
            None => cmd("docker", arguments),
        }
    }

    /// A search path on which `docker` is this engine's, for commands from the README.
    pub(super) fn path(&self) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let Some(daemon) = &self.own else { return path };
        [daemon.bin().into_os_string(), path].join(":".as_ref())
    }

    /// Whether the engine, and so all that is in it, is the checks' own.
    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Makes sure that there is an image of a plain Debian release, and returns its name.
    pub(super) fn base(&self, release: &str) -> Result<String> {
        let name = format!("debian:{release}-slim");
        let is_there = said(&self.docker(["image", "inspect", &name])).is_ok();
        let is_pulled = || !self.is_own() && said(&self.docker(["pull", &name])).is_ok();
        if !is_there && !is_pulled() {
            let archive = base::archive(release)?;
            said(&self.docker(["import".as_ref(), archive.as_os_str(), name.as_ref()]))
                .with_context(|| format!("cannot import {}", archive.display()))?;
        }
        Ok(name)
    }

    /// Ends a daemon of its own, and makes sure that it leaves no process and no mount behind.
    pub(super) fn stop(mut self) -> Result<&'static str> {
        match &mut self.own {
            Some(daemon) => daemon.stop().map(|()| "no process and no mount is left"),
            None => Ok("it was running before, and goes on"),
        }
    }
}

impl Display for Engine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let whose = if self.is_own() { "started for the checks" } else { "which was running" };
        write!(f, "dockerd {}, {whose}", self.version)
    }
}

/// What a command prints on standard output. If it fails, the error has the last lines of all that it printed.
pub(super) fn said(command: &Expression) -> Result<String> {
    let output = command.stdout_capture().stderr_capture().unchecked().run()?;
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    ensure!(
        output.status.success(),
        "{}\n{}\n{command:?} ended with {}",
        last_lines(&stdout, 10),
        last_lines(&stderr, 20),
        output.status
    );
    Ok(stdout)
}

/// The version of the engine that a client reaches.
fn version(client: &Path) -> Result<String> {
    Ok(said(&cmd!(client, "version", "--format", "{{.Server.Version}}"))?.trim().to_owned())
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A dockerd without a bridge and without rules for the packet filter, which few containers may have of their own.
struct Daemon {
    /// Sockets and other state of the run. It is a short path, because a socket's may have 107 bytes at most.
    run: Option<TempDir>,
    data: PathBuf,
    keep: bool,
    process: Option<Child>,
}

impl Daemon {
    fn start(context: &Context) -> Result<Self> {
        let run = tempfile::Builder::new().prefix("allocs-docker-").tempdir_in("/tmp")?;
        let data = context.work.join("docker");
        fs::create_dir_all(&data)?;
        let mut daemon = Self { run: Some(run), data, keep: context.keep, process: None };
        daemon.write_client()?;
        daemon.process = Some(daemon.command()?.spawn().context("cannot run dockerd")?);
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    fn command(&self) -> Result<Command> {
        let log = fs::File::create(self.log())?;
        // A configuration of the user's may contradict these options.
        fs::write(self.run().join("config.json"), "{}")?;
        let in_run = |name: &str| self.run().join(name);
        let mut command = Command::new(if tools::is_root() { "unshare" } else { "sudo" });
        if !tools::is_root() {
            command.arg("unshare");
        }
        // What it mounts is seen by it alone, and so goes with it: it leaves the name space of the network mounted.
        command.args(["--mount", "--propagation", "slave"]);
        command.args(["sh", "-c", WHILE_INPUT_IS_OPEN, "sh", "dockerd", "--bridge=none"]);
        command.args(["--iptables=false", "--ip6tables=false", "--group", &group()?]);
        command.arg("--config-file").arg(in_run("config.json"));
        command.arg("--data-root").arg(self.data.join("data"));
        command.arg("--exec-root").arg(in_run("exec"));
        command.arg("--pidfile").arg(in_run("pid"));
        command.arg("--host").arg(self.address());
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// A `docker` that reaches this daemon. Without a bridge, containers use the host's network.
    fn write_client(&self) -> Result<()> {
        let docker = cmd!("which", "docker").read().context("there is no docker")?;
        let script = format!(
            "#!/bin/sh\n\
             case \"$1\" in\n\
             build|create|run) verb=$1; shift; set -- \"$verb\" --network host \"$@\" ;;\n\
             esac\n\
             exec {docker} --host {} \"$@\"\n",
            self.address()
        );
        fs::create_dir(self.bin())?;
        fs::write(self.client(), script)?;
        Ok(fs::set_permissions(self.client(), fs::Permissions::from_mode(0o755))?)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = version(&self.client()) {
            if let Some(process) = &mut self.process
                && let Some(status) = process.try_wait()?
            {
                bail!("dockerd ended with {status}: {}", self.last_words());
            }
            ensure!(
                start.elapsed() < Duration::from_secs(60),
                "dockerd does not answer within 60 s: {error:#}\n{}",
                self.last_words()
            );
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        // This closes its input first.
        process.wait()?;
        let left = [processes_that_name(self.run()), mounts::below(&[self.run(), &self.data])?].concat();
        if !left.is_empty() {
            // Its removal would enter what is mounted.
            let kept = self.run.take().map(TempDir::keep).unwrap_or_default();
            bail!("dockerd left behind, with {}: {}", kept.display(), left.join(", "));
        }
        if !self.keep {
            mounts::remove(&self.data)?;
        }
        // What the daemon made in it belongs to root, which the removal of the temporary directory may not be.
        mounts::remove(&self.run().join("exec"))?;
        self.run.take().map_or(Ok(()), TempDir::close).context("cannot remove the daemon's run directory")
    }

    /// The last lines of its log, which say why it failed.
    fn last_words(&self) -> String {
        last_lines(&fs::read_to_string(self.log()).unwrap_or_default(), 5)
    }

    fn run(&self) -> &Path {
        self.run.as_ref().map_or(Path::new("/nonexistent"), TempDir::path)
    }

    fn log(&self) -> PathBuf {
        self.data.join("dockerd.log")
    }

    fn bin(&self) -> PathBuf {
        self.run().join("bin")
    }

    fn client(&self) -> PathBuf {
        self.bin().join("docker")
    }

    fn address(&self) -> String {
        format!("unix://{}", self.run().join("socket").display())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("cannot stop the private container engine: {error:#}");
        }
    }
}

/// The user's group, which may use the daemon's socket.
fn group() -> Result<String> {
    Ok(cmd!("id", "-g").read()?)
}

/// The processes on whose command line a directory stands: the daemon's containerd and its shims name their socket.
fn processes_that_name(dir: &Path) -> Vec<String> {
    let name = dir.to_string_lossy();
    let command_lines = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid = entry.file_name().into_string().ok()?.parse::<u32>().ok()?;
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        Some((pid, String::from_utf8_lossy(&words).replace('\0', " ")))
    });
    command_lines
        .filter(|(_, words)| words.contains(name.as_ref()))
        .map(|(pid, words)| format!("process {pid} ({})", words.trim()))
        .collect()
}

/// Runs a command until it ends, or until the other end of standard input is closed, which the kernel does however we end.
/// No signal of the kernel's would do: the parent of what sudo starts is sudo, which goes on without us.
const WHILE_INPUT_IS_OPEN: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
( trap '' HUP INT; while read -r line; do :; done; kill -TERM "$command" ) <&3 2>/dev/null &
watcher=$!
exec 3<&-
wait "$command"
status=$?
kill -TERM "$watcher" 2>/dev/null
wait "$watcher"
exit "$status"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_daemon_leaves_behind_is_found() {
        let place = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "read line; :"])
            .arg(place.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let found = loop {
            // Between fork and exec the child still has our command line.
            let found = processes_that_name(place.path());
            if !found.is_empty() {
                break found;
            }
        };
        assert!(found[0].starts_with(&format!("process {} (sh", child.id())), "{found:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(processes_that_name(place.path()).is_empty());
    }

    fn while_input_is_open(command: &[&str]) -> Child {
        let mut shell = Command::new("sh");
        shell.args(["-c", WHILE_INPUT_IS_OPEN, "sh"]).args(command).stdin(Stdio::piped());
        shell.spawn().unwrap()
    }

    #[test]
    fn a_command_ends_when_its_input_is_closed() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a");
        fs::write(&file, "").unwrap();
        let mut shell = while_input_is_open(&["tail", "-f", file.to_str().unwrap()]);
        let is_there = || processes_that_name(place.path()).iter().any(|found| found.contains("(tail"));
        while !is_there() {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(shell.try_wait().unwrap().is_none());
        // SIGTERM ended it. Nothing is left, not even the one who watched.
        assert_eq!(shell.wait().unwrap().code(), Some(128 + 15));
        assert!(processes_that_name(place.path()).is_empty());
    }

    #[test]
    fn a_command_that_ends_by_itself_does_not_wait_for_its_input() {
        let mut shell = while_input_is_open(&["sh", "-c", "exit 7"]);
        let input = shell.stdin.take();
        assert_eq!(shell.wait().unwrap().code(), Some(7));
        drop(input);
    }
}
