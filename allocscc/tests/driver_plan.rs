//! Command lines as data: what the driver makes of them, without running anything.

use std::ffi::OsString;
use std::path::Path;

use allocscc::driver::arguments::{Arguments, join, split};
use allocscc::driver::compiler::Driven;
use allocscc::driver::debug::DebugRequest;
use allocscc::driver::plan::{Plan, Source};
use allocscc::driver::spelling::{
    compiler_arguments, has_room_for_map, meaning_options, preprocessor_arguments,
};

/// `@` in an expectation stands for what is always added to a compilation. A line that begins with `++` is for `allocscc++`.
const ADDED: &str = "-idirafter /inc -g -fno-eliminate-unused-debug-types";

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn text(words: Vec<OsString>) -> String {
    words.join(" ".as_ref()).into_string().unwrap()
}

fn plan(line: &str) -> Plan {
    match line.strip_prefix("++ ") {
        Some(line) => Plan::new(Arguments::new(words(line)), Driven::Cplusplus),
        None => Plan::new(Arguments::new(words(line)), Driven::C),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str)], describe: impl Fn(&Plan) -> String) {
    let mut wrong = String::new();
    for (line, expected) in cases {
        let (found, expected) = (describe(&plan(line)), expected.replace('@', ADDED));
        if found != expected {
            wrong.push_str(&format!("{line}\n  expected {expected}\n  found    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn actions() {
    check(
        &[
            ("-c a.c", "Compile a.c"),
            ("-ca.c", "Pass(NothingToCompile)"),
            ("a.c", "Link a.c"),
            ("a.o b.a -lm", "Link"),
            ("-c a.c b.o", "Compile a.c"),
            ("-c a.c b.i c.cc d.S e.s", "Compile a.c b.i c.cc"),
            ("-c b.cc", "Compile b.cc"),
            ("-c b.s c.S", "Pass(OtherLanguages)"),
            ("-S b.cc", "AddHeaders b.cc"),
            ("-S b.f90", "Pass(OtherLanguages)"),
            ("b.cc", "Link b.cc"),
            ("b.f90", "Link"),
            ("b.cc a.c", "Link b.cc a.c"),
            ("++ -c a.c b.i c.C d.ii e.f90", "Compile a.c b.i c.C d.ii"),
            ("++ a.hpp", "PrecompileHeader"),
            ("++ a.o", "Link"),
            ("-E a.c", "AddHeaders a.c"),
            ("-S a.c", "AddHeaders a.c"),
            ("-M a.c", "AddHeaders a.c"),
            ("-MM a.c", "AddHeaders a.c"),
            ("-c -MD a.c", "Compile a.c"),
            ("-fsyntax-only a.c", "AddHeaders a.c"),
            ("-c -E a.c", "AddHeaders a.c"),
            ("-emit-llvm -c a.c", "AddHeaders a.c"),
            ("--analyze a.c", "AddHeaders a.c"),
            ("-c a.c -o /dev/null", "AddHeaders a.c"),
            ("-c a.c -MF /dev/null -include /dev/null", "Compile a.c"),
            ("-x c /dev/null -c -o x.o", "Compile /dev/null"),
            ("/dev/shm/a.c -o /dev/shm/a", "Link /dev/shm/a.c"),
            ("-x c /dev/stdin", "AddHeaders /dev/stdin"),
            ("-include /dev/fd/63 -c a.c", "AddHeaders a.c"),
            ("a.h", "PrecompileHeader"),
            ("-x c-header a", "PrecompileHeader"),
            ("-x c++-header a.h -c", "PrecompileHeader"),
            ("-c -x c a -x none b.c c.o -x c++ d.c -xc e.cc", "Compile a b.c d.c e.cc"),
            ("-x c - -c", "Compile -"),
            ("-x assembler a.c", "Link"),
            ("-c --language=c a", "Compile a"),
            ("--language c -c a", "Compile a"),
            ("", "Pass(NothingToCompile)"),
            ("-g -O2", "Pass(NothingToCompile)"),
            ("--version", "Pass(NothingToCompile)"),
            ("-### -c a.c", "Pass(NothingToCompile) a.c"),
            ("-print-search-dirs", "Pass(NothingToCompile)"),
            ("--print-file-name=x a.c", "Pass(NothingToCompile) a.c"),
            ("-dumpversion", "Pass(NothingToCompile)"),
            ("-cc1 a.c", "Pass(NothingToCompile) a.c"),
            ("-c a.c -o", "Pass(Malformed) a.c"),
            ("-c a.c -I", "Pass(Malformed) a.c"),
            ("-m32 -c a.c", "Pass(OtherTarget) a.c"),
            ("--target=aarch64-linux-gnu -c a.c", "Pass(OtherTarget) a.c"),
            ("-target x86_64-pc-linux-gnu -c a.c", "Compile a.c"),
            ("-target x86_64-pc-linux-gnux32 -c a.c", "Pass(OtherTarget) a.c"),
            ("-c a.c -gstabs", "AddHeaders a.c"),
            ("-c a.c -gtoggle", "AddHeaders a.c"),
            ("-c a.c -gsplit-dwarf", "AddHeaders a.c"),
            ("-c a.c -gsplit-dwarf -g", "Compile a.c"),
            ("a.o -gstabs", "Link"),
            // The value of an option is no input.
            (
                "-c a.c -include b.c -I c.c -D d.c -MF e.c -MT f.c -Xlinker g.c -T h.c -u i.c -z j.c",
                "Compile a.c",
            ),
            (
                "-c a.c -isystem b.c -idirafter c.c -aux-info d.c --param e.c -dumpbase f.c -mllvm g.c",
                "Compile a.c",
            ),
        ],
        |plan| {
            let sources: String =
                plan.sources.iter().map(|source| format!(" {}", source.path.display())).collect();
            format!("{:?}{sources}", plan.action)
        },
    );
}

#[test]
fn compiler_command_lines() {
    check(
        &[
            ("-c a.c", "-c a.c @"),
            ("-c a.cc", "-c a.cc @"),
            ("++ -c a.c", "-c a.c @"),
            ("++ -c a.ii", "-c a.ii -g -fno-eliminate-unused-debug-types"),
            ("a.cc a.c", "a.cc a.c @"),
            ("-O2 -c a.c -o x", "-O2 -c a.c -o x @"),
            ("-g -c a.c", "-g -c a.c -idirafter /inc -fno-eliminate-unused-debug-types"),
            ("-g0 -c a.c", "-g0 -c a.c @"),
            ("-g1 -c a.c", "-g1 -c a.c @"),
            ("-c a.i", "-c a.i -g -fno-eliminate-unused-debug-types"),
            ("-nostdinc -c a.c", "-nostdinc -c a.c -g -fno-eliminate-unused-debug-types"),
            ("-c -- a.c", "-c @ -- a.c"),
            ("-E a.c", "-E a.c -idirafter /inc"),
            ("-c a.h", "-c a.h @"),
            ("-c a.f90", "-c a.f90"),
            ("--version", "--version"),
            (
                "-save-temps -c a.c",
                "-save-temps -c a.c -idirafter /inc -gdwarf-4 -fno-eliminate-unused-debug-types",
            ),
            ("a.o b.o -s", "a.o b.o"),
            ("a.o -flto", "a.o -flto -g -fno-eliminate-unused-debug-types"),
            ("a.o -flto=auto -fno-lto", "a.o -flto=auto -fno-lto"),
            ("a.c -s -o p", "a.c -o p @"),
            ("a.c -Wl,-s -o p", "a.c -o p @"),
            ("a.c -Wl,-z,now,-S,--gc-sections", "a.c -Wl,-z,now,--gc-sections @"),
            ("a.c -Xlinker --strip-all -Xlinker -x", "a.c -Xlinker -x @"),
            ("a.c --for-linker=-s -o p", "a.c -o p @"),
            ("-r a.c -s", "-r a.c -s @"),
            ("-Wl,-r a.o -Wl,-s", "-Wl,-r a.o -Wl,-s"),
            ("-Wl,--emit-relocs a.o -s", "-Wl,--emit-relocs a.o -s"),
            ("-Wl,-m,elf_i386 a.o -s", "-Wl,-m,elf_i386 a.o -s"),
            ("-Wl,--oformat=binary a.o -Wl,-s", "-Wl,--oformat=binary a.o -Wl,-s"),
            ("-c a.c -s", "-c a.c -s @"),
            ("-Wallocs -c a.c -Wno-allocs", "-c a.c @"),
            ("-Wallocs --version", "--version"),
            ("-gallocs -c a.c", "-g -c a.c -idirafter /inc -fno-eliminate-unused-debug-types"),
            ("-g3 -gallocs -c a.c", "-g3 -c a.c -idirafter /inc -fno-eliminate-unused-debug-types"),
            ("-g1 -gallocs -c a.c", "-g1 -g -c a.c -idirafter /inc -fno-eliminate-unused-debug-types"),
            ("-gallocs -g0 -c a.c", "-g -g0 -c a.c @"),
            ("-gno-allocs -c a.c", "-c a.c @"),
            ("-gallocs a.o", "-g a.o"),
        ],
        |plan| text(compiler_arguments(plan, Some(Path::new("/inc")), None)),
    );
}

#[test]
fn one_link_map() {
    check(
        &[
            ("a.c", "map"),
            ("a.o -shared", "map"),
            ("a.o -Wl,-z,now -Xlinker -x", "map"),
            ("-c a.c", "none"),
            ("-E a.c", "none"),
            ("-r a.o", "none"),
            ("a.o -Wl,-r", "none"),
            ("a.o -Wl,-Map,prog.map", "none"),
            ("a.o -Wl,-Map=prog.map", "none"),
            ("a.o -Wl,--cref,--print-map", "none"),
            ("a.o -Xlinker -M", "none"),
            ("a.o --for-linker -Map=prog.map", "none"),
            ("a.o --for-linker=-Map=prog.map", "none"),
        ],
        |plan| (if has_room_for_map(plan) { "map" } else { "none" }).to_owned(),
    );
}

#[test]
fn preprocessor_command_lines() {
    check(
        &[
            ("-c a.c", ""),
            (
                "-c a.c -o x -DA -D B -Iinc -I inc -include x.h -O2 -std=c99",
                "-DA -D B -Iinc -I inc -include x.h -O2 -std=c99",
            ),
            ("-c a.c -MD -MF d -MT t -MQ q -MP -MG -MMD", ""),
            ("-c a.c -Wp,-MD,d -Wp,-DX,-MMD,e,-MT,t,-DY", "-Wp,-DX,-DY"),
            (
                "-c a.c -Xpreprocessor -DX -Xpreprocessor -MD -Xpreprocessor d -Xpreprocessor -DY",
                "-Xpreprocessor -DX -Xpreprocessor -DY",
            ),
            ("-c a.c -save-temps=obj -pipe -v -H -P -C -dD -fdump-tree-all", "-pipe"),
            ("a.c b.c c.o -lm -L. -Wl,-s -Xlinker x -s -shared -o p", "-shared"),
            ("-c a.c -aux-info x -wrapper gdb,--args -time=t -dumpbase y -fplugin=p", ""),
            ("-c -x c a.c -Wallocs -Werror -Wall", "-Werror -Wall"),
        ],
        |plan| {
            let line = text(preprocessor_arguments(plan, &plan.sources[0], None));
            let fixed = "-g0 -w -E -x c a.c";
            let line = line.strip_suffix(fixed).unwrap_or_else(|| panic!("{line} does not end in {fixed}"));
            line.trim().to_string()
        },
    );
}

#[test]
fn debug_options() {
    use DebugRequest::*;
    let cases = [
        ("", Nothing),
        ("-g", Full),
        ("-g0", Nothing),
        ("-g -g0", Nothing),
        ("-g0 -ggdb3", Full),
        ("-g3 -g1", Lines),
        ("-gline-tables-only", Lines),
        ("-gdwarf-2", Full),
        ("-gdwarf -g0", Nothing),
        ("--debug", Full),
        ("--debug=1", Lines),
        ("-gz -grecord-gcc-switches -gno-column-info -gstrict-dwarf -gdwarf64", Nothing),
        ("-gstabs+ -g", Unusual),
        ("-O2 -Wall", Nothing),
    ];
    for (line, expected) in cases {
        assert_eq!(plan(&format!("-c a.c {line}")).debug, expected, "{line}");
    }
}

#[test]
fn options_that_change_the_meaning() {
    let plan = plan("-c a.c -std=gnu17 -ansi -O2 -Wall -funsigned-char -m64 -DX -I x -o y -g");
    assert_eq!(text(meaning_options(&plan)), "-std=gnu17 -ansi -O2 -funsigned-char -m64");
}

#[test]
fn outputs() {
    let cases = [
        ("a.c", "a.out"),
        ("a.c -o x", "x"),
        ("a.c -ox -o y", "y"),
        ("a.c --output=x", "x"),
        ("a.c --output x", "x"),
        ("a.c --output-pch= x", "a.out"),
    ];
    for (line, expected) in cases {
        assert_eq!(plan(line).linked_file(), Path::new(expected), "{line}");
    }
}

#[test]
fn default_objects() {
    let cases =
        [("a.c", "a.o"), ("dir/b.c", "b.o"), ("x.tar.c", "x.tar.o"), ("text", "text.o"), ("-", "-.o")];
    for (source, expected) in cases {
        let plan = plan(&format!("-c -x c {source}"));
        let [source] = &plan.sources[..] else { panic!("{source} is not one source") };
        assert_eq!(Source::default_object(source), Path::new(expected));
    }
}

#[test]
fn response_files() {
    let cases: [(&str, &[&str]); 6] = [
        ("a b\n\tc\r\n", &["a", "b", "c"]),
        ("'a b' \"c d\"", &["a b", "c d"]),
        (r#"a\ b "c\"d" 'e"f' "g'h""#, &["a b", "c\"d", "e\"f", "g'h"]),
        ("x'y z'w", &["xy zw"]),
        ("'' \"\"", &["", ""]),
        (r"-DX=\\n 'a\'b'", &["-DX=\\n", "a'b"]),
    ];
    for (text, expected) in cases {
        assert_eq!(split(text.as_bytes()), expected, "{text}");
        assert_eq!(split(&join(&split(text.as_bytes()))), expected, "{text}");
    }
}

#[test]
fn nested_response_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).into_os_string().into_string().unwrap();
    std::fs::write(path("outer"), format!("-O2 @{} -c", path("inner"))).unwrap();
    std::fs::write(path("inner"), "'a b.c' -s").unwrap();
    std::fs::write(path("loop"), format!("-DLOOP @{}", path("loop"))).unwrap();
    let given = vec![format!("@{}", path("outer")).into(), "@missing".into()];
    let arguments = Arguments::new(given.clone());
    assert_eq!(arguments.given, given);
    assert_eq!(arguments.expanded, ["-O2", "a b.c", "-s", "-c", "@missing"]);
    let endless = Arguments::new(vec![format!("@{}", path("loop")).into()]);
    assert!(endless.expanded.contains(&"-DLOOP".into()));
}
