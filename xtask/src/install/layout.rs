//! What an installation holds: each file's place below the prefix and its contents.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use duct::cmd;

use crate::cargo;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The list of what was installed, below the prefix.
pub(super) const MANIFEST: &str = "share/liballocs/installed-files";

/// Where things come from and where they go below the prefix.
pub(crate) struct Layout {
    /// The directory with the built `allocscc`, `allocs` and `liballocs_preload.so`.
    pub(crate) built: PathBuf,
    /// The directory of libraries: `lib`, on Debian `lib/x86_64-linux-gnu`.
    pub(crate) libdir: PathBuf,
    /// The directory of zsh's completions, which Debian's packages have in `share/zsh/vendor-completions`.
    pub(crate) zshdir: PathBuf,
    /// The prefix, if compilers search it by themselves. Anywhere else files find it from their own place.
    pub(crate) system_prefix: Option<PathBuf>,
}

/// One file of an installation.
pub(super) struct File {
    /// Below the prefix.
    pub(super) path: PathBuf,
    pub(super) contents: Contents,
}

pub(super) enum Contents {
    Plain(Vec<u8>),
    Program(Vec<u8>),
    /// A symbolic link to this path.
    Link(PathBuf),
}

impl Layout {
    /// The usual places.
    pub(crate) fn new(built: PathBuf) -> Self {
        let zshdir = "share/zsh/site-functions".into();
        Self { built, libdir: "lib".into(), zshdir, system_prefix: None }
    }

    /// For this prefix.
    pub(crate) fn at(self, prefix: &Path) -> Self {
        let prefix: PathBuf = prefix.components().collect();
        // pkg-config leaves out such a directory only if it is spelled as the compiler spells it.
        let is_searched = ["/usr", "/usr/local"].iter().any(|system| prefix == Path::new(system));
        Self { system_prefix: is_searched.then_some(prefix), ..self }
    }

    /// All files of an installation.
    pub(super) fn files(&self) -> Result<Vec<File>> {
        Ok([self.programs()?, self.libraries()?, headers()?, self.completions()?, manuals()?, documents()?]
            .into_iter()
            .flatten()
            .collect())
    }

    fn programs(&self) -> Result<Vec<File>> {
        let mut programs = vec![File::program("bin/allocscc", read(&self.built.join("allocscc"))?)];
        // The same driver, which sees by its name that it stands in for c++.
        programs.push(File { path: "bin/allocscc++".into(), contents: Contents::Link("allocscc".into()) });
        programs.push(File::program("bin/allocs", read(&self.built.join("allocs"))?));
        for name in listed(&template("bin")?)? {
            programs.push(File::program(Path::new("bin").join(&name), self.filled(&format!("bin/{name}"))?));
        }
        Ok(programs)
    }

    /// The run-time library, and what builds need to link with it.
    fn libraries(&self) -> Result<Vec<File>> {
        let library = read(&self.built.join("liballocs_preload.so"))?;
        let mut files = vec![
            File::plain(self.libdir.join("liballocs_preload.so"), library),
            File::plain(self.libdir.join("liballocs.a"), archive()?),
        ];
        for (name, place) in [
            ("liballocs.so", ""),
            ("liballocs.pc", "pkgconfig"),
            ("liballocsConfig.cmake", "cmake/liballocs"),
            ("liballocsConfigVersion.cmake", "cmake/liballocs"),
        ] {
            let contents = self.filled(&format!("lib/{name}"))?;
            files.push(File::plain(self.libdir.join(place).join(name), contents));
        }
        Ok(files)
    }

    fn completions(&self) -> Result<Vec<File>> {
        // bash and fish look for a file of a command's own name.
        let places: [(_, _, _, &[&str]); 3] = [
            (
                "bash",
                PathBuf::from("share/bash-completion/completions"),
                "allocs",
                &["allocscc", "allocscc++"],
            ),
            ("zsh", self.zshdir.clone(), "_allocs", &["_allocscc"]),
            (
                "fish",
                "share/fish/vendor_completions.d".into(),
                "allocs.fish",
                &["allocscc.fish", "allocscc++.fish"],
            ),
        ];
        let mut files = Vec::new();
        for (shell, place, allocs, drivers) in places {
            let made = cmd(self.built.join("allocs"), ["completions", shell]).stdout_capture().run();
            let made = made.with_context(|| format!("no completions for {shell}"))?;
            files.push(File::plain(place.join(allocs), made.stdout));
            let written = read(&template("completions")?.join(format!("allocscc.{shell}")))?;
            files.extend(drivers.iter().map(|driver| File::plain(place.join(driver), written.clone())));
        }
        Ok(files)
    }

    /// A file of ours with what depends on the layout filled in.
    fn filled(&self, name: &str) -> Result<Vec<u8>> {
        let text = String::from_utf8(read(&template(name)?)?)?;
        let up = vec![".."; self.libdir.components().count()].join("/");
        let prefix = match &self.system_prefix {
            Some(prefix) => prefix.to_string_lossy().into_owned(),
            None => format!("${{pcfiledir}}/{up}/.."),
        };
        let values = [("@LIBDIR@", &*self.libdir.to_string_lossy()), ("@UP@", &up), ("@PREFIX@", &prefix)];
        let text = values.iter().fold(text, |text, (name, value)| text.replace(name, value));
        Ok(text.replace("@VERSION@", VERSION).into_bytes())
    }
}

impl File {
    pub(super) fn plain(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), contents: Contents::Plain(bytes) }
    }

    fn program(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), contents: Contents::Program(bytes) }
    }
}

/// The list of the files.
pub(super) fn manifest(files: &[File]) -> File {
    let lines = files.iter().map(|file| format!("{}\n", file.path.display()));
    File::plain(MANIFEST, lines.collect::<String>().into_bytes())
}

/// The headers, and once more in a directory of their own, which allocscc names to the compiler: `include` may hold
/// those of others.
fn headers() -> Result<Vec<File>> {
    let from = cargo::root()?.join("runtime/include");
    let mut files = Vec::new();
    for name in listed(&from)? {
        let link = Contents::Link(Path::new("../../../include").join(&name));
        files.push(File::plain(Path::new("include").join(&name), read(&from.join(&name))?));
        files.push(File { path: Path::new("share/liballocs/include").join(&name), contents: link });
    }
    Ok(files)
}

/// `NAME.N` goes to `man/manN`.
fn manuals() -> Result<Vec<File>> {
    let from = template("man")?;
    let mut files = Vec::new();
    for name in listed(&from)? {
        let (_, section) = name.rsplit_once('.').context("a manual page is NAME.SECTION")?;
        let text = String::from_utf8(read(&from.join(&name))?)?.replace("@VERSION@", VERSION);
        files.push(File::plain(format!("share/man/man{section}/{name}"), text.into_bytes()));
    }
    Ok(files)
}

fn documents() -> Result<Vec<File>> {
    let root = cargo::root()?;
    let to = Path::new("share/doc/liballocs");
    let mut files = Vec::new();
    for name in listed(&root)? {
        if ["README", "ARCHITECTURE", "CHANGELOG", "LICENSE"].iter().any(|start| name.starts_with(start)) {
            files.push(File::plain(to.join(&name), read(&root.join(&name))?));
        }
    }
    let guide = read(&root.join("docs/writing-tools.md"))?;
    // The examples that it links to are installed beside it.
    let guide = String::from_utf8(guide)?.replace("../corpus/programs/examples/", "examples/");
    files.push(File::plain(to.join("writing-tools.md"), guide.into_bytes()));
    let examples = root.join("corpus/programs/examples");
    for name in listed(&examples)? {
        files.push(File::plain(to.join("examples").join(&name), read(&examples.join(&name))?));
    }
    Ok(files)
}

/// The archive with the functions and the types of the headers, for what is linked with `-lallocs`.
fn archive() -> Result<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let objects = [
        ("lib/liballocs.s", "functions.o"),
        ("lib/variadic.c", "variadic.o"),
        ("lib/uniqtypes.s", "uniqtypes.o"),
    ];
    for (source, object) in objects {
        let source = template(source)?;
        let compile = cmd!("cc", "-c", "-O2", "-fPIC", &source, "-o", object).dir(dir.path()).run();
        compile.with_context(|| format!("cannot compile {}", source.display()))?;
    }
    let archive =
        cmd!("ar", "Drcs", "liballocs.a", "functions.o", "variadic.o", "uniqtypes.o").dir(dir.path()).run();
    archive.context("cannot archive")?;
    read(&dir.path().join("liballocs.a"))
}

/// A file that we install as it is written, or filled in.
fn template(name: &str) -> Result<PathBuf> {
    Ok(cargo::root()?.join("dist").join(name))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The names in a directory, sorted.
fn listed(dir: &Path) -> Result<Vec<String>> {
    let names = fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))?;
    let mut names = names
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_find_the_prefix_from_their_own_place_but_below_usr() {
        let check = |prefix: &str, libdir: &str, expect: [&str; 2]| {
            let layout =
                Layout { libdir: libdir.into(), ..Layout::new("built".into()).at(Path::new(prefix)) };
            let text = String::from_utf8(layout.filled("lib/liballocs.pc").unwrap()).unwrap();
            assert_eq!(text.lines().take(2).collect::<Vec<_>>(), expect, "{prefix} {libdir}");
            assert!(text.contains(VERSION) && !text.contains('@'), "{text}");
        };
        check("/opt/x", "lib", ["prefix=${pcfiledir}/../..", "libdir=${prefix}/lib"]);
        check("/opt/x", "lib/a-b", ["prefix=${pcfiledir}/../../..", "libdir=${prefix}/lib/a-b"]);
        check("/usr", "lib/a-b", ["prefix=/usr", "libdir=${prefix}/lib/a-b"]);
        check("/usr/local/", "lib", ["prefix=/usr/local", "libdir=${prefix}/lib"]);
    }
}
