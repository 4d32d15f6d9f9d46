//! `allocs sites` of programs that `allocscc` built, stripped: what it lists, and what it explains.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program of this package. Its path is read at run time, so that a test archive works at another path.
fn product(name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_allocscc")).with_file_name(name);
    std::env::var_os(format!("CARGO_BIN_EXE_{name}")).map_or(built, PathBuf::from)
}

fn run(directory: &Path, program: impl AsRef<std::ffi::OsStr>, words: &str) -> Output {
    let words = words.split_whitespace();
    Command::new(program).args(words).current_dir(directory).env("LC_ALL", "C").output().unwrap()
}

fn succeed(directory: &Path, program: impl AsRef<std::ffi::OsStr>, words: &str) -> String {
    let output = run(directory, program, words);
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const MAIN: &str = r"#include <stdlib.h>
#include <string.h>
struct point { int x, y; };
void *foreign(size_t n), *without_lines(size_t n), *nested(size_t n);
void *volatile sink; void (*volatile take)(void *);
volatile size_t size;
__attribute__((noinline)) static void *get(size_t n)
{
  void *p = malloc(n);
  if (!p) abort();
  return p;
}
int main(void)
{
  size_t bytes = 3 * sizeof(struct point);
  struct point *p = get(bytes);
  sink = p;
  sink = strdup((char *)sink);
  take(malloc(size));
  sink = foreign(size);
  sink = without_lines(size);
  sink = nested(size);
  return 0;
}
";
const FOREIGN: &str =
    "#include <stdlib.h>\nvoid *NAME(size_t n)\n{\n  void *p = malloc(n);\n  return p ? p : 0;\n}\n";

/// A stripped program of which some parts are not what `allocscc` wants.
fn program() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("main.c", MAIN);
    write("foreign.c", &FOREIGN.replace("NAME", "foreign"));
    write("without_lines.c", &FOREIGN.replace("NAME", "without_lines"));
    let (open, close) = ("(".repeat(2000), ")".repeat(2000));
    write("nested.c", &FOREIGN.replace("NAME", "nested").replace("p ? p : 0", &format!("{open}p{close}")));
    let run = |program: &Path, words: &str| succeed(directory.path(), program, words);
    run(Path::new("gcc"), "-g -c foreign.c");
    run(Path::new("gcc"), "-c without_lines.c");
    run(&product("allocscc"), "-O1 -o program main.c nested.c foreign.o without_lines.o");
    run(Path::new("strip"), "-s program");
    directory
}

#[test]
fn sites_are_listed_by_file_and_line_with_reasons() {
    let directory = program();
    let text = succeed(directory.path(), product("allocs"), "sites program");
    let lines: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expect = [
        "? malloc ? none none the debug information does not say where this call is",
        "foreign.c:4 foreign malloc ? none none not compiled by allocscc: foreign.c",
        "main.c:9 get malloc ? none none for the caller",
        "main.c:16 main get struct point[] both certain",
        "main.c:18 main strdup char[] receiver medium buffer",
        "main.c:19 main malloc ? none none the size is no sizeof, and the result goes to void *",
        "nested.c:4 nested malloc ? none none the parser could not read this declaration: nested too deep, found `(` at nested.c:5",
    ];
    assert_eq!(lines, expect);
}

#[test]
fn a_line_is_explained() {
    let directory = program();
    let allocs = |words: &str| succeed(directory.path(), product("allocs"), words);
    let expect = "\
main.c:16 main calls get
  struct point[]: evidence both, confidence certain
  main.c:15  the size is kept in bytes
  main.c:15  the size has sizeof (struct point)
  main.c:16  the result goes to struct point * (p)
  main.c:7   get allocates for its caller: argument 1 is the size
  main.c:9   in it, malloc is called
";
    assert_eq!(allocs("sites --explain main.c:16 program"), expect);
    assert_eq!(allocs("sites program --explain some/where/main.c:16"), expect);
    let json: serde_json::Value =
        serde_json::from_str(&allocs("sites --json --explain main.c:19 program")).unwrap();
    let site = &json["sites"][0];
    assert_eq!(site["type"], serde_json::Value::Null);
    assert_eq!(site["reason"], "the size is no sizeof, and the result goes to void *");
    assert_eq!(site["confidence"], "none");
}

#[test]
fn a_line_without_sites_and_a_file_without_metadata_are_errors() {
    let directory = program();
    let check = |words: &str, expect: &str| {
        let output = run(directory.path(), product("allocs"), words);
        assert_eq!(output.status.code(), Some(127), "{words}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(expect), "{words}: {stderr}");
    };
    check("sites --explain main.c:1 program", "program: no allocation site at main.c:1");
    check("sites --explain ain.c:16 program", "program: no allocation site at ain.c:16");
    check("sites foreign.o", "no section .allocs");
    check("sites main.c", "neither an ELF file nor metadata");
}
