//! The cells of the matrix: a compiler and how it optimises.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::Variant;
use crate::tools;

/// The compilers, by the names that Debian gives them.
const COMPILERS: [&str; 3] = ["gcc-12", "clang-14", "clang-19"];

/// How each of them optimises: the name of the cell's column, and the flags.
const OPTIMISATIONS: [(&str, &[&str]); 6] = [
    ("-O0", &["-O0"]),
    ("-O1", &["-O1"]),
    ("-O2", &["-O2"]),
    ("-O3", &["-O3"]),
    ("-Os", &["-Os"]),
    ("-flto", &["-O2", "-flto"]),
];

/// One compiler with one optimisation.
#[derive(Debug, Clone)]
pub struct Cell {
    /// `gcc-12 -O2`.
    pub name: String,
    /// How programs are built in it.
    pub variant: Variant,
    /// The objects hold no code: the link optimises.
    pub is_lto: bool,
    /// What the host does not have that it takes.
    pub missing: Option<String>,
}

impl Cell {
    /// All cells; the first one that is [`Cell::is_baseline`] is what the others are compared with.
    pub fn all() -> Vec<Self> {
        let of =
            |cc: &'static str| OPTIMISATIONS.iter().map(move |&(name, flags)| Self::new(cc, name, flags));
        COMPILERS.into_iter().flat_map(of).collect()
    }

    fn new(cc: &str, optimisation: &str, flags: &[&str]) -> Self {
        let mut flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let is_lto = optimisation == "-flto";
        let mut missing = tools::find(cc).err().map(|error| error.to_string());
        if is_lto && missing.is_none() {
            match lto_linker(cc) {
                Ok(flag) => flags.extend(flag.map(str::to_owned)),
                Err(what) => missing = Some(what),
            }
        }
        let variant = Variant { cc: cc.to_owned(), flags };
        Self { name: format!("{cc} {optimisation}"), variant, is_lto, missing }
    }

    /// Whether the others are compared with it.
    pub fn is_baseline(&self) -> bool {
        self.name == "gcc-12 -O2"
    }
}

/// The flag by which a compiler links with its own link-time optimiser, if it takes one; or what is missing.
fn lto_linker(cc: &str) -> Result<Option<&'static str>, String> {
    let Some(version) = cc.strip_prefix("clang-") else { return Ok(None) };
    let asked = |question: &str| Command::new(cc).arg(question).output().ok();
    // The plug-in is looked for beside the compiler's own libraries.
    let resources = asked("-print-resource-dir").and_then(|output| String::from_utf8(output.stdout).ok());
    let plugin = resources.as_deref().and_then(|dir| plugin_beside(Path::new(dir.trim())));
    if plugin.is_some_and(|plugin| plugin.is_file()) {
        Ok(None)
    } else if tools::find(&format!("ld.lld-{version}")).is_ok() {
        Ok(Some("-fuse-ld=lld"))
    } else {
        Err(format!(
            "{cc} has neither LLVMgold.so nor ld.lld-{version} to link with: install the Debian package lld-{version}"
        ))
    }
}

/// `/usr/lib/llvm-14/lib/LLVMgold.so` of `/usr/lib/llvm-14/lib/clang/14.0.6`.
fn plugin_beside(resources: &Path) -> Option<PathBuf> {
    Some(resources.parent()?.parent()?.join("LLVMgold.so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_compiler_has_every_optimisation_and_one_cell_is_the_baseline() {
        let cells = Cell::all();
        assert_eq!(cells.len(), COMPILERS.len() * OPTIMISATIONS.len());
        assert_eq!(cells.iter().filter(|cell| cell.is_baseline()).count(), 1);
        assert_eq!(cells[0].variant.flags, ["-O0"]);
    }

    #[test]
    fn the_plug_in_lies_beside_the_compilers_resources() {
        let beside = plugin_beside(Path::new("/usr/lib/llvm-14/lib/clang/14.0.6"));
        assert_eq!(beside.unwrap(), Path::new("/usr/lib/llvm-14/lib/LLVMgold.so"));
    }

    #[test]
    fn a_compiler_that_is_not_there_is_named() {
        let cell = Cell::new("gcc-none", "-O0", &["-O0"]);
        assert_eq!(cell.missing.unwrap(), "gcc-none is missing");
    }
}
