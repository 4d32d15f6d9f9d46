//! Command lines that must do the same with the driver as without.

use std::process::Output;

use libtest_mimic::{Failed, Trial};

use crate::compare;
use crate::world::{Driver, Files, World};

const SOURCES: &[(&str, &str)] = &[
    // Declared by hand: most of a compilation's time would go into system headers.
    (
        "main.c",
        "#include \"util.h\"\nint printf(const char *, ...);\n\
         int main(void) { printf(\"%d\\n\", util(41)); return 0; }\n",
    ),
    (
        "util.c",
        "#include <stddef.h>\n#include \"util.h\"\nvoid *malloc(size_t); void free(void *);\nstatic int kept = 3;\n\
         int util(int n) { struct box *b = malloc(n * sizeof *b); b->value = n; kept += n;\n\
         n = b->value + 1; free(b); return n; }\n",
    ),
    ("util.h", "struct box { int value; char name[12]; };\nint util(int);\n"),
    ("sub/dir/deep.c", "int deep(int n) { int a[n + 1]; a[n] = n; return a[n]; }\n"),
    ("warn.c", "int f(void) { int unused; return g(); }\n"),
    ("error.c", "int f(void) { return no_such_name; }\n"),
    ("undefined.c", "int no_such_function(void);\nint main(void) { return no_such_function(); }\n"),
    ("fine.s", ".text\n.globl from_asm\nfrom_asm: ret\n.section .note.GNU-stack,\"\"\n"),
    ("pre.S", "#define NAME from_pre\n.text\n.globl NAME\nNAME: ret\n.section .note.GNU-stack,\"\"\n"),
    ("plus.cc", "template <class T> T twice(T t) { return t + t; }\nint plus(int n) { return twice(n); }\n"),
    ("flags.rsp", "-O2 -Wall \"-DTEXT=a b\" -c\n-o\nfrom_file.o util.c\n"),
    ("strip.rsp", "-s main.c util.c -Wl,-s,-z,now -o stripped\n"),
    ("script.ld", "INPUT(util.o)\n"),
    ("text", "int in_text;\n"),
    ("conftest.c", "#include <no_such_header.h>\nint main(void) { return 0; }\n"),
    ("version.map", "V1 { global: util; local: *; };\n"),
];

/// Command lines, with what has to be made before by the plain compiler (`|` separates the commands).
const CASES: &[(&str, &str)] = &[
    ("", "-c util.c"),
    ("", "-c util.c -o out.o"),
    ("", "-O2 -g -c util.c"),
    ("", "-g3 -gdwarf-4 -c util.c"),
    ("", "-ggdb -gz -c util.c"),
    ("", "-g -gsplit-dwarf -c util.c -o split.o"),
    ("", "-gsplit-dwarf -c util.c"),
    ("", "-c util.c main.c sub/dir/deep.c"),
    ("", "-c util.c plus.cc pre.S fine.s"),
    ("", "-c plus.cc"),
    ("", "-S util.c"),
    ("", "-E util.c"),
    ("", "-MM -MF deps util.c"),
    ("", "-MD -c util.c"),
    ("", "-MMD -MP -MF d.d -MT target -MQ $(x) -c util.c -o o.o"),
    ("", "-MD main.c util.c -o prog"),
    ("", "-fsyntax-only warn.c"),
    ("", "-Wall -Werror -c warn.c"),
    ("", "-c error.c"),
    ("", "-c no_such_file.c"),
    ("", "-c util.c -o"),
    ("", ""),
    ("", "-fno-such-option -c util.c"),
    ("", "-c util.c -o /dev/null"),
    ("", "main.c util.c"),
    ("", "-g main.c util.c -o prog"),
    ("", "-O2 -static main.c util.c -o prog"),
    ("", "-shared -fPIC util.c -Wl,-soname,libutil.so.1 -Wl,--version-script,version.map -o libutil.so"),
    ("", "-r util.c main.c -o both.o"),
    ("", "-s main.c util.c -o prog"),
    ("", "main.c util.c -Wl,--strip-debug,-z,now -o prog"),
    ("", "main.c util.c -Wl,--gc-sections -ffunction-sections -fdata-sections -o prog"),
    ("", "main.c util.c -fuse-ld=gold -o prog"),
    ("", "-save-temps -c util.c"),
    ("", "-save-temps main.c util.c -o prog"),
    ("", "-frandom-seed=1 --coverage -c util.c -o cov.o"),
    ("", "-fsanitize=address,undefined -c util.c"),
    ("", "-flto -O1 -c util.c"),
    ("", "@flags.rsp"),
    ("", "@strip.rsp"),
    ("", "-x c -c text -x none util.c"),
    ("", "-x c -include util.h -c - -o in.o"),
    ("", "-x c - -c"),
    ("", "-x c-header util.h -o util.h.gch"),
    ("", "-print-file-name=libc.so"),
    ("", "-c -DX=1 -UX -I sub -isystem sub -include util.h util.c"),
    ("", "-E util.c -o util.i"),
    ("-E util.c -o util.i", "-c util.i"),
    ("-c util.c main.c", "main.o util.o -o prog"),
    ("-c util.c main.c", "main.o util.o -s -o prog"),
    ("-c -g util.c main.c", "main.o util.o -o prog"),
    ("-flto -O1 -c util.c main.c", "-flto -O1 main.o util.o -o prog"),
];

/// More of them, where a second compiler tells nothing new.
const MORE: &[(&str, &str)] = &[
    ("", "-MD -MF /dev/null -c util.c"),
    ("", "-x c /dev/null -c -o empty.o"),
    ("", "-x c -c /dev/stdin -o in.o"),
    ("", "-static -s -Wl,-z,noseparate-code main.c util.c -o prog"),
    ("", "-fdebug-types-section main.c util.c -o prog"),
    ("", "-fsanitize=address main.c util.c -o prog"),
    ("", "-Wl,-N main.c util.c -o prog"),
    ("", "-Wl,-z,nosectionheader main.c util.c -o prog"),
    ("", "-outil.x -c util.c -O2"),
    ("", "-O2 -g0 -c util.c"),
    ("", "-gdwarf-2 -c util.c"),
    ("", "-g1 -c util.c"),
    ("", "-c fine.s pre.S"),
    ("", "-E -dM util.c -o macros"),
    ("", "-M util.c"),
    ("", "-Wp,-MD,wp.d -c util.c"),
    ("", "-Wp,-MMD,wp.d,-MT,x -c util.c -o wp.o"),
    ("", "-Xpreprocessor -MD -Xpreprocessor xp.d -c util.c"),
    ("", "-Wall -c warn.c"),
    ("", "-c error.c util.c"),
    ("", "-c conftest.c"),
    ("", "main.c error.c"),
    ("", "no_such_file.c no_such_file.o"),
    ("", "-c util.c -o no/such/dir/out.o"),
    ("", "-c util.c main.c -o both.o"),
    ("", "-v-no-such-option -c util.c"),
    ("", "main.c util.c -o /dev/null"),
    ("", "main.c util.c -o prog -lm"),
    ("", "-static-pie main.c util.c -o prog"),
    ("", "-no-pie main.c util.c -o prog"),
    ("", "-shared -fPIC util.c -o libutil.so"),
    ("", "-r -nostdlib util.c -o both.o"),
    ("", "main.c util.c -Wl,-s -o prog"),
    ("", "main.c util.c -Xlinker -S -g -o prog"),
    ("", "main.c util.c -Wl,-x -o prog"),
    ("", "main.c util.c -Wl,--emit-relocs -o prog"),
    ("", "main.c util.c -Wl,--build-id -o prog"),
    ("", "main.c util.c -Wl,-Map,prog.map -Wl,--cref -o prog"),
    ("", "-g main.c util.c -fuse-ld=gold -o prog"),
    ("", "-s main.c util.c -fuse-ld=gold -o prog"),
    ("", "-g -Wl,--compress-debug-sections=zlib main.c util.c -o prog"),
    ("", "-save-temps=obj -c util.c -o sub/out.o"),
    ("", "-pipe -O1 main.c util.c -o prog"),
    ("", "-frandom-seed=1 --coverage main.c util.c -o prog"),
    ("", "-pg -c util.c"),
    ("", "-fstack-usage -c util.c"),
    ("", "@no_such_file.rsp -c util.c"),
    ("", "-x c text -c"),
    ("", "-xc - -S -o -"),
    ("", "-c util.h"),
    ("", "-print-prog-name=ld"),
    ("", "-dumpversion"),
    ("", "-dumpmachine"),
    ("", "-c -std=c89 -pedantic util.c"),
    ("", "-c -nostdinc error.c"),
    ("-E util.c -o util.i", "-x cpp-output -c util.i -o cpp.o"),
    ("-c util.c main.c", "main.o script.ld -o prog"),
    ("-c util.c", "main.c util.o -o prog"),
    ("-c -g util.c", "main.c util.o -o prog"),
    ("-S util.c", "-c util.s"),
    ("", "-m32 -S sub/dir/deep.c"),
];

/// Every command line of the table.
pub(crate) fn trials(compiler: &'static str) -> Vec<Trial> {
    let more = if compiler == "gcc" { MORE } else { &[] };
    CASES
        .iter()
        .chain(more)
        .map(|&(before, line)| {
            let name = if before.is_empty() { line.to_string() } else { format!("{line} (after {before})") };
            Trial::test(format!("same::{compiler}::{name}"), move || check(compiler, before, line))
        })
        .collect()
}

struct Outcome {
    output: Output,
    files: Files,
}

fn check(compiler: &str, before: &str, line: &str) -> Result<(), Failed> {
    let world = World::new(compiler, SOURCES);
    let plain = outcome(&world, Driver::Plain, before, line);
    let ours = outcome(&world, Driver::Product, before, line);
    equal("exit status", &plain.output.status, &ours.output.status)?;
    equal("standard output", &text(&plain.output.stdout), &text(&ours.output.stdout))?;
    equal("standard error", &text(&plain.output.stderr), &text(&ours.output.stderr))?;
    equal("files", &plain.files.keys().collect::<Vec<_>>(), &ours.files.keys().collect::<Vec<_>>())?;
    let mut with_debug_info = None;
    let mut with_debug_info = |name: &str| {
        let files = with_debug_info
            .get_or_insert_with(|| outcome(&world, Driver::Plain, before, &with_g(line)).files);
        files.get(name).cloned()
    };
    for (name, expected) in &plain.files {
        let actual = &ours.files[name];
        if !expected.starts_with(b"\x7fELF") {
            // Assembly and bitcode hold debug info, a precompiled header its options, a map the names of temporary files.
            if !expected.starts_with(b"BC") && !has_extension(name, &["s", "gch", "map"]) {
                let is_preprocessed = has_extension(name, &["i"]) && line.contains("-save-temps");
                let with_debug_info = if is_preprocessed { with_debug_info(name) } else { None };
                equal(name, &text(with_debug_info.as_ref().unwrap_or(expected)), &text(actual))?;
            }
        } else if !compare::is_object(expected) {
            equal(name, &compare::image_of_linked_file(expected), &compare::image_of_linked_file(actual))?;
        } else if !line.contains("-flto") {
            let (expected, actual) = (compare::image_of_object(expected), compare::image_of_object(actual));
            if expected != actual {
                // The compiler promises the same code with -g, but keeps that promise only nearly always.
                let expected = with_debug_info(name).map(|file| compare::image_of_object(&file));
                equal(name, &expected.unwrap_or_default(), &actual)?;
            }
        }
    }
    Ok(())
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    extensions.iter().any(|extension| name.rsplit_once('.').is_some_and(|(_, own)| own == *extension))
}

fn with_g(line: &str) -> String {
    if line.contains("-g -") || line.contains("-gd") || line.contains("-gg") {
        line.into()
    } else {
        format!("{line} -g")
    }
}

fn outcome(world: &World, driver: Driver, before: &str, line: &str) -> Outcome {
    world.fill(SOURCES);
    for before in before.split('|').filter(|line| !line.is_empty()) {
        world.must(Driver::Plain, before);
    }
    let input = world.path("text");
    let output = world
        .driver(driver)
        .args(line.split_whitespace())
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .unwrap();
    Outcome { output, files: world.files() }
}

/// Messages name the linker's and compiler's temporary files, which have random names.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut result = String::new();
    let mut rest = &*text;
    while let Some(start) = rest.find("/tmp/") {
        let name = &rest[start + 5..];
        let end = name.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
        result.push_str(&rest[..start]);
        result.push_str(if name[end..].starts_with('/') { "/tmp/DIRECTORY" } else { "/tmp/FILE" });
        rest = &name[end..];
    }
    result + rest
}

fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    expected: &T,
    actual: &T,
) -> Result<(), Failed> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (format!("{expected:#?}"), format!("{actual:#?}"));
    let only = |these: &str, those: &str| {
        let those: Vec<&str> = those.lines().collect();
        these.lines().filter(|line| !those.contains(line)).collect::<Vec<_>>().join("\n")
    };
    Err(format!(
        "{what} differs\n  with the compiler alone:\n{}\n  with the driver:\n{}",
        only(&expected, &actual),
        only(&actual, &expected)
    )
    .into())
}
