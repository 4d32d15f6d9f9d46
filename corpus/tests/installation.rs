//! An installation as other projects meet it: through pkg-config, CMake, `-lallocs` and the small commands, wherever it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use corpus::stage::Stage;
use corpus::{child, places, tools};

/// A client as its authors write it, with the header.
const CLIENT: &str = r#"#include <allocs.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	char *p = malloc(42);
	printf("%d %lu\n", alloc_get_base(p + 7) == p, alloc_get_size(p));
	return 0;
}
"#;

/// The same, which declares the functions itself.
const WITHOUT_HEADER: &str = r#"#include <stdio.h>
#include <stdlib.h>
extern void *alloc_get_base(void *);
extern unsigned long alloc_get_size(void *);
extern void *alloc_get_info(void *, void *, void **, void **, unsigned long *, const void **);
extern int __liballocs_add_type_to_block(void *, void *);
int main(void)
{
	char *p = malloc(42);
	void *type = p, *base = p;
	const void *site = p;
	unsigned long size = 1;
	alloc_get_info(p + 7, NULL, &type, &base, &size, &site);
	printf("%d %lu", alloc_get_base(p + 7) == p, alloc_get_size(p));
	printf(" %d %lu %d %d\n", base == p, size, type != NULL, site != NULL);
	return 0;
}
"#;

/// The block in this language that the README has for other projects.
fn readme(language: &str) -> Result<String> {
    let text = fs::read_to_string(places::root().join("README.md"))?;
    let section = text.split_once("### In another project").context("README.md has no such section")?.1;
    let block = section.split_once(&format!("```{language}\n")).context("README.md has no such block")?.1;
    Ok(block.split_once("```").context("the block ends")?.0.to_owned())
}

/// A copy of the stage in a directory of its own, so that nothing can be found where it was built.
fn copy(stage: &Stage, to: &Path) -> Result<PathBuf> {
    child::must(Command::new("cp").arg("-RP").arg(stage.prefix()).arg(to))?;
    Ok(to.to_owned())
}

/// Makes a directory with the client for a test, and checks what is done with the installation in it in three places.
fn everywhere(check: fn(&Path, &Path) -> Result<()>) -> Result<()> {
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    let elsewhere = Stage::elsewhere(&scratch.path().join("multiarch"), "lib/x86_64-linux-gnu")?;
    let prefixes = [
        copy(&stage, &scratch.path().join("copy"))?,
        copy(&stage, &scratch.path().join("with a space"))?,
        elsewhere.prefix().to_owned(),
    ];
    for (number, prefix) in prefixes.iter().enumerate() {
        let dir = scratch.path().join(number.to_string());
        fs::create_dir(&dir)?;
        fs::write(dir.join("client.c"), CLIENT)?;
        fs::write(dir.join("without_header.c"), WITHOUT_HEADER)?;
        check(prefix, &dir).with_context(|| format!("installed in {}", prefix.display()))?;
    }
    Ok(())
}

/// Runs a shell script with the installation's programs and packages in the search paths; returns what it printed.
fn shell(prefix: &Path, dir: &Path, script: &str) -> Result<String> {
    let libdir = libdir(prefix);
    let path = format!("{}:{}", prefix.join("bin").display(), std::env::var("PATH")?);
    let mut command = Command::new("sh");
    command.current_dir(dir).args(["-euc", script]).env("PATH", path);
    command.env("PKG_CONFIG_PATH", libdir.join("pkgconfig")).env("LIBALLOCS_ERR", "/dev/null");
    child::printed(command.env("LC_ALL", "C").env_remove("LD_PRELOAD"))
}

fn libdir(prefix: &Path) -> PathBuf {
    let multiarch = prefix.join("lib/x86_64-linux-gnu");
    if multiarch.is_dir() { multiarch } else { prefix.join("lib") }
}

fn expect(found: &str, expected: &str) -> Result<()> {
    ensure!(found == expected, "printed\n{found}\ninstead of\n{expected}");
    Ok(())
}

#[test]
fn pkg_config_says_how_to_build() -> Result<()> {
    tools::find("pkg-config")?;
    everywhere(|prefix, dir| {
        let build = "eval \"cc client.c -o client $(pkg-config --cflags --libs liballocs)\"";
        let run = "./client; allocs run ./client; ! ldd client | grep allocs";
        expect(&shell(prefix, dir, &format!("{build}; {run}"))?, "0 0\n1 42\n")?;
        let variables = "eval \"ls $(pkg-config --variable=preload liballocs) $(pkg-config --variable=allocscc liballocs)\"";
        expect(shell(prefix, dir, variables)?.lines().count().to_string().as_str(), "2")
    })
}

#[test]
fn the_readme_says_how_to_build() -> Result<()> {
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("client.c"), CLIENT)?;
    expect(&shell(stage.prefix(), scratch.path(), &readme("sh")?)?, "1 42\n")
}

#[test]
fn the_small_commands_say_the_same() -> Result<()> {
    everywhere(|prefix, dir| {
        let build = "eval \"cc $(allocs-cflags) client.c -o client $(allocs-ldflags)\"";
        let wrapped = "allocs-wrap cc -o wrapped client.c; allocs meta wrapped | grep -c 'from malloc'";
        let script = format!("{build}; allocs run ./client; {wrapped}; allocs run ./wrapped");
        expect(&shell(prefix, dir, &script)?, "1 42\n1\n1 42\n")
    })
}

#[test]
fn cmake_finds_the_package() -> Result<()> {
    tools::find("cmake")?;
    everywhere(|prefix, dir| {
        let head =
            "cmake_minimum_required(VERSION 3.13)\nproject(client C)\nadd_executable(client client.c)\n";
        let tail = "file(WRITE ${CMAKE_BINARY_DIR}/preload \"${liballocs_PRELOAD}\")\n";
        fs::write(dir.join("CMakeLists.txt"), [head, &readme("cmake")?, tail].concat())?;
        let build = format!(
            "cmake -S . -B build -D CMAKE_PREFIX_PATH='{}' >log; cmake --build build >log",
            prefix.display()
        );
        let run = "build/client; allocs run build/client; ls \"$(cat build/preload)\" >log; ! ldd build/client | grep allocs";
        expect(&shell(prefix, dir, &format!("{build}; {run}"))?, "0 0\n1 42\n")
    })
}

/// A program that declares the functions itself links with `-lallocs`, whatever link editor, and runs with and without the
/// library, and where nothing of ours is installed.
#[test]
fn names_can_be_linked() -> Result<()> {
    tools::find("ld.lld-14")?;
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("without_header.c"), WITHOUT_HEADER)?;
    for (compiler, linkers) in [("cc", &["bfd", "gold"][..]), ("clang-14", &["bfd", "gold", "lld"])] {
        for linker in linkers {
            for flags in ["-fPIE -pie", "-fno-pie -no-pie", "-O2 -rdynamic"] {
                let build =
                    format!("{compiler} -fuse-ld={linker} {flags} without_header.c -o it $(allocs-ldflags)");
                let run = "./it; allocs run ./it; ! ldd it | grep allocs";
                let printed = shell(stage.prefix(), scratch.path(), &format!("{build}; {run}"))?;
                expect(&printed, "0 0 0 0 0 0\n1 42 1 42 0 1\n").context(build)?;
            }
        }
    }
    let printed =
        shell(stage.prefix(), scratch.path(), "cc -static without_header.c -o it $(allocs-ldflags); ./it")?;
    expect(&printed, "0 0 0 0 0 0\n")
}

/// A program that names base types as the header declares them links with `-lallocs`, too, without allocscc.
#[test]
fn types_can_be_linked() -> Result<()> {
    tools::find("ld.lld-14")?;
    let program = r#"#include <allocs.h>
static unsigned char c;
static long l;
int main(void)
{
	int same = alloc_get_type(&c) == NULL;
	char *p = malloc(1);
	if (p && __liballocs_typestr_to_uniqtype("int$32") == &__uniqtype__int) same = 2;
	printf("%u %u %d\n", __uniqtype__unsigned_char.pos_maxoff, __uniqtype__long_int.related[0].un.t.ptr->pos_maxoff, same);
	return l;
}
"#;
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("it.c"), program)?;
    for (compiler, linkers) in [("cc", &["bfd", "gold"][..]), ("clang-14", &["bfd", "gold", "lld"])] {
        for linker in linkers {
            for flags in ["-fPIE -pie", "-fno-pie -no-pie", "-O2 -rdynamic"] {
                let build = format!(
                    "{compiler} -fuse-ld={linker} {flags} $(allocs-cflags) it.c -o it $(allocs-ldflags)"
                );
                let printed =
                    shell(stage.prefix(), scratch.path(), &format!("{build}; ./it; allocs run ./it"))?;
                expect(&printed, "1 8 1\n1 8 2\n").context(build)?;
            }
        }
    }
    let build = "cc -static $(allocs-cflags) it.c -o it $(allocs-ldflags); ./it";
    expect(&shell(stage.prefix(), scratch.path(), build)?, "1 8 1\n")
}

/// The functions that take types as further arguments, in registers and on the stack.
#[test]
fn functions_with_further_arguments_can_be_linked() -> Result<()> {
    let program = r#"#include <stdio.h>
#include <stdlib.h>
struct uniqtype *alloc_get_type(void *), *__liballocs_get_or_create_union_type(unsigned, ...);
struct uniqtype *__liballocs_get_or_create_subprogram_type(struct uniqtype *, unsigned, ...);
const char *__liballocs_uniqtype_name(struct uniqtype *);
int i;
long l;
int main(void)
{
	struct uniqtype *a = alloc_get_type(&i), *b = alloc_get_type(&l);
	const char *s = __liballocs_uniqtype_name(__liballocs_get_or_create_subprogram_type(a, 6, b, b, b, b, b, a));
	const char *u = __liballocs_uniqtype_name(__liballocs_get_or_create_union_type(2, a, b));
	printf("%s\n%s\n", s ? s : "none", u ? u : "none");
	return 0;
}
"#;
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("it.c"), program)?;
    let script = "allocscc it.c -o it $(allocs-ldflags); ./it; allocs run ./it";
    let arguments =
        ["int$64"; 5].iter().enumerate().map(|(n, ty)| format!("__ARG{n}_{ty}")).collect::<String>();
    let subprogram = format!("__FUN_FROM_{arguments}__ARG5_int$32__FUN_TO_int$32");
    let printed = shell(stage.prefix(), scratch.path(), script)?;
    expect(&printed, &format!("none\nnone\n{subprogram}\n__SYNTHUNION_int$32_int$64\n"))
}

/// What `-lallocs` offers is what the library exports for its headers; those with further arguments are tested above.
#[test]
fn every_function_can_be_linked() -> Result<()> {
    let stage = Stage::ready()?;
    let names = |script: &str| shell(stage.prefix(), &libdir(stage.prefix()), script);
    let linkable = names(
        "nm -g --defined-only liballocs.a | awk '$2 == \"W\" { print $3 }' | grep -v get_or_create_[us] | LC_ALL=C sort",
    )?;
    let pointed_to =
        names("nm -D liballocs_preload.so | sed -n 's/.* __liballocs_pointer_to_//p' | LC_ALL=C sort")?;
    let ours = "__liballocs_|alloc_|__lookup_|__packed_seq_|__uniqtype_|fake_dladdr$|uniqtype_to_c$";
    let exported = names(&format!(
        "nm -D liballocs_preload.so | awk '$2 == \"T\" {{ print $3 }}' | grep -E '^({ours})' | LC_ALL=C sort"
    ))?;
    ensure!(linkable.lines().count() > 50, "liballocs.a defines only\n{linkable}");
    expect(&linkable, &exported)?;
    expect(&pointed_to, &exported)
}

#[test]
fn programs_are_found_through_links() -> Result<()> {
    let stage = Stage::ready()?;
    let scratch = tempfile::tempdir()?;
    fs::write(scratch.path().join("client.c"), CLIENT)?;
    for program in ["allocs", "allocscc", "allocs-cflags"] {
        symlink(stage.prefix().join("bin").join(program), scratch.path().join(program))?;
    }
    let script =
        "./allocscc client.c -o client; ./allocs run ./client; cc $(./allocs-cflags) -fsyntax-only client.c";
    expect(&shell(stage.prefix(), scratch.path(), script)?, "1 42\n")
}

#[test]
fn bash_completes_the_words_of_allocs() -> Result<()> {
    let stage = Stage::ready()?;
    let file = stage.prefix().join("share/bash-completion/completions/allocs");
    let complete = |words: &str, word: &str| -> Result<String> {
        let script = format!(
            ". '{}'; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _allocs_or_command allocs '{word}' allocs; echo \"${{COMPREPLY[*]}}\"",
            file.display()
        );
        child::printed(Command::new(tools::find("bash")?).args(["--norc", "-c", &script]))
    };
    expect(&complete("allocs me", "me")?, "meta\n")?;
    expect(&complete("allocs meta --j", "--j")?, "--json\n")?;
    expect(&complete("allocs completions z", "z")?, "zsh\n")
}
