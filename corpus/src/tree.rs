//! Builds a program by its package's own scripts, in a copy of the unpacked packages.
//!
//! All compilers build at the same path, one after another, so that nothing depends on where. What `configure` finds out is
//! kept, so that both builds are of the same configuration.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::build::{Figures, callers_of_alloca};
use crate::cache::{self, Key};
use crate::lines::{self, Place};
use crate::manifest::{Manifest, Program, Tree};
use crate::{child, fetch, places, tools};

/// One build by a compiler.
pub struct Build<'a> {
    /// The manifest that has the packages.
    pub manifest: &'a Manifest,
    /// The program.
    pub program: &'a Program,
    /// Its recipe.
    pub tree: &'a Tree,
    /// The C compiler, which configures.
    pub cc: &'a Path,
    /// What stands in for it when the program is made: itself, or `allocscc`.
    pub driver: &'a Path,
    /// All flags of the compiler.
    pub flags: Vec<String>,
    /// The extension of the files that are kept of those that the compiler makes: `o`, or `i` with `-save-temps`.
    pub kept: &'static str,
}

/// What decides the result beside the packages, the recipe and the compiler: our own files that the recipe compiles.
pub fn key(tree: &Tree) -> Result<Key> {
    let mut key = Key::new("tree", 1);
    if tree.make.iter().any(|command| command.contains("$MAINS")) {
        let mut files = files(&mains())?;
        files.sort();
        for file in files {
            key = key.with(cache::sha256_of(&file)?);
        }
    }
    Ok(key)
}

/// Where the packages of a program are compiled, and where they are unpacked.
pub fn places(manifest: &Manifest, program: &Program, tree: &Tree) -> Result<Vec<Place>> {
    let place = |name: &String| {
        Ok((compiled(program).join(name), fetch::sources(manifest, manifest.package(name)?)?))
    };
    tree.packages.iter().map(place).collect()
}

/// The name in the manifest's terms of a file that is compiled.
pub fn name_of(program: &Program, path: &Path) -> Option<String> {
    Some(lines::normal(path).strip_prefix(compiled(program)).ok()?.to_str()?.to_owned())
}

/// The object files of a finished build, or what it has kept in place of them.
pub fn objects(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let kept = dir.join(OBJECTS);
    let mut objects = files(&kept)?;
    objects.sort();
    let named = |path: PathBuf| Ok((path.strip_prefix(&kept)?.display().to_string(), path));
    objects.into_iter().map(named).collect()
}

/// What the preprocessor makes of every source that the recipe compiles. It is gcc that builds: another one does not say in
/// which directory it ran, from which the names of files are relative.
///
/// The directory has the executable, too, with debug information: not all that a recipe compiles is part of it.
pub fn preprocessed(manifest: &Manifest, program: &Program, tree: &Tree) -> Result<PathBuf> {
    let cc = tools::find("cc")?;
    let mut flags = program.build.cflags.clone();
    flags.extend(["-g", "-save-temps=obj"].map(str::to_owned));
    let build = Build { manifest, program, tree, cc: &cc, driver: &cc, flags, kept: "i" };
    let key = build.key("preprocessed")?.with(tree.make.join("\n")).with(key(tree)?.digits());
    let entry = places::kept().join("preprocessed").join(format!("{}-{}", program.name, key.digits()));
    cache::directory(&entry, |dir| build.run(dir).map(drop))
        .with_context(|| format!("building {} with cc", program.name))
}

/// The directory of the object files in that of a build.
const OBJECTS: &str = "objects";

fn compiled(program: &Program) -> PathBuf {
    places::kept().join("tree").join(&program.name)
}

fn mains() -> PathBuf {
    places::corpus().join("mains")
}

impl Build<'_> {
    /// Builds, and keeps the executable and the object files in `out`.
    pub fn run(&self, out: &Path) -> Result<Figures> {
        let place = compiled(self.program);
        fs::create_dir_all(&place)?;
        let lock = File::create(place.with_extension("lock"))?;
        lock.lock().context("cannot lock the build directory")?;
        let configured = self.configured(&place)?;
        replace(&configured, &place)?;
        let mut figures = Figures::default();
        for command in &self.tree.make {
            let (messages, cpu) = self.sh(command, &place, self.driver, &self.flags)?;
            figures.cpu += cpu;
            let callers = callers_of_alloca(&messages).map(|(function, file)| format!("{function} ({file})"));
            figures.alloca.extend(callers);
        }
        for object in files(&place)? {
            let inside = object.strip_prefix(&place)?;
            let is_made = object.extension().is_some_and(|extension| extension == self.kept);
            if is_made && !configured.join(inside).exists() {
                let kept = out.join(OBJECTS).join(inside);
                fs::create_dir_all(kept.parent().unwrap_or(out))?;
                fs::copy(&object, kept)?;
            }
        }
        let executable = place.join(&self.tree.executable);
        fs::copy(&executable, out.join(&self.program.name))
            .with_context(|| format!("the build has made no {}", self.tree.executable))?;
        fs::remove_dir_all(&place)?;
        Ok(figures)
    }

    /// What decides the tree after `configure`, and with it all that is made from it.
    fn key(&self, kind: &str) -> Result<Key> {
        let version = Command::new(self.cc).arg("--version").output()?.stdout;
        let mut key =
            Key::new(kind, 1).with(version).with(compiled(self.program).to_string_lossy().as_bytes());
        key = key.with(self.tree.configure.join("\n")).with(self.program.build.cflags.join("\n"));
        for name in &self.tree.packages {
            key = key.with(&self.manifest.package(name)?.sha256);
        }
        Ok(key)
    }

    /// The tree after `configure`.
    fn configured(&self, place: &Path) -> Result<PathBuf> {
        let key = self.key("configured")?.digits();
        let entry = places::kept().join("configured").join(format!("{}-{key}", self.program.name));
        cache::directory(&entry, |dir| {
            fs::remove_dir_all(place)?;
            fs::create_dir_all(place)?;
            for (compiled, unpacked) in places(self.manifest, self.program, self.tree)? {
                replace(&unpacked, &compiled)?;
            }
            for command in &self.tree.configure {
                self.sh(command, place, self.cc, &self.program.build.cflags)?;
            }
            replace(place, dir)
        })
    }

    /// Runs one line of the recipe; what it said on standard error, and its CPU time.
    fn sh(&self, line: &str, place: &Path, cc: &Path, flags: &[String]) -> Result<(String, Duration)> {
        for tool in ["sh", "make"] {
            tools::find(tool)?;
        }
        let mut sh = Command::new("sh");
        sh.args(["-e", "-c", line]).current_dir(place);
        // What a make of which we are a part, or the user, has set for other builds.
        for variable in ["MAKEFLAGS", "MAKELEVEL", "CPPFLAGS", "LDFLAGS", "LIBS", "CDPATH"] {
            sh.env_remove(variable);
        }
        sh.env("ALLOCSCC_CC", self.cc).env("CC", cc).env("CFLAGS", flags.join(" ")).env("MAINS", mains());
        sh.env("JOBS", thread::available_parallelism().map_or(1, usize::from).to_string());
        sh.envs([("LC_ALL", "C"), ("TZ", "UTC"), ("SOURCE_DATE_EPOCH", "0")]);
        child::must(&mut sh).with_context(|| format!("in {line}"))
    }
}

/// Makes `to` a copy of the directory `from`, with the times of all files, which `make` goes by.
fn replace(from: &Path, to: &Path) -> Result<()> {
    if to.is_dir() {
        fs::remove_dir_all(to)?;
    }
    let mut cp = Command::new(tools::find("cp")?);
    child::must(cp.arg("-a").arg(from).arg(to)).map(drop)
}

/// All files below a directory.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => dirs.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::calls;
    use crate::manifest;
    use crate::objects::same_code;

    fn program(name: &str, make: &[&str]) -> Program {
        let tree = Tree {
            packages: Vec::new(),
            configure: vec![
                "mkdir src; echo '#include <alloca.h>' >src/a.c".into(),
                "echo 'char *f(int n) { return alloca(n), __FILE__; } int main(void) { return !f(3); }' >>src/a.c".into(),
            ],
            make: make.iter().map(|line| (*line).to_owned()).collect(),
            executable: "src/a".into(),
        };
        Program {
            name: name.to_owned(),
            about: String::new(),
            tier: 2,
            tools: Vec::new(),
            build: manifest::Build {
                sources: Vec::new(),
                exclude: Vec::new(),
                include: Vec::new(),
                cflags: vec!["-O1".into()],
                ldflags: Vec::new(),
                tree: Some(tree),
            },
            input: Vec::new(),
            run: Vec::new(),
        }
    }

    fn build(program: &Program, flags: &[&str], kept: &'static str, out: &Path) -> Result<Figures> {
        let manifest = Manifest { package: Vec::new(), program: Vec::new() };
        let cc = tools::find("cc").unwrap();
        let tree = program.build.tree.as_ref().unwrap();
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Build { manifest: &manifest, program, tree, cc: &cc, driver: &cc, flags, kept }.run(out)
    }

    #[test]
    fn two_builds_leave_the_same_objects_behind() {
        let program = program("tree-test", &["cd src && $CC $CFLAGS -c \"$PWD/a.c\" && $CC -o a a.o"]);
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let figures = build(&program, &["-O1", "-Walloca"], "o", first.path()).unwrap();
        assert_eq!(figures.alloca.len(), 1, "{:?}", figures.alloca);
        build(&program, &["-O1", "-g"], "o", second.path()).unwrap();
        assert!(first.path().join("tree-test").is_file());
        let [first, second] = [&first, &second].map(|dir| objects(dir.path()).unwrap());
        assert_eq!(first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["src/a.o"]);
        same_code(&first[0].1, &second[0].1).unwrap();
    }

    #[test]
    fn what_the_preprocessor_makes_says_where_its_files_are() {
        let program =
            program("tree-test-preprocesses", &["cd src && $CC $CFLAGS -c ../src/a.c && $CC -o a a.o"]);
        let out = tempfile::tempdir().unwrap();
        build(&program, &["-g", "-save-temps=obj"], "i", out.path()).unwrap();
        let kept = objects(out.path()).unwrap();
        assert_eq!(kept.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["src/a.i"]);
        let text = fs::read_to_string(&kept[0].1).unwrap();
        let (main, dir) = calls::main_file(&text).unwrap();
        assert_eq!((main, name_of(&program, &dir.join(main)).as_deref()), ("../src/a.c", Some("src/a.c")));
    }

    #[test]
    fn a_recipe_that_fails_is_named() {
        let out = tempfile::tempdir().unwrap();
        let error = build(&program("tree-test-fails", &["true", "cd src && exit 3"]), &[], "o", out.path())
            .unwrap_err();
        assert!(format!("{error:#}").starts_with("in cd src && exit 3: exit 3"), "{error:#}");
        let error = build(&program("tree-test-lacks", &["true"]), &[], "o", out.path()).unwrap_err();
        assert!(format!("{error:#}").starts_with("the build has made no src/a"), "{error:#}");
    }
}
