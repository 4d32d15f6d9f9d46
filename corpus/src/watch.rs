//! What is preloaded into a program, and what watches it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::{self, Key};
use crate::census::Census;
use crate::stage::Stage;
use crate::{child, places, tools};

/// What watches a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Nothing,
    /// The library's census, and the probe.
    Census,
    /// The probe that follows typed pointers.
    Pointers,
    /// The probe that compares the tree of allocations with what the kernel and the dynamic linker say.
    Tree,
    /// The counting library.
    Count,
    /// The library that notes the peak of resident memory.
    Peak,
    /// Callgrind, which counts instructions.
    Instructions,
}

/// What the watcher saw.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Seen {
    /// There was no watcher.
    #[default]
    Nothing,
    /// The census and the sampled interior pointers, a line each.
    Census(Census, Vec<String>),
    /// What the probe says of the pointers.
    Pointers(String),
    /// Addresses that were asked about, and disagreements; what the probe said of these is on standard error.
    Tree(u64, u64),
    /// Allocations and bytes.
    Count(u64, u64),
    /// Peak of resident memory, in KiB.
    Peak(u64),
    /// Instructions executed.
    Instructions(u64),
}

/// The libraries that may be preloaded: the product, and ours that watch.
#[derive(Debug)]
pub struct Preloads {
    library: PathBuf,
    probe: PathBuf,
    pointers: PathBuf,
    tree: PathBuf,
    count: PathBuf,
    peak: PathBuf,
}

impl Preloads {
    /// Builds ours with the host's compiler, or finds them built before.
    pub fn ready(stage: &Stage) -> Result<Self> {
        let cc = tools::find("cc")?;
        let shared = |source| compile(&cc, stage, source, &["-O1", "-shared", "-fPIC"]);
        Ok(Self {
            library: stage.library(),
            probe: shared("probe/probe.c")?,
            pointers: shared("probe/pointers.c")?,
            tree: shared("probe/tree.c")?,
            count: shared("probe/count.c")?,
            peak: shared("probe/peak.c")?,
        })
    }
}

/// Compiles one file of ours.
pub fn compile(driver: &Path, stage: &Stage, source: &str, flags: &[&str]) -> Result<PathBuf> {
    let path = places::corpus().join(source);
    let mut key = Key::new("ours", 2).with(cache::sha256_of(&path)?).with(flags.join(" "));
    key = key.with(cache::sha256_of(driver)?);
    let headers = fs::read_dir(stage.include()).context("the staged prefix has no headers")?;
    let mut headers = headers.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    headers.sort();
    for header in headers {
        key = key.with(cache::sha256_of(&header)?);
    }
    let name = path.file_stem().context("a source has a name")?.to_string_lossy().into_owned();
    let entry = places::kept().join("build").join(format!("{name}-{}", key.digits()));
    let dir = cache::directory(&entry, |dir| {
        let mut cc = Command::new(driver);
        cc.args(["-Wall", "-Wextra"]).args(flags).arg("-I").arg(stage.include());
        child::must(cc.arg(&path).arg("-o").arg(dir.join(&name)).arg("-ldl")).map(drop)
    })?;
    Ok(dir.join(name))
}

impl Watch {
    /// A command that runs `program` under the watcher, with a small environment that is the same everywhere.
    pub fn command(
        self,
        program: &Path,
        library: bool,
        preloads: &Preloads,
        scratch: &Path,
    ) -> Result<Command> {
        // What is there can only be from an earlier run.
        let _ = fs::remove_file(scratch.join("seen"));
        let mut command = match self {
            Self::Instructions => {
                let mut valgrind = Command::new(tools::find("valgrind")?);
                let out = format!("--callgrind-out-file={}", scratch.join("seen").display());
                valgrind.args(["-q", "--tool=callgrind", &out, "--"]).arg(program);
                valgrind
            }
            _ => Command::new(program),
        };
        command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("HOME", "/"), ("LC_ALL", "C"), ("TZ", "UTC")]);
        let ours = match self {
            Self::Nothing | Self::Instructions => None,
            Self::Census => Some(&preloads.probe),
            Self::Pointers => Some(&preloads.pointers),
            Self::Tree => Some(&preloads.tree),
            Self::Count => Some(&preloads.count),
            Self::Peak => Some(&preloads.peak),
        };
        let list: Vec<&PathBuf> = library.then_some(&preloads.library).into_iter().chain(ours).collect();
        if !list.is_empty() {
            command.env("LD_PRELOAD", preload_list(&list, scratch)?);
        }
        if ours.is_some() {
            command.env("ALLOCS_WATCH", scratch.join("seen"));
        }
        // Programs keep their environment in heap blocks, so a census and a count have the same variables.
        if matches!(self, Self::Census | Self::Count | Self::Pointers | Self::Tree) {
            // The probes' queries make the library print its summary, which is not the program's output.
            command.env("LIBALLOCS_ERR", scratch.join("log"));
        }
        if matches!(self, Self::Census | Self::Count) {
            command.env("LIBALLOCS_CENSUS", scratch.join("census"));
        }
        Ok(command)
    }

    /// What the watcher of a finished command saw.
    pub fn seen(self, scratch: &Path) -> Result<Seen> {
        if self == Self::Nothing {
            return Ok(Seen::Nothing);
        }
        let text = fs::read_to_string(scratch.join("seen")).context("the watcher wrote nothing")?;
        let numbers =
            || -> Result<Vec<u64>> { Ok(text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?) };
        Ok(match self {
            Self::Nothing => Seen::Nothing,
            Self::Census => {
                let census =
                    fs::read_to_string(scratch.join("census")).context("the library wrote no census")?;
                Seen::Census(Census::parse(&census)?, text.lines().map(str::to_owned).collect())
            }
            Self::Pointers => Seen::Pointers(text),
            Self::Tree => match numbers()?[..] {
                [addresses, disagreements] => Seen::Tree(addresses, disagreements),
                _ => anyhow::bail!("not two counts: {text}"),
            },
            Self::Count => match numbers()?[..] {
                [allocations, bytes] => Seen::Count(allocations, bytes),
                _ => anyhow::bail!("not a count: {text}"),
            },
            Self::Peak => Seen::Peak(*numbers()?.first().context("no peak")?),
            Self::Instructions => {
                let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
                Seen::Instructions(total.context("callgrind wrote no total")?.trim().parse()?)
            }
        })
    }
}

/// The most libraries that a program is preloaded with.
const LIBRARIES: usize = 2;

/// The value of `LD_PRELOAD`: links in the scratch directory, so that it has the same length wherever the libraries are, and
/// however many they are.
fn preload_list(libraries: &[&PathBuf], scratch: &Path) -> Result<OsString> {
    let link = |number: usize| scratch.join(format!("{number}.so"));
    for (number, library) in libraries.iter().enumerate() {
        let _ = fs::remove_file(link(number));
        symlink(library, link(number)).context("cannot link a library into the scratch directory")?;
    }
    let links: Vec<OsString> = (0..libraries.len()).map(|number| link(number).into()).collect();
    let mut list = links.join(":".as_ref());
    // The dynamic linker passes over an empty name.
    let missing = (LIBRARIES - libraries.len()) * (link(0).as_os_str().len() + 1);
    list.push(":".repeat(missing));
    Ok(list)
}

impl Seen {
    /// The census, where one was taken.
    pub fn census(&self) -> Option<&Census> {
        match self {
            Self::Census(census, _) => Some(census),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_libraries_has_one_length() {
        let scratch = tempfile::tempdir().unwrap();
        let [short, long] = ["/a.so", "/a/longer/path/b.so"].map(PathBuf::from);
        let length = |libraries: &[&PathBuf]| preload_list(libraries, scratch.path()).unwrap().len();
        assert_eq!(length(&[&short]), length(&[&long, &short]));
        assert_eq!(fs::read_link(scratch.path().join("0.so")).unwrap(), long);
    }
}
