//! Compiles C for the tests with every compiler and DWARF version there is.
#![allow(dead_code, unreachable_pub)] // each test file uses a part of it

pub mod metadata;

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

/// A compiler with its flags.
#[derive(Clone)]
pub struct Case {
    pub compiler: &'static str,
    pub flags: Vec<String>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.compiler, self.flags.join(" "))
    }
}

/// gcc and clang, at -O0 and -O2, with DWARF 2 to 5.
pub fn matrix() -> Vec<Case> {
    let mut cases = Vec::new();
    for compiler in compilers() {
        for level in ["-O0", "-O2"] {
            for version in 2..=5 {
                cases.push(Case { compiler, flags: vec![level.into(), format!("-gdwarf-{version}")] });
            }
        }
    }
    cases
}

/// The compilers of this machine; gcc always, clang where it is installed.
pub fn compilers() -> Vec<&'static str> {
    let installed = |c: &&str| Command::new(c).arg("--version").output().is_ok_and(|o| o.status.success());
    let found: Vec<_> = ["gcc", "clang-14"].into_iter().filter(installed).collect();
    assert!(found.contains(&"gcc"), "these tests need gcc");
    found
}

/// A linked file that goes away with this value.
pub struct Linked {
    directory: tempfile::TempDir,
}

impl Linked {
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

impl Case {
    /// With more flags.
    pub fn with(mut self, flags: &[&str]) -> Case {
        self.flags.extend(flags.iter().map(|f| (*f).to_owned()));
        self
    }

    /// Compiles and links one source.
    pub fn link(&self, source: &str) -> Linked {
        self.link_all(&[("program.c", source)])
    }

    /// Compiles and links several sources, given with their names.
    pub fn link_all(&self, sources: &[(&str, &str)]) -> Linked {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in sources {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        let names = sources.iter().map(|(name, _)| name).filter(|n| n.ends_with(".c"));
        let output = Command::new(self.compiler)
            .args(&self.flags)
            .args(["-w", "-o", "program"])
            .args(names)
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{self}: {}", String::from_utf8_lossy(&output.stderr));
        Linked { directory }
    }
}
