//! Types that a program names at link time: what allocscc puts into the linked file, and what it says of a name that means nothing.

use std::path::Path;
use std::process::{Command, Output};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

const DECLARATIONS: &str = "struct uniqtype { unsigned words[4]; void *make_precise; };\n\
    extern struct uniqtype __uniqtype__int, __uniqtype__point, __uniqtype____PTR_pint;\nstruct point { int x; };\n";

fn run(compiler: &str, directory: &Path, words: &str) -> Output {
    let mut command = Command::new(compiler);
    command
        .current_dir(directory)
        .args(words.split(' '))
        .env("LC_ALL", "C")
        .env("TMPDIR", directory.join("tmp"));
    command.output().unwrap()
}

fn allocscc(directory: &Path, words: &str) -> Output {
    run(env!("CARGO_BIN_EXE_allocscc"), directory, words)
}

/// A directory with sources: one names types, one only declares them and has a name in a string, one misspells one.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, body: &str| {
        std::fs::write(directory.path().join(name), [DECLARATIONS, body].concat()).unwrap();
    };
    write(
        "names.c",
        "int main(void) { return __uniqtype__int.words[2] != 4 || __uniqtype__point.words[2] != 0; }\n",
    );
    write("declares.c", "int main(void) { return \"__uniqtype__int\"[3] == 'x'; }\n");
    write("wrong.c", "int main(void) { return __uniqtype____PTR_pint.words[0]; }\n");
    std::fs::create_dir(directory.path().join("tmp")).unwrap();
    directory
}

fn sections(file: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = std::fs::read(file).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let of_program =
        |name: &str| !name.starts_with(".allocs") && !name.starts_with(".note") && !name.contains("tab");
    let all = file.sections().filter(|section| of_program(section.name().unwrap()));
    all.map(|section| (section.name().unwrap().to_owned(), section.data().unwrap().to_vec())).collect()
}

#[test]
fn whatever_way_a_program_is_linked_it_has_its_types() {
    let directory = directory();
    let path = directory.path();
    let commands = [
        "names.c -o it",
        "-c names.c -o names.o",
        "names.o -o it",
        "-r names.o -o both.o",
        "both.o -o it",
        "-static names.o -o it",
        "-O2 -flto -c names.c -o lto.o",
        "-O2 -flto lto.o -o it",
        "-shared -fPIC names.c -o it.so",
        "-E names.c -o names.i",
        "-no-pie names.i -o it",
    ];
    for command in commands {
        let _ = std::fs::remove_file(path.join("it"));
        let output = allocscc(path, command);
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
        if command.ends_with(" it") {
            assert!(Command::new(path.join("it")).status().unwrap().success(), "{command}");
        }
    }
    assert_eq!(std::fs::read_dir(path.join("tmp")).unwrap().count(), 0, "temporary files are left");
    for file in ["it", "it.so"] {
        let bytes = std::fs::read(path.join(file)).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let exported: Vec<&str> =
            file.dynamic_symbols().filter(|s| s.is_definition()).map(|s| s.name().unwrap()).collect();
        for symbol in ["__uniqtype__int", "__uniqtype__int$$32", "__uniqtype__uint$$32", "__uniqtype__point"]
        {
            assert!(exported.contains(&symbol), "{exported:?}");
        }
    }
}

#[test]
fn a_program_that_only_declares_types_gets_none() {
    let directory = directory();
    let path = directory.path();
    assert!(run("cc", path, "-g declares.c -o expected").status.success());
    assert!(allocscc(path, "-g declares.c -o found").status.success());
    let debug = |sections: Vec<(String, Vec<u8>)>| -> Vec<_> {
        sections.into_iter().filter(|(name, _)| !name.starts_with(".debug")).collect()
    };
    assert_eq!(debug(sections(&path.join("found"))), debug(sections(&path.join("expected"))));
}

#[test]
fn a_name_that_no_type_has_is_undefined() {
    let directory = directory();
    let output = allocscc(directory.path(), "wrong.c -o it");
    let expected = "allocscc: it: undefined reference to `__uniqtype____PTR_pint': no file that is linked has debug information of such a type\n";
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(1), expected));
    assert!(!directory.path().join("it").exists());
    // What a shared library lacks another file may have.
    assert!(allocscc(directory.path(), "-shared -fPIC wrong.c -o it.so").status.success());
}
