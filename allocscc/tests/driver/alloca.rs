//! Sources that call alloca: the compiler runs twice, and only the code of the functions that call it says so.

use libtest_mimic::Trial;

use crate::world::{Driver, World};

const SOURCES: &[(&str, &str)] = &[
    (
        "calls.c",
        "#include \"alloca.h\"\nvoid use(void *);\n\
         void f(int n) { int unused; use(alloca(n * sizeof (int))); use(n ? alloca(3) : 0); alloca(\n n); }\n\
         int size(void) { return sizeof (alloca(4)); }\n",
    ),
    (
        "alloca.h",
        "void *alloca(__SIZE_TYPE__);\n#undef alloca\n#define alloca(size) __builtin_alloca(size)\n",
    ),
    (
        "aligned.c",
        "void use(void *);\nvoid f(int n) { use(__builtin_alloca_with_align(n, 256)); use(__builtin_alloca(n)); }\n",
    ),
    ("declares.c", "#include \"alloca.h\"\nint f(void) { return 1; }\n"),
    ("wrong.c", "int f(int n) { return __builtin_alloca(n) + no_such_name; }\n"),
    (
        "defines.c",
        "#undef __builtin_alloca\nvoid use(void *);\nvoid f(int n) { use(__builtin_alloca(n)); }\n",
    ),
];

/// Command lines, and whether the object has blocks with headers then.
const CASES: &[(&str, bool)] = &[
    ("-c calls.c -o o", true),
    ("-O2 -Wall -Wextra -Wshadow -Wconversion -c calls.c -o o", true),
    ("-ansi -pedantic-errors -c calls.c -o o", true),
    ("-std=c99 -Wpedantic -c calls.c -o o", true),
    ("-O2 -masm=intel -c calls.c -o o", true),
    ("-MD -MF deps -c calls.c -o o", true),
    ("-shared -fPIC calls.c -o o", true),
    ("-Wall -Werror -c calls.c -o o", false),
    ("-c wrong.c -o o", false),
    ("-save-temps -c calls.c -o o", false),
    ("-c aligned.c -o o", false),
    ("-c declares.c -o o", false),
    ("-c defines.c -o o", false),
    ("-S calls.c -o o", false),
    ("-E calls.c -o o", false),
];

/// Every command line of the table.
pub(crate) fn trials(compiler: &'static str) -> Vec<Trial> {
    let trial = |&(line, expect): &(&'static str, bool)| {
        Trial::test(format!("alloca::{compiler}::{line}"), move || {
            check(compiler, line, expect);
            Ok(())
        })
    };
    CASES.iter().map(trial).collect()
}

fn check(compiler: &str, line: &str, expect: bool) {
    let world = World::new(compiler, SOURCES);
    let plain = world.run(Driver::Plain, line);
    let plain_files = world.files();
    world.fill(SOURCES);
    let ours = world.run(Driver::Product, &format!("-fallocs-alloca {line}"));
    let our_files = world.files();
    assert_eq!(ours, plain, "{line}");
    assert_eq!(our_files.keys().collect::<Vec<_>>(), plain_files.keys().collect::<Vec<_>>());
    assert_eq!(our_files.get("deps"), plain_files.get("deps"));
    assert_eq!(our_files.get("o").is_some_and(|file| has_site(file)), expect, "{line}");
    world.fill(SOURCES);
    world.run(Driver::Product, line);
    assert!(!world.files().get("o").is_some_and(|file| has_site(file)), "nobody asked for it");
    assert!(!plain_files.get("o").is_some_and(|file| has_site(file)), "the test finds sites where none are");
}

/// Whether some bytes have `lea 0(%rip), %reg`.
fn has_site(bytes: &[u8]) -> bool {
    bytes.windows(7).any(|at| {
        matches!(at[0], 0x48 | 0x4c) && at[1] == 0x8d && at[2] & 0xc7 == 0x05 && at[3..] == [0, 0, 0, 0]
    })
}
