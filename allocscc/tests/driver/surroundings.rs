//! The driver in the hands of make, ccache, configure scripts, and people.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use libtest_mimic::{Failed, Trial};

use crate::compare;
use crate::world::{Driver, World, is_installed, product};

const PROGRAM: &str = "int fact_main; int main(void) { return 0; }\n";

type Test = fn(&str) -> Result<(), Failed>;

const TESTS: &[(&str, Test)] = &[
    ("make -j", parallel_make),
    ("ccache in front", ccache_in_front),
    ("ccache behind", ccache_behind),
    ("as cc in the search path", masquerade),
    ("no such compiler", no_such_compiler),
    ("what it says about itself", introductions),
    ("headers beside the program", headers),
    ("output through a symbolic link", symbolic_link),
    ("permissions", permissions),
    ("more sections than 16 bits can count", many_sections),
    ("a long response file", long_response_file),
    ("little memory", little_memory),
    ("a parent that ignores SIGCHLD", ignored_child_signal),
    ("allocs run", allocs_run),
];

/// The tests of this file.
pub(crate) fn trials(compiler: &'static str) -> Vec<Trial> {
    let test = |&(name, test): &(&'static str, Test)| {
        Trial::test(format!("surroundings::{compiler}::{name}"), move || test(compiler))
    };
    TESTS.iter().map(test).collect()
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}").into()) }
}

fn metadata(world: &World, file: &str) -> String {
    let file = fs::read(world.path(file)).unwrap();
    String::from_utf8(compare::section(&file, ".allocs").unwrap_or_default()).unwrap()
}

/// Several programs of shared sources at once in one directory, the same objects again and again.
fn parallel_make(compiler: &str) -> Result<(), Failed> {
    let makefile = "all: p1 p2 p3 p4\np1 p2 p3 p4: main.c lib.a\n\t$(CC) -MMD -o $@ main.c lib.a\n\
                    lib.a: a.o b.o c.o d.o\n\tar rcs $@ $^\n";
    let units =
        ["a.c", "b.c", "c.c", "d.c"].map(|name| (name, format!("int fact_{0}; int {0};\n", &name[..1])));
    let main = "int fact_main; extern int a, b, c; int main(void) { return a + b + c; }\n";
    let world = World::new(compiler, &[("main.c", main), ("Makefile", makefile)]);
    for (name, text) in units {
        fs::write(world.path(name), text)?;
    }
    let driver = world.driver(Driver::WithHooks);
    let mut make = world.command("make");
    make.args(["-j", "4", "-s"]).arg(format!("CC={}", driver.get_program().display()));
    make.envs(driver.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = make.output()?;
    expect("messages", String::from_utf8_lossy(&output.stderr).into_owned(), String::new())?;
    for program in ["p1", "p2", "p3", "p4"] {
        let expected = "a.c: fact_a\nb.c: fact_b\nc.c: fact_c\nmain.c: fact_main";
        expect(program, metadata(&world, program), expected.into())?;
    }
    let files: Vec<String> = world.files().into_keys().collect();
    expect("files", files.iter().filter(|name| name.contains("allocs") || name.contains("TMP")).count(), 0)
}

fn ccache_in_front(compiler: &str) -> Result<(), Failed> {
    if !is_installed("ccache") {
        return Ok(());
    }
    let world = World::new(compiler, &[("a.c", PROGRAM)]);
    let driver = world.driver(Driver::WithHooks);
    for object in ["first.o", "second.o"] {
        let mut command = world.command("ccache");
        command.arg(driver.get_program()).args(["-c", "a.c", "-o", object]);
        command.envs(driver.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output =
            command.env("CCACHE_DIR", world.path("cache")).env("CCACHE_COMPILERTYPE", "other").output()?;
        expect("success", output.status.success(), true)?;
    }
    expect("same object", fs::read(world.path("first.o"))? == fs::read(world.path("second.o"))?, true)?;
    world.must(Driver::WithHooks, "second.o -o prog");
    expect("metadata", metadata(&world, "prog"), "a.c: fact_main".into())
}

fn ccache_behind(compiler: &str) -> Result<(), Failed> {
    if !is_installed("ccache") {
        return Ok(());
    }
    let world = World::new(&format!("ccache {compiler}"), &[("a.c", PROGRAM)]);
    for object in ["first.o", "second.o"] {
        let mut command = world.driver(Driver::WithHooks);
        command.args(["-c", "a.c", "-o", object]).env("CCACHE_DIR", world.path("cache"));
        expect("success", command.output()?.status.success(), true)?;
    }
    expect("same object", fs::read(world.path("first.o"))? == fs::read(world.path("second.o"))?, true)?;
    let linked = world.driver(Driver::WithHooks).args(["second.o", "-o", "prog"]).output()?;
    expect("success", linked.status.success(), true)?;
    expect("metadata", metadata(&world, "prog"), "a.c: fact_main".into())
}

/// Installed under the name of the default compiler, it finds the next one.
fn masquerade(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM), ("bin/empty", "")]);
    symlink(product("allocscc"), world.path("bin/cc"))?;
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH")?);
    let output = world.command("cc").args(["a.c", "-o", "prog"]).env("PATH", path).output()?;
    expect("messages", String::from_utf8_lossy(&output.stderr).into_owned(), String::new())?;
    expect("program", world.path("prog").is_file(), true)
}

fn no_such_compiler(_: &str) -> Result<(), Failed> {
    let world = World::new("no-such-compiler -O2", &[("a.c", PROGRAM)]);
    for line in ["-c a.c", "-E a.c"] {
        let output = world.run(Driver::Product, line);
        expect("status", output.status.code(), Some(127))?;
        let expected = "allocscc: cannot run the compiler no-such-compiler: No such file or directory (os error 2). \
                        ALLOCSCC_CC names another one.\n";
        expect("message", String::from_utf8(output.stderr)?, expected.into())?;
    }
    Ok(())
}

/// What the compiler says, and one line more.
fn introductions(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM)]);
    let ours = concat!("allocscc ", env!("CARGO_PKG_VERSION"));
    for line in ["--version", "--help", "-v"] {
        let plain = world.run(Driver::Plain, line);
        let output = world.run(Driver::Product, line);
        expect(line, output.status, plain.status)?;
        let plain = format!("{}{}", String::from_utf8(plain.stdout)?, String::from_utf8(plain.stderr)?);
        let output = format!("{}{}", String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        expect(line, output, format!("{plain}{ours}\n"))?;
    }
    let output = String::from_utf8(world.run(Driver::Product, "-v -c a.c").stderr)?;
    let last = output.lines().last().unwrap_or_default();
    expect("-v -c", last, &*format!("{ours}, adds: -g -fno-eliminate-unused-debug-types"))
}

/// An installation: `bin/allocscc`, and a directory of our headers alone; `include/` may hold those of others.
fn headers(compiler: &str) -> Result<(), Failed> {
    let world = World::new(
        compiler,
        &[
            (
                "a.c",
                "#include <only_ours.h>\n#include <stdlib.h>\n#if __has_include(<theirs.h>)\n#include <theirs.h>\n#endif\n\
             int main(void) { return ours; }\n",
            ),
            ("install/share/liballocs/include/only_ours.h", "enum { ours };\n"),
            ("install/share/liballocs/include/stdlib.h", "#error \"the system's header comes first\"\n"),
            ("install/include/theirs.h", "#error \"the compiler alone would not find it\"\n"),
            ("install/bin/empty", ""),
        ],
    );
    fs::copy(product("allocscc"), world.path("install/bin/allocscc"))?;
    symlink("install/bin/allocscc", world.path("link"))?;
    for line in ["-E a.c -o a.i", "-M a.c", "-S a.c", "-fsyntax-only a.c", "-c a.c", "a.c -o prog"] {
        let words = line.split_whitespace();
        let output = world.command(world.path("link")).args(words).env("ALLOCSCC_CC", compiler).output()?;
        expect(line, String::from_utf8(output.stderr)?, String::new())?;
    }
    Ok(())
}

/// The linker replaces a link at the output's name; whatever is there afterwards is finished in place.
fn symbolic_link(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM), ("real/empty", "")]);
    symlink("real/prog", world.path("prog"))?;
    let plain = World::new(compiler, &[("a.c", PROGRAM), ("real/empty", "")]);
    symlink("real/prog", plain.path("prog"))?;
    plain.must(Driver::Plain, "a.c -o prog");
    world.must(Driver::WithHooks, "a.c -o prog");
    expect("link", world.path("prog").is_symlink(), plain.path("prog").is_symlink())?;
    expect("metadata", metadata(&world, "prog"), "a.c: fact_main".into())
}

fn permissions(compiler: &str) -> Result<(), Failed> {
    let mode = |world: &World, file: &str| fs::metadata(world.path(file)).unwrap().permissions().mode();
    let world = World::new(compiler, &[("a.c", PROGRAM)]);
    for mask in ["022", "077", "002"] {
        let [plain, ours] = [Driver::Plain, Driver::WithHooks].map(|driver| {
            let program = world.driver(driver);
            let script =
                format!("umask {mask}; {0} -c a.c; {0} a.o -o prog", program.get_program().display());
            let mut command = world.command("sh");
            command.args(["-c", &script]);
            command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            assert!(command.status().unwrap().success());
            let modes = (mode(&world, "a.o"), mode(&world, "prog"));
            fs::remove_file(world.path("a.o")).unwrap();
            fs::remove_file(world.path("prog")).unwrap();
            modes
        });
        expect(mask, ours, plain)?;
    }
    Ok(())
}

fn many_sections(compiler: &str) -> Result<(), Failed> {
    let sections: String = (0..0x1_0010).map(|n| format!(".section .note.s{n};")).collect();
    let many = format!("int fact_many; __asm__(\"{sections}.text\");\n");
    let world = World::new(compiler, &[("main.c", "int main(void) { return 0; }\n"), ("many.c", &many)]);
    world.must(Driver::WithHooks, "-c many.c");
    let object = fs::read(world.path("many.o"))?;
    expect("section count", object[60..62] == [0, 0], true)?;
    let facts = compare::section(&object, ".allocs.facts").ok_or("no facts")?;
    expect("facts", String::from_utf8_lossy(&facts).contains("many.c: fact_many"), true)
}

fn long_response_file(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM), ("b.c", "int b;\n")]);
    world.must(Driver::WithHooks, "-c b.c");
    world.shell("ar rcs libb.a b.o; rm b.c b.o");
    let archives = "././././libb.a\n".repeat(10_000);
    fs::write(world.path("words"), format!("{archives} -s -Wallocs a.c -o prog"))?;
    world.must(Driver::WithHooks, "@words");
    expect("metadata", metadata(&world, "prog").contains("a.c: fact_main"), true)?;
    let files: Vec<String> = world.files().into_keys().collect();
    expect("files", files, ["a.c", "libb.a", "prog", "words"].map(String::from).to_vec())
}

/// Where there is no room for the analysis there is still a program.
fn little_memory(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM)]);
    let driver = world.driver(Driver::WithHooks);
    let mut command = world.command("sh");
    let script = format!("ulimit -v 250000; exec {} a.c -o prog", driver.get_program().display());
    command.args(["-c", &script]).envs(driver.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output()?;
    expect("messages", String::from_utf8_lossy(&output.stderr).into_owned(), String::new())?;
    expect("status", output.status.success(), true)?;
    world.shell("./prog");
    Ok(())
}

fn ignored_child_signal(compiler: &str) -> Result<(), Failed> {
    let world = World::new(compiler, &[("a.c", PROGRAM)]);
    let driver = world.driver(Driver::WithHooks);
    let mut command = world.command("env");
    command.arg("--ignore-signal=CHLD").arg(driver.get_program()).args(["a.c", "-o", "prog"]);
    command.envs(driver.get_envs().filter_map(|(name, value)| Some((name, value?))));
    expect("status", command.status()?.success(), true)?;
    expect("metadata", metadata(&world, "prog"), "a.c: fact_main".into())
}

fn allocs_run(compiler: &str) -> Result<(), Failed> {
    let program = "#include <stdio.h>\n#include <stdlib.h>\n\
                   int main(int n, char **v) { puts(getenv(\"LD_PRELOAD\")); puts(v[n - 1]); return 7; }\n";
    let world =
        World::new(compiler, &[("a.c", program), ("lib.c", "int x;\n"), ("bin/x", ""), ("lib/x", "")]);
    fs::copy(product("allocs"), world.path("bin/allocs"))?;
    symlink("bin/allocs", world.path("link"))?;
    world.must(Driver::Plain, "a.c -o prog");
    let run = || world.command(world.path("link")).args(["run", "./prog", "--flag"]).output();

    let missing = run()?;
    expect("status without the library", missing.status.code(), Some(127))?;
    let message = String::from_utf8(missing.stderr)?;
    expect("message", message.contains("/lib/liballocs_preload.so, no "), true)?;

    world.must(Driver::Plain, "-shared -fPIC lib.c -o lib/liballocs_preload.so");
    let output = run()?;
    let library = world.path("lib/liballocs_preload.so").canonicalize()?;
    expect("status", output.status.code(), Some(7))?;
    expect("output", String::from_utf8(output.stdout)?, format!("{}\n--flag\n", library.display()))
}
