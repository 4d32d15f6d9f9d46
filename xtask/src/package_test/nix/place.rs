//! A Nix of this run's own: its store, its settings, a copy of the checkout, and the look-alike of nixpkgs.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};
use duct::{Expression, cmd};
use serde::Deserialize;

use super::super::{Context, tools};
use crate::cargo;

/// Nix needs no root, no daemon and no /nix for a store below a directory of its own.
pub(super) struct Place {
    root: PathBuf,
    cargo_home: PathBuf,
    rustup_home: PathBuf,
    keep: bool,
}

impl Place {
    /// Makes everything anew but the store, if an earlier run was told to keep it: what did not change is not built again.
    pub(super) fn make(context: &Context) -> Result<Self> {
        tools::need(&[("nix", "nix-bin"), ("git", "git")])?;
        let home = PathBuf::from(env::var_os("HOME").context("HOME is not set")?);
        let or_home = |variable, dir| env::var_os(variable).map_or_else(|| home.join(dir), PathBuf::from);
        let place = Self {
            // Nix takes no store below a symbolic link.
            root: context.work.canonicalize()?.join("nix"),
            cargo_home: or_home("CARGO_HOME", ".cargo"),
            rustup_home: or_home("RUSTUP_HOME", ".rustup"),
            keep: context.keep,
        };
        for dir in ["nixpkgs", "settings", "checkout", "temporary", "etc"] {
            remove(&place.root.join(dir))?;
            fs::create_dir_all(place.root.join(dir))?;
        }
        place.write_settings()?;
        place.copy_checkout()?;
        place.make_nixpkgs()?;
        Ok(place)
    }

    fn write_settings(&self) -> Result<()> {
        let registry = self.root.join("settings/registry.json");
        fs::write(&registry, r#"{ "flakes": [], "version": 2 }"#)?;
        let visible = self.visible()?;
        let settings = format!(
            "experimental-features = nix-command flakes\nsandbox = true\nsandbox-fallback = true\n\
             sandbox-paths = {}\nbuild-users-group =\nsubstituters =\nflake-registry = {}\nwarn-dirty = false\n",
            visible.join(" "),
            registry.display()
        );
        Ok(fs::write(self.root.join("settings/nix.conf"), settings)?)
    }

    /// What of the host builds see: the look-alike's tools and crates. Where the kernel allows no sandbox, Nix goes without.
    ///
    /// Nix binds all of it writable, and builds run with the user's rights: run as root, they can write to /usr and the like.
    /// The derivations of this flake do not. Nix itself makes files below /etc, such as /etc/hosts and the certificates, in
    /// whatever is bound there, so that is a copy.
    fn visible(&self) -> Result<Vec<String>> {
        let host = ["/bin", "/lib", "/lib64", "/usr"].map(PathBuf::from);
        let host = host.into_iter().chain([self.cargo_home.clone(), self.rustup_home.clone()]);
        let mut visible: Vec<String> =
            host.filter(|path| path.exists()).map(|path| path.display().to_string()).collect();
        // Not all of /etc/ssl, where private keys are.
        for file in ["alternatives", "ld.so.cache", "ssl/certs", "ssl/openssl.cnf"] {
            let (from, to) = (Path::new("/etc").join(file), self.root.join("etc").join(file));
            if from.exists() {
                fs::create_dir_all(to.parent().context("a file is in a directory")?)?;
                cmd!("cp", "--recursive", "--no-dereference", &from, &to).run()?;
            }
        }
        for name in ["alternatives", "ld.so.cache", "ssl"] {
            let copy = self.root.join("etc").join(name);
            if copy.exists() {
                visible.push(format!("/etc/{name}={}", copy.display()));
            }
        }
        let split = visible.iter().find(|path| path.contains(char::is_whitespace));
        ensure!(
            split.is_none(),
            "Nix cannot show a path with a space to builds: {}",
            split.map_or("", |path| path)
        );
        Ok(visible)
    }

    /// Whether builds run in a sandbox: there they are in a directory that the host does not have.
    pub(super) fn is_sandboxed(&self) -> Result<bool> {
        let build = "derivation { name = \"place\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
                     args = [ \"-c\" \"pwd > $out\" ]; }";
        let built = self.build(&["--impure", "--expr", build])?;
        Ok(fs::read_to_string(built.first().context("nothing was built")?)?.starts_with("/build"))
    }

    /// A git checkout of the files as they are now, because a flake consists of the files that git knows.
    fn copy_checkout(&self) -> Result<()> {
        let (from, to) = (cargo::root()?, self.checkout());
        let files = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let files = cmd("git", files).dir(&from).read().context("this is no git checkout")?;
        for file in files.split('\0').filter(|file| !file.is_empty()) {
            let target = to.join(file);
            fs::create_dir_all(target.parent().context("a file is in a directory")?)?;
            // A file that was removed and not yet committed is still listed.
            if from.join(file).is_file() {
                fs::copy(from.join(file), target).with_context(|| format!("cannot copy {file}"))?;
            }
        }
        cmd!("git", "init", "--quiet").dir(&to).run()?;
        self.know_files()
    }

    /// Lets git know the files of the checkout.
    fn know_files(&self) -> Result<()> {
        cmd!("git", "add", "--all").dir(self.checkout()).run()?;
        Ok(())
    }

    /// Copies `nix/host-stub` and says in its `host.nix` where this host has its tools.
    fn make_nixpkgs(&self) -> Result<()> {
        let (from, to) = (cargo::root()?.join("nix/host-stub"), self.root.join("nixpkgs"));
        cmd!("cp", "-rT", from, &to).run()?;
        let host = format!(
            "{{ cargoHome = {}; rustupHome = {}; path = {}; }}\n",
            nix_string(&self.cargo_home)?,
            nix_string(&self.rustup_home)?,
            nix_string(Path::new(&env::var_os("PATH").context("PATH is not set")?))?,
        );
        Ok(fs::write(to.join("host.nix"), host)?)
    }

    pub(super) fn checkout(&self) -> PathBuf {
        self.root.join("checkout")
    }

    /// Where built things are.
    pub(super) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Puts the look-alike into the lock of the copy, so that commands are what a user types.
    pub(super) fn replace_nixpkgs(&self) -> Result<()> {
        let stub = format!("path:{}", self.root.join("nixpkgs").display());
        self.nix(&["flake", "lock", "--override-input", "nixpkgs", &stub]).map(drop)
    }

    /// Runs nix in the copy of the checkout; returns what it printed. An error ends with the last of its messages.
    pub(super) fn nix(&self, arguments: &[&str]) -> Result<String> {
        let output = self.in_checkout(cmd("nix", arguments)).stdout_capture().stderr_capture().unchecked();
        let output = output.run().context("cannot run nix")?;
        if !output.status.success() {
            let messages = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = messages.lines().collect();
            let last = lines[lines.len().saturating_sub(20)..].join("\n");
            bail!("nix {} failed:\n{last}", arguments.join(" "));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Builds outputs of the flake; returns their paths.
    pub(super) fn build(&self, outputs: &[&str]) -> Result<Vec<PathBuf>> {
        let build = ["build", "--no-link", "--print-build-logs", "--json"];
        let built: Vec<Built> = serde_json::from_str(&self.nix(&[&build[..], outputs].concat())?)?;
        Ok(built.into_iter().map(|built| built.outputs.out).collect())
    }

    /// Runs a script line by line in the copy of the checkout; returns what it printed.
    pub(super) fn script(&self, script: &str) -> Result<String> {
        let output = self.in_checkout(cmd!("sh", "-e", "-c", script)).stdout_capture().unchecked().run()?;
        ensure!(output.status.success(), "it ended with {}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }

    fn in_checkout(&self, command: Expression) -> Expression {
        // Variables of the calling cargo would reach `nix develop` and `nix run`.
        let command = ["CARGO", "CARGO_MANIFEST_DIR", "RUSTUP_TOOLCHAIN", "NIX_REMOTE"]
            .iter()
            .fold(command.dir(self.checkout()), |command, name| command.env_remove(name));
        command
            .env("NIX_CONF_DIR", self.root.join("settings"))
            .env("NIX_USER_CONF_FILES", "")
            .env("NIX_PATH", "")
            .env("NIX_STORE_DIR", self.store())
            .env("NIX_STATE_DIR", self.root.join("state"))
            .env("NIX_LOG_DIR", self.root.join("log"))
            .env("XDG_CACHE_HOME", self.root.join("cache"))
            .env("TMPDIR", self.root.join("temporary"))
    }

    /// Runs `run` while a file of the copy says something else.
    pub(super) fn with_edit<T>(
        &self,
        file: &str,
        [old, new]: [&str; 2],
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let path = self.checkout().join(file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(old), "{file} does not say `{old}`, which this check changes");
        fs::write(&path, text.replacen(old, new, 1))?;
        let result = run();
        fs::write(&path, text)?;
        result
    }

    /// Removes everything, unless it is to be kept.
    pub(super) fn clean(self) -> Result<()> {
        if self.keep { Ok(()) } else { remove(&self.root) }
    }
}

/// What `nix build --json` says of each derivation.
#[derive(Deserialize)]
struct Built {
    outputs: Outputs,
}

#[derive(Deserialize)]
struct Outputs {
    out: PathBuf,
}

/// Removes a directory with a store in it, whose directories cannot be written to.
fn remove(root: &Path) -> Result<()> {
    if root.exists() {
        cmd!("chmod", "-R", "u+w", root).run()?;
        fs::remove_dir_all(root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    Ok(())
}

/// A string as Nix writes it.
fn nix_string(text: &Path) -> Result<String> {
    let text = text.to_str().with_context(|| format!("{} is not UTF-8", text.display()))?;
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_nix_reads_them() {
        let check = |text: &str, expect: &str| assert_eq!(nix_string(Path::new(text)).unwrap(), expect);
        check("/a b", r#""/a b""#);
        check(r#"a"b\c${d}"#, r#""a\"b\\c\${d}""#);
    }
}
