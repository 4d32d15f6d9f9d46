//! Whether a source may name a type: it, or a header of the project, has the word for it somewhere.
//!
//! Only then is it preprocessed before the link to see which ones, for that takes time. Headers of the system are not looked at, and in
//! ours the word stands only where they declare types for others to use.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::driver::plan::{Plan, WordKind};

/// What whoever names a type writes, whole or in front of `##`.
const WORD: &str = "__uniqtype";
const OUR_HEADERS: [&str; 10] = [
    "allocs.h",
    "liballocs.h",
    "liballocs-optional.h",
    "uniqtype.h",
    "uniqtype-defs.h",
    "uniqtype-bfs.h",
    "allocmeta.h",
    "allocmeta-defs.h",
    "pageindex.h",
    "relf.h",
];

/// Looks through sources and headers, each once.
pub(super) struct Sources {
    /// Where headers are looked for, besides beside the file that includes them.
    directories: Vec<PathBuf>,
    seen: HashSet<PathBuf>,
}

impl Sources {
    pub(super) fn new(plan: &Plan) -> Sources {
        let options: Vec<&[OsString]> = plan
            .words
            .iter()
            .filter(|word| word.kind == WordKind::Option)
            .map(|word| plan.text(word))
            .collect();
        let mut directories = Vec::new();
        for option in ["-I", "-iquote", "-isystem", "-idirafter", "--include-directory"] {
            directories.extend(options.iter().filter_map(|words| value_of(option, words)).map(PathBuf::from));
        }
        for variable in ["CPATH", "C_INCLUDE_PATH"] {
            let paths = std::env::var_os(variable).unwrap_or_default();
            directories.extend(std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()));
        }
        Sources { directories, seen: HashSet::new() }
    }

    /// Whether one of the files that options include into every source may name a type, or is not to be found.
    pub(super) fn included_by_option(&mut self, plan: &Plan) -> bool {
        let options = plan.words.iter().filter(|word| word.kind == WordKind::Option);
        let files: Vec<&OsStr> = options
            .filter_map(|word| {
                let words = plan.text(word);
                ["-include", "-imacros", "--include", "--imacros"]
                    .iter()
                    .find_map(|option| value_of(option, words))
            })
            .collect();
        let defines_one = plan.words.iter().any(|word| {
            word.kind == WordKind::Option
                && plan
                    .text(word)
                    .iter()
                    .any(|text| memchr::memmem::find(text.as_bytes(), WORD.as_bytes()).is_some())
        });
        defines_one || files.into_iter().any(|file| self.resolve(Path::new(""), Path::new(file)))
    }

    /// Whether the file may name a type.
    pub(super) fn may_name_types(&mut self, path: &Path) -> bool {
        if !self.seen.insert(path.to_owned()) {
            return false;
        }
        // What cannot be read is the compiler's affair.
        std::fs::read(path)
            .is_ok_and(|text| self.text_may_name_types(&text, path.parent().unwrap_or(Path::new(""))))
    }

    /// The same for a text that stands in a directory.
    pub(super) fn text_may_name_types(&mut self, text: &[u8], directory: &Path) -> bool {
        if memchr::memmem::find(text, WORD.as_bytes()).is_some() {
            return true;
        }
        memchr::memmem::find_iter(text, "include").any(|at| {
            let line_start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
            let is_directive = matches!(text[line_start..at].trim_ascii(), b"#" | b"%:");
            is_directive && self.includes(&text[at + "include".len()..], directory)
        })
    }

    /// `rest` is what stands behind the word `include`.
    fn includes(&mut self, rest: &[u8], directory: &Path) -> bool {
        let rest = rest.strip_prefix(b"_next").unwrap_or(rest);
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii();
        let end = match line.first() {
            Some(b'"') => b'"',
            Some(b'<') => b'>',
            // A macro says which file.
            _ => return true,
        };
        let name = line[1..].split(|&byte| byte == end).next().unwrap_or_default();
        self.resolve(directory, Path::new(OsStr::from_bytes(name)))
    }

    fn resolve(&mut self, directory: &Path, name: &Path) -> bool {
        if name.file_name().is_some_and(|name| OUR_HEADERS.iter().any(|ours| name == *ours)) {
            return false;
        }
        let beside = directory.join(name);
        let mut places: Vec<PathBuf> =
            self.directories.iter().map(|directory| directory.join(name)).collect();
        places.push(beside);
        places.iter().any(|place| self.may_name_types(place))
    }
}

/// The value of an option that stands in the same word or the next.
fn value_of<'w>(option: &str, words: &'w [OsString]) -> Option<&'w OsStr> {
    let rest = words.first()?.as_bytes().strip_prefix(option.as_bytes())?;
    match words.get(1) {
        Some(value) if rest.is_empty() => Some(value),
        None if !rest.is_empty() => Some(OsStr::from_bytes(rest.strip_prefix(b"=").unwrap_or(rest))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::arguments::Arguments;
    use crate::driver::compiler::Driven;

    #[test]
    fn headers_of_the_project_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        std::fs::create_dir(directory.path().join("inc")).unwrap();
        write("inc/names.h", "#define TYPE(t) __uniqtype__ ## t\n");
        write("inc/far.h", " # include \"names.h\"\n");
        write("allocs.h", "extern struct uniqtype __uniqtype__int;\n");
        let check = |text: &str, options: &str, expected: bool| {
            let options = options.replace("DIR", directory.path().to_str().unwrap());
            let arguments = options.split(' ').chain(["a.c"]).map(Into::into).collect();
            let plan = Plan::new(Arguments::new(arguments), Driven::C);
            let mut sources = Sources::new(&plan);
            let found = sources.included_by_option(&plan)
                || sources.text_may_name_types(text.as_bytes(), directory.path());
            assert_eq!(found, expected, "{text} {options}");
        };
        check("int x;", "-O2", false);
        check("__uniqtype__int", "-O2", true);
        check("#include <stdio.h>\n#include \"allocs.h\"\n/* include */", "-O2", false);
        check("#include \"far.h\"", "-O2", false);
        check("#include \"far.h\"", "-IDIR/inc", true);
        check("#include <far.h>", "-isystem DIR/inc", true);
        check("#include \"inc/far.h\"", "-O2", true);
        check("#include HEADER", "-O2", true);
        check("", "-include DIR/inc/names.h", true);
        check("", "-DT=__uniqtype__int", true);
    }
}
