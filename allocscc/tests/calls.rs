//! Call instructions are found however the link editor made the call.

use std::path::Path;
use std::process::Command;

use allocscc::image::branches::Branches;
use allocscc::image::calls::{self, CallInstruction};
use allocscc::image::tail_calls;
use object::read::elf::ElfFile64;

const SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
void *volatile sink;
__attribute__((noinline)) void *tail(size_t n) { return malloc(n); }
int main(int argc, char **argv)
{
    sink = malloc(10);
    sink = calloc(argc, 4);
    free(sink);
    sink = tail(3);
    sink = argc > 1 ? strdup(argv[0]) : malloc(argc);
    return 0;
}
"#;

/// Links [`SOURCE`] with `cc flags`, or `None` where the compiler is not installed.
fn calls_with(cc: &str, flags: &str) -> Option<Vec<CallInstruction<String>>> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("t.c");
    let output = dir.path().join("t");
    std::fs::write(&source, SOURCE).unwrap();
    let status = Command::new(cc).args(flags.split_whitespace()).arg("-o").args([&output, &source]).status();
    match status {
        Ok(status) => assert!(status.success(), "{cc} {flags} fails"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{cc}: {error}"),
    }
    Some(find(&output))
}

fn find(path: &Path) -> Vec<CallInstruction<String>> {
    let data = std::fs::read(path).unwrap();
    let file = ElfFile64::parse(&*data).unwrap();
    calls::to_symbols(&Branches::of(&file).unwrap(), |name| ["malloc", "calloc", "strdup"].contains(&name))
        .unwrap()
}

/// `expected`: callees in main and `tail`, sorted; a trailing `!` marks a tail call.
fn check(flags: &str, expected: &[&str]) {
    for cc in ["gcc", "clang-14"] {
        let Some(calls) = calls_with(cc, flags) else { continue };
        let mut found: Vec<String> =
            calls.iter().map(|c| format!("{}{}", c.callee, if c.is_tail { "!" } else { "" })).collect();
        found.sort();
        assert_eq!(found, expected, "{cc} {flags}");
    }
}

const PLAIN: &[&str] = &["calloc", "malloc", "malloc", "malloc", "strdup"];
const WITH_TAIL: &[&str] = &["calloc", "malloc", "malloc", "malloc!", "strdup"];

#[test]
fn through_the_linkage_table() {
    check("-O0", PLAIN);
    check("-O0 -no-pie", PLAIN);
    check("-O2", WITH_TAIL);
    check("-O2 -no-pie", WITH_TAIL);
    check("-O2 -fcf-protection=full -Wl,-z,ibtplt", WITH_TAIL);
    check("-O2 -Wl,-z,now", WITH_TAIL);
    check("-O2 -shared -fPIC", WITH_TAIL);
}

#[test]
fn through_the_offset_table() {
    check("-O2 -fno-plt", WITH_TAIL);
    check("-O2 -fno-plt -no-pie", WITH_TAIL);
}

#[test]
fn stripped_symbols_leave_the_dynamic_ones() {
    check("-O2 -s", WITH_TAIL);
}

#[test]
fn a_file_that_calls_nothing_wanted_has_no_calls() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("t.c");
    let output = dir.path().join("t");
    std::fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    assert!(Command::new("cc").arg("-o").args([&output, &source]).status().unwrap().success());
    assert_eq!(find(&output), []);
}

#[test]
fn a_tail_call_is_seen_from_its_callers() {
    const SOURCE: &str = r#"
    #include <stdlib.h>
    void *volatile sink;
    __attribute__((noipa)) static void *inner(size_t n) { return malloc(n); }
    __attribute__((noipa)) static void *outer(size_t n) { return inner(n + 1); }
    int main(int argc, char **argv) { sink = outer(argc); sink = inner(argc); sink = malloc(argc); return 0; }
    "#;
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("t.c");
    let output = dir.path().join("t");
    std::fs::write(&source, SOURCE).unwrap();
    assert!(Command::new("gcc").arg("-O2").arg("-o").args([&output, &source]).status().unwrap().success());
    let data = std::fs::read(&output).unwrap();
    let file = ElfFile64::parse(&*data).unwrap();
    let branches = Branches::of(&file).unwrap();
    let mallocs = calls::to_symbols(&branches, |name| name == "malloc").unwrap();
    let jumps: Vec<_> = mallocs.iter().filter(|c| c.is_tail).map(|c| c.return_svma).collect();
    assert_eq!((mallocs.len(), jumps.len()), (2, 1));
    let seen = tail_calls::returns_seen(&branches, &jumps).unwrap();
    assert_eq!(seen.iter().map(|(_, tails)| tails.clone()).collect::<Vec<_>>(), [jumps.clone(), jumps]);
    assert!(seen.iter().all(|(address, _)| mallocs.iter().all(|c| c.return_svma != *address)));
}
