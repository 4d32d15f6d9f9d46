//! A plain Debian release of its own to run commands in as root: its files, its processes, its mounts, the host's network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::{Context, base, mounts, tools};

/// What is unpacked of a release. It goes when this is dropped.
pub(super) struct Chroot {
    root: PathBuf,
    keep: bool,
}

/// Mounts what programs expect, in a namespace of its own, which takes the mounts with it when the script has ended.
const ENTER: &str = r#"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
    DEBIAN_FRONTEND=noninteractive sh -e -c "$2"
"#;

impl Chroot {
    /// Whether this machine lets root make mounts and let us be root.
    pub(super) fn is_possible() -> bool {
        let words = ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
        tools::root_command(&words).stdin_null().stdout_null().stderr_null().run().is_ok()
    }

    /// Unpacks a release, with apt's lists, in which nothing of ours has ever been.
    pub(super) fn new(context: &Context, release: &str) -> Result<Self> {
        tools::need(&[("unshare", "util-linux"), ("chroot", "coreutils"), ("tar", "tar")])?;
        let archive = base::archive(release)?;
        let chroot = Self { root: context.work.join(release), keep: context.keep };
        chroot.remove()?;
        let root = chroot.path("")?;
        tools::as_root(&["mkdir", "-p", &root])?;
        let archive = archive.to_str().context("the cache's path is no text")?;
        tools::as_root(&["tar", "-C", &root, "--numeric-owner", "-xpf", archive])?;
        // A link in the root would lead out of it.
        let resolver = chroot.path("etc/resolv.conf")?;
        tools::as_root(&["cp", "--dereference", "--remove-destination", "/etc/resolv.conf", &resolver])?;
        // Without that option, no network is no error, and what is recommended would be left out without a word.
        chroot.run("apt-get update -qq -o APT::Update::Error-Mode=any")?;
        Ok(chroot)
    }

    /// Puts a file into a directory, which is made.
    pub(super) fn put(&self, file: &Path, dir: &str) -> Result<()> {
        let file = file.to_str().context("a file's path is no text")?;
        tools::as_root(&["install", "-D", "--mode=644", "--target-directory", &self.path(dir)?, file])
    }

    /// Runs a script and returns what it prints. It ends with all processes that it has started.
    pub(super) fn run(&self, script: &str) -> Result<String> {
        let words =
            ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-e", "-c"];
        let command = tools::root_command(&[&words[..], &[ENTER, "sh", &self.path("")?, script]].concat());
        let output = command.stdin_null().stderr_to_stdout().stdout_capture().unchecked().run()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n");
        ensure!(
            output.status.success(),
            "`{}` in {} ends with {}:\n{last}",
            script.trim(),
            self.path("")?,
            output.status
        );
        Ok(text)
    }

    /// All paths in it, but for those where apt and dpkg keep books and the system its logs.
    pub(super) fn files(&self) -> Result<BTreeSet<String>> {
        let listed = self.run(
            "find / -xdev \\( -path /proc -o -path /dev -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \
             -o -path '/var/lib/dpkg/*-old' -o -path /tmp \\) -prune -o -print",
        )?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    fn path(&self, below: &str) -> Result<String> {
        let path = self.root.join(below);
        Ok(path.to_str().context("the target directory's path is no text")?.trim_end_matches('/').to_owned())
    }

    fn remove(&self) -> Result<()> {
        mounts::remove(&self.root)
    }
}

impl Drop for Chroot {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = self.remove()
        {
            eprintln!("cannot remove {}: {error:#}", self.root.display());
        }
    }
}
