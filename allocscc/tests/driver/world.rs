//! A directory with source files, and commands run in it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The driver under test: the product, or this program with its own analyses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Driver {
    /// The host compiler alone.
    Plain,
    /// `allocscc`.
    Product,
    /// This program; see [`crate::hooks`].
    WithHooks,
}

/// Whether the search path has this program.
pub(crate) fn is_installed(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|directory| directory.join(program).is_file())
}

/// A program of this package. Its path is read at run time, so that a test archive works at another path.
pub(crate) fn product(name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_allocscc")).with_file_name(name);
    std::env::var_os(format!("CARGO_BIN_EXE_{name}")).map_or(built, PathBuf::from)
}

/// A fresh directory, removed at the end.
pub(crate) struct World {
    root: tempfile::TempDir,
    compiler: String,
}

/// Contents of all files below the directory, by relative name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl World {
    /// A directory that holds `files`, for commands that drive `compiler`.
    pub(crate) fn new(compiler: &str, files: &[(&str, &str)]) -> World {
        let world = World { root: tempfile::tempdir().unwrap(), compiler: compiler.into() };
        world.fill(files);
        world
    }

    /// Removes everything and starts again with `files`.
    pub(crate) fn fill(&self, files: &[(&str, &str)]) {
        let directory = self.path("");
        if directory.exists() {
            fs::remove_dir_all(&directory).unwrap();
        }
        for (name, text) in files {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// A file of the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("work").join(name)
    }

    /// A command that runs in the directory, with a temporary directory of its own.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let temporary = self.root.path().join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let mut command = Command::new(program);
        command.current_dir(self.path("")).env("TMPDIR", temporary).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// The command that starts `driver`.
    pub(crate) fn driver(&self, driver: Driver) -> Command {
        match driver {
            Driver::Plain => {
                let mut words = self.compiler.split_whitespace();
                let mut command = self.command(words.next().unwrap());
                command.args(words);
                command
            }
            Driver::Product => self.driving(&product("allocscc")),
            Driver::WithHooks => {
                let mut command = self.driving(&std::env::current_exe().unwrap());
                command.env(crate::AS_DRIVER, "1");
                command
            }
        }
    }

    fn driving(&self, program: &Path) -> Command {
        let mut command = self.command(program);
        command.env("ALLOCSCC_CC", &self.compiler);
        command
    }

    /// Runs a command line of the driver.
    pub(crate) fn run(&self, driver: Driver, line: &str) -> Output {
        self.driver(driver).args(line.split_whitespace()).output().unwrap()
    }

    /// Runs a command line of the driver that must succeed without a word.
    pub(crate) fn must(&self, driver: Driver, line: &str) {
        let output = self.run(driver, line);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{line}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs a shell script that must succeed; returns its output.
    pub(crate) fn shell(&self, script: &str) -> String {
        let output = self.command("sh").args(["-ec", script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// All files, and those that were left in the temporary directory.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        collect(&self.path(""), "", &mut files);
        collect(&self.root.path().join("tmp"), "TMPDIR/", &mut files);
        files
    }
}

fn collect(directory: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}
