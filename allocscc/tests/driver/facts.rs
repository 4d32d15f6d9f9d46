//! Facts reach the linked file, whichever way the sources take to it; debug info stays exactly when somebody asked for it.

use libtest_mimic::{Failed, Trial};

use crate::compare;
use crate::world::{Driver, World};

const SOURCES: &[(&str, &str)] = &[
    (
        "main.c",
        "int fact_main; int one(void); int two(void);\nint main(void) { return one() + two() - 3; }\n",
    ),
    ("one.c", "int fact_one; int one(void) { return 1; }\n"),
    ("two.c", "#include \"two.h\"\nint fact_two; int two(void) { return 2; }\n"),
    ("two.h", "extern int fact_header;\n"),
    ("sub/one.c", "int fact_of_an_object_that_is_overwritten;\n"),
    ("unused.c", "int fact_unused; int unused(void) { return 9; }\n"),
    ("crash.c", "int crash_the_analysis; int two(void) { return 2; }\n"),
    ("overflow.c", "int overflow_the_stack; int two(void) { return 2; }\n"),
    ("exit.c", "int exit_the_analysis; int two(void) { return 2; }\n"),
    ("refuse.c", "int refuse_the_analysis; int two(void) { return 2; }\n"),
    ("linkcrash.c", "int fact_crash_the_link; int two(void) { return 2; }\n"),
    ("linkrefuse.c", "int fact_refuse_the_link; int two(void) { return 2; }\n"),
    ("discard.ld", "SECTIONS { /DISCARD/ : { *(.allocs.facts) } } INSERT AFTER .text;\n"),
    ("response", "-O1 one.c two.c\n-o 'prog'"),
    ("asm.s", ".globl two\n.text\ntwo: mov $2, %eax\n ret\n.section .note.GNU-stack,\"\"\n"),
    ("mixed.cc", "extern \"C\" int two(void) { return 2; }\n"),
];

const ALL: &str = "main.c: fact_main|one.c: fact_one|two.c: fact_header fact_two";

/// Commands that make `prog`, and the facts that must be in it. A command that starts with `$` is for the shell.
const FACTS: &[(&str, &str)] = &[
    ("-flto -O1 main.c one.c two.c -o prog", ALL),
    ("-flto -O1 -c main.c one.c two.c|-flto -O1 main.o one.o two.o -o prog", ALL),
    ("-flto -O1 -c main.c one.c|-c two.c|-flto=auto main.o one.o two.o -o prog", ALL),
    ("-c sub/one.c one.c two.c|main.c one.o two.o -o prog", ALL),
    ("main.c one.c two.c -o prog", ALL),
    ("-O2 -fPIE -pie main.c one.c two.c -o prog", ALL),
    ("-s main.c one.c two.c -o prog", ALL),
    ("main.c @response", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -o prog", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -o prog -s", ALL),
    ("-c main.c -o m|-c one.c two.c|m one.o two.o -o prog", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -Wl,--gc-sections -o prog", ALL),
    ("-c one.c two.c|main.c one.o two.o -o prog", ALL),
    ("-c one.c two.c unused.c|$ar rcs libx.a one.o two.o unused.o|main.c libx.a -o prog", ALL),
    ("-c one.c two.c unused.c|$ar rcs libx.a one.o two.o unused.o|main.c -L. -lx -o prog", ALL),
    ("-r -nostdlib one.c two.c -o both.o|main.c both.o -o prog", ALL),
    ("-c one.c|-r -nostdlib one.o two.c -o both.o|main.c both.o -o prog", ALL),
    (
        "-E main.c -o main.i|main.i one.c two.c -o prog",
        "main.i: fact_main|one.c: fact_one|two.c: fact_header fact_two",
    ),
    ("-x c - one.c two.c -o prog", "-: fact_main|one.c: fact_one|two.c: fact_header fact_two"),
    (
        "-x c -c - -o in.o|in.o one.c two.c -o prog",
        "-: fact_main|one.c: fact_one|two.c: fact_header fact_two",
    ),
    ("main.c one.c two.c -o prog|$strip -s prog", ALL),
    (
        "-MD -save-temps=obj -pipe -DX -DY=1 -include two.h main.c one.c two.c -o prog",
        "main.c: fact_header fact_main|one.c: fact_header fact_one|two.c: fact_header fact_two",
    ),
    ("-Werror -Wall main.c one.c two.c -Wl,-z,now -L. -o prog", ALL),
    ("main.c one.c crash.c -o prog", "main.c: fact_main|one.c: fact_one"),
    ("main.c one.c overflow.c -o prog", "main.c: fact_main|one.c: fact_one"),
    ("-c refuse.c|main.c one.c refuse.o -o prog", "main.c: fact_main|one.c: fact_one"),
];

/// More of them, where a second compiler tells nothing new.
const MORE_FACTS: &[(&str, &str)] = &[
    ("-flto -O1 -c one.c two.c|-flto -r -nostdlib one.o two.o -o both.o|-flto main.c both.o -o prog", ALL),
    ("-flto -O1 -c one.c|-flto -r -nostdlib one.o two.c -o both.o|-flto main.c both.o -o prog", ALL),
    ("-flto -ffat-lto-objects -c main.c one.c two.c|-fno-lto main.o one.o two.o -o prog", ALL),
    ("-flto -O1 -c one.c two.c|$gcc-ar rcs libx.a one.o two.o|-flto main.c -L. -lx -o prog", ALL),
    ("-static main.c one.c two.c -o prog", ALL),
    ("-fuse-ld=gold main.c one.c two.c -o prog", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -fuse-ld=gold -Wl,--gc-sections -o prog", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -Wl,-T,discard.ld -o prog", ALL),
    ("-c main.c one.c two.c|main.o one.o two.o -Wl,--emit-relocs -o prog", ALL),
    ("-c main.c one.c two.c|$strip -g *.o|main.o one.o two.o -o prog", ALL),
    ("-c one.c two.c|$ar rcsT libx.a one.o two.o|main.c libx.a -o prog", ALL),
    ("-c one.c two.c|$ar rcs libx.a one.o two.o|-c main.c|main.o libx.a -Wl,-T,discard.ld -o prog", ALL),
    ("-c one.c two.c|$ar rcsT libx.a one.o two.o|-c main.c|main.o -L. -lx -Wl,-T,discard.ld -o prog", ALL),
    ("-c one.c two.c|$ld -r one.o two.o -o both.o|main.c both.o -o prog", ALL),
    ("main.c one.c asm.s -o prog", "main.c: fact_main|one.c: fact_one"),
    ("main.c one.c mixed.cc -o prog", "main.c: fact_main|one.c: fact_one"),
    ("main.c one.c two.c -o prog|$objcopy prog copy; mv copy prog", ALL),
    (
        "-shared -fPIC two.c -o libtwo.so|main.c one.c libtwo.so -Wl,-rpath,. -o prog",
        "main.c: fact_main|one.c: fact_one",
    ),
];

/// Commands that make `prog`, and whether it must have debug info.
const DEBUG_INFO: &[(&str, bool)] = &[
    ("main.c one.c two.c -o prog", false),
    ("-g main.c one.c two.c -o prog", true),
    ("-g -g0 main.c one.c two.c -o prog", false),
    ("-gdwarf-4 -gz main.c one.c two.c -o prog", true),
    ("-g1 main.c one.c two.c -o prog", true),
    ("-g -s main.c one.c two.c -o prog", false),
    ("-g -Wl,-S main.c one.c two.c -o prog", false),
    ("-gz main.c one.c two.c -o prog", false),
    ("-Wl,--compress-debug-sections=zlib main.c one.c two.c -o prog", false),
    ("-c main.c one.c two.c|main.o one.o two.o -o prog", false),
    ("-c main.c one.c two.c|-g main.o one.o two.o -o prog", false),
    ("-c main.c one.c|-c -g two.c|main.o one.o two.o -o prog", true),
    ("-c -g one.c|main.c one.o two.c -o prog", true),
    ("$$CC -c one.c|main.c one.o two.c -o prog", false),
    ("$$CC -g -c one.c|main.c one.o two.c -o prog", true),
    ("$$CC -g -c one.c|-c main.c two.c|main.o one.o two.o -o prog", true),
    ("$$CC -g -c unused.c; ar rcs libu.a unused.o|main.c one.c two.c libu.a -o prog", false),
    ("$$CC -g -c one.c; ar rcs libo.a one.o|main.c libo.a two.c -o prog", true),
    ("-r -nostdlib one.c two.c -o both.o|main.c both.o -o prog", false),
    ("-r -nostdlib -g one.c two.c -o both.o|main.c both.o -o prog", true),
    ("-fdebug-prefix-map=/=/somewhere/ main.c one.c two.c -o prog", false),
    ("main.c one.c mixed.cc -o prog", false),
    ("-c asm.s|main.c one.c asm.o -o prog", false),
    ("main.c one.c asm.s -o prog", false),
    ("-E main.c -o main.i|main.i one.c two.c -o prog", false),
    ("-x c - one.c two.c -o prog", false),
    ("-static main.c one.c two.c -o prog", false),
    ("-fuse-ld=gold main.c one.c two.c -o prog", false),
    ("main.c one.c crash.c -o prog", false),
    ("main.c one.c linkcrash.c -o prog", false),
    ("main.c one.c linkrefuse.c -o prog", false),
    (
        "-ffunction-sections -c main.c one.c two.c unused.c|-Wl,--gc-sections main.o one.o two.o unused.o -o prog",
        false,
    ),
    (
        "-c main.c one.c two.c unused.c|-fuse-ld=gold -Wl,--gc-sections main.o one.o two.o unused.o -o prog",
        false,
    ),
];

/// Commands and the warning that `-Wallocs` adds to them.
const WARNINGS: &[(&str, &str)] = &[
    ("-c main.c", ""),
    (
        "-c exit.c",
        "exit.c: warning: allocscc: the analysis of the source crashed (exit status: 3) [-Wallocs]",
    ),
    ("-c refuse.c", "refuse.c: warning: allocscc: no facts in this one [-Wallocs]"),
    ("main.c one.c linkrefuse.c -o prog", "prog: warning: allocscc: no metadata for prog [-Wallocs]"),
    ("-Wno-allocs -c refuse.c", ""),
];

/// The tests of this file.
pub(crate) fn trials(compiler: &'static str) -> Vec<Trial> {
    let mut trials = Vec::new();
    let more = if compiler == "gcc" { MORE_FACTS } else { &[] };
    for &(commands, facts) in FACTS.iter().chain(more) {
        let name = format!("facts::{compiler}::{commands}");
        trials.push(Trial::test(name, move || check_facts(compiler, commands, facts)));
    }
    for &(commands, expected) in DEBUG_INFO {
        let name = format!("debug_info::{compiler}::{commands}");
        trials.push(Trial::test(name, move || check_debug_info(compiler, commands, expected)));
    }
    for &(command, expected) in WARNINGS {
        let name = format!("warnings::{compiler}::{command}");
        trials.push(Trial::test(name, move || check_warning(compiler, command, expected)));
    }
    trials
}

fn check_facts(compiler: &str, commands: &str, facts: &str) -> Result<(), Failed> {
    let program = build(compiler, commands);
    let metadata = compare::section(&program, ".allocs").ok_or("no metadata")?;
    let metadata = String::from_utf8(metadata)?;
    let expected = facts.replace('|', "\n");
    if metadata != expected {
        return Err(format!("expected:\n{expected}\nfound:\n{metadata}").into());
    }
    match compare::section(&program, ".allocs.facts") {
        Some(_) => Err("the facts of the objects are still there".into()),
        None => Ok(()),
    }
}

fn check_debug_info(compiler: &str, commands: &str, expected: bool) -> Result<(), Failed> {
    let sections = compare::debug_sections(&build(compiler, commands));
    if sections.is_empty() == expected {
        return Err(format!("debug sections: {sections:?}").into());
    }
    Ok(())
}

fn check_warning(compiler: &str, command: &str, expected: &str) -> Result<(), Failed> {
    let world = World::new(compiler, SOURCES);
    let output = world.run(Driver::WithHooks, &format!("-Wallocs {command}"));
    let messages = String::from_utf8(output.stderr)?;
    if !output.status.success() || messages.trim_end() != expected {
        return Err(format!("{}\n{messages}", output.status).into());
    }
    Ok(())
}

/// Runs the commands, then the program that they made; returns the program's bytes.
fn build(compiler: &str, commands: &str) -> Vec<u8> {
    let world = World::new(compiler, SOURCES);
    for command in commands.split('|') {
        match command.strip_prefix('$') {
            Some(script) => drop(world.shell(&format!("CC={compiler}; {script}"))),
            None => {
                let input = std::fs::File::open(world.path("main.c")).unwrap();
                let words = command.split_whitespace();
                let output = world.driver(Driver::WithHooks).args(words).stdin(input).output().unwrap();
                let messages = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{command}\n{messages}");
            }
        }
    }
    world.shell("LD_LIBRARY_PATH=. ./prog");
    std::fs::read(world.path("prog")).unwrap()
}
