//! The lines that the source gives for a call hold the line that each compiler gives for its instruction; the headers of
//! the C library are read whole.

mod compile;

use std::process::Command;

use allocscc::dwarf::lines::LineIndex;
use allocscc::dwarf::scopes::Scopes;
use allocscc::dwarf::units::{DebugData, Units};
use allocscc::image::branches::Branches;
use allocscc::image::calls;
use allocscc::sites::extract::{UnitInfo, facts_of_unit};
use allocscc::sites::facts::FileFacts;
use allocscc::sites::functions::DeclaredFunctions;
use allocscc::sites::imports::Imports;
use allocscc::sites::solve::solve;
use object::read::elf::ElfFile64;

/// Every way to break a call over lines that the compilers have a line of their own for. Each size is a number of its own.
const PROGRAM: &str = r#"
#include <stdlib.h>
#include <string.h>
#define TAKE(n) malloc(n)
#define SAME(x) x
#define TWICE(T) ((T *)malloc(2 * sizeof(T)))
void *volatile sink;
volatile size_t zero;
struct point { int x, y; };
__attribute__((noinline)) static void *pass(void *p) { return p; }
__attribute__((noinline)) static void plain(size_t n)
{
  sink =
    malloc
    (
      n + 1
    );
  sink = (
    void *)
    malloc(n +
      2);
  struct point *p = (struct point *)
    calloc(
      n,
      sizeof *p);
  sink = p;
  sink = (
    malloc
    )
    (n + 3);
}
__attribute__((noinline)) static void macros(size_t n)
{
  sink = TAKE(
    n + 4
    );
  sink = SAME(
    malloc(
      n + 5));
  sink = TWICE(
    struct point);
}
__attribute__((noinline)) static void nested(size_t n)
{
  sink = pass(
    malloc(n + 6)
    );
  sink = strdup(
    memset(
      malloc(n + 7),
      0, n));
  sink = pass((char *)pass(
    n ? malloc(8)
      : calloc(9,
          n)));
}
static inline __attribute__((always_inline)) void *helper(size_t n)
{
  return malloc(
    n + 10);
}
int main(void)
{
  plain(zero);
  macros(zero);
  nested(zero);
  sink = helper(
    zero);
  return 0;
}
"#;

fn preprocessed(compiler: &str, source: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("program.c"), source).unwrap();
    let output = Command::new(compiler)
        .args(["-E", "-w", "program.c"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn facts(compiler: &str, source: &str) -> FileFacts {
    let facts = facts_of_unit(&preprocessed(compiler, source), &UnitInfo::default());
    assert_eq!(facts.skipped, [], "{compiler}");
    facts
}

const FAMILY: [&str; 3] = ["malloc", "calloc", "strdup"];

#[test]
fn every_call_instruction_lies_in_the_lines_of_a_site() {
    for case in compile::matrix() {
        let mut sites =
            solve(&[facts(case.compiler, PROGRAM)], &DeclaredFunctions::default(), &Imports::default()).sites;
        // Calls of wrappers are sites too, but not ones that are looked for here.
        sites.retain(|site| site.callee.as_deref().is_some_and(|callee| FAMILY.contains(&callee)));
        let linked = case.link(PROGRAM);
        let bytes = linked.bytes();
        let data = DebugData::load(&bytes).unwrap();
        let elf = ElfFile64::parse(&*bytes).unwrap();
        let units = Units::new(&data).unwrap();
        let scopes = Scopes::read(&units);
        let lines = LineIndex::build(&units, &scopes);
        let found = calls::to_symbols(&Branches::of(&elf).unwrap(), |name| FAMILY.contains(&name)).unwrap();
        let mut met = vec![false; sites.len()];
        for call in &found {
            let frames = lines.frames_at(call.return_svma.0 - 1);
            let frame = frames.first().unwrap_or_else(|| panic!("{case}: a call without a line"));
            let matching: Vec<usize> = (0..sites.len())
                .filter(|&index| {
                    let site = &sites[index];
                    let lines = u64::from(site.first_line)..=u64::from(site.last_line);
                    site.function == *frame.function
                        && site.callee.as_ref() == Some(&call.callee)
                        && lines.contains(&u64::from(frame.line))
                })
                .collect();
            assert!(
                !matching.is_empty(),
                "{case}: {} in {} line {}",
                call.callee,
                frame.function,
                frame.line
            );
            for index in matching {
                met[index] = true;
            }
        }
        for (site, met) in sites.iter().zip(met) {
            assert!(
                met,
                "{case}: no instruction for {} in {} line {}",
                site.callee.as_deref().unwrap_or("?"),
                site.function,
                site.place.line
            );
        }
        assert_eq!(sites.len(), 13, "{case}");
    }
}

#[test]
fn headers_of_the_c_library_are_read_whole() {
    let headers = [
        "aio.h",
        "argp.h",
        "arpa/inet.h",
        "assert.h",
        "complex.h",
        "ctype.h",
        "dirent.h",
        "dlfcn.h",
        "elf.h",
        "errno.h",
        "fcntl.h",
        "fenv.h",
        "float.h",
        "ftw.h",
        "glob.h",
        "iconv.h",
        "immintrin.h",
        "inttypes.h",
        "limits.h",
        "link.h",
        "locale.h",
        "math.h",
        "netdb.h",
        "netinet/in.h",
        "obstack.h",
        "poll.h",
        "pthread.h",
        "pwd.h",
        "regex.h",
        "sched.h",
        "search.h",
        "semaphore.h",
        "setjmp.h",
        "signal.h",
        "spawn.h",
        "stdarg.h",
        "stdatomic.h",
        "stdbool.h",
        "stddef.h",
        "stdint.h",
        "stdio.h",
        "stdlib.h",
        "stdnoreturn.h",
        "string.h",
        "strings.h",
        "sys/epoll.h",
        "sys/ioctl.h",
        "sys/mman.h",
        "sys/resource.h",
        "sys/select.h",
        "sys/socket.h",
        "sys/stat.h",
        "sys/time.h",
        "sys/types.h",
        "sys/uio.h",
        "sys/wait.h",
        "tgmath.h",
        "threads.h",
        "time.h",
        "ucontext.h",
        "unistd.h",
        "wchar.h",
        "wctype.h",
    ];
    let includes: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
    for compiler in compile::compilers() {
        for standard in ["#define _GNU_SOURCE\n", "#define _FORTIFY_SOURCE 2\n#pragma GCC optimize 2\n", ""] {
            facts(compiler, &format!("{standard}{includes}double root(double x) {{ return sqrt(x); }}\n"));
        }
    }
}
