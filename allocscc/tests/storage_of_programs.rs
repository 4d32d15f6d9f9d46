//! Statics and stack frames of real programs, against what the programs say of themselves.

mod compile;

use std::process::Command;

use allocs_metadata::Metadata;
use allocscc::dwarf::literals;
use allocscc::dwarf::statics::Static;
use allocscc::graph::Canonical;
use allocscc::graph::names::Names;
use allocscc::image::calls::Svma;
use allocscc::image::literals::Literal;
use compile::{matrix, metadata};

const STORAGE: &str = include_str!("programs/storage.c");

/// Name, size, type.
const STATICS: &[(&str, u64, &str)] = &[
    ("global", 4, "int$32"),
    ("file_local", 8, "int$64"),
    ("names", 16, "__ARR2___PTR_signed_char$8"),
    ("flexible", 10, "flexible"),
    ("declared_first", 24, "__ARR6_int$32"),
    ("stream", 8, "__PTR___PTR__IO_FILE"),
    ("counter.calls", 4, "int$32"),
    ("counter.inner", 2, "int$16"),
];

#[test]
fn statics_have_names_sizes_and_types() {
    for case in matrix() {
        let bytes = metadata::of(&case.link(STORAGE).bytes());
        let m = Metadata::parse(bytes.bytes()).unwrap();
        let find = |name: &str| {
            let found = m.statics().iter().find(|s| m.text(s.name) == name);
            let found = found.unwrap_or_else(|| panic!("{case}: {name} is missing"));
            (found.size, m.ty(found.ty).map(|t| m.text(t.name)))
        };
        for &(name, size, ty) in STATICS {
            let (found, found_type) = find(name);
            assert_eq!(found_type, Some(ty), "{case}: {name}");
            // gcc gives the variable with its initialiser, clang rounds it up to the alignment.
            assert!(found == size || (name == "flexible" && found == 12), "{case}: {name} has {found} bytes");
        }
        let main = "__FUN_FROM___ARG0_int$32__ARG1___PTR___PTR_signed_char$8__FUN_TO_int$32";
        assert_eq!(find("main").1, Some(main), "{case}");
        assert!(find("_start").0 > 0 && find("_start").1.is_none(), "{case}");
        assert!(m.statics().iter().all(|s| m.text(s.name) != "per_thread"), "{case}");
    }
}

const CLONES: &str = r#"
#include <stdio.h>
#include <stdlib.h>
struct pair { int a, b; };
static __attribute__((noinline)) int reduced(struct pair *p, int unused) { return p->a; }
static __attribute__((noinline)) int constant(int n, int k) { return n > 9 ? constant(n / k, k) + 1 : puts("x"); }
__attribute__((cold, noinline)) void rare(int n) { fprintf(stderr, "%d", n); }
__attribute__((noinline)) int split(int n) {
  if (n > 1000) { rare(n); rare(n + 1); puts("rare"); exit(n); }
  return n + 1;
}
int main(int argc, char **argv) {
  struct pair p = { argc, 2 };
  return reduced(&p, 3) + constant(argc, 7) + split(argc);
}
"#;

/// Every symbol with a size is a static of that address, and code made of a function has the function's type.
#[test]
fn every_symbol_is_a_static() {
    use object::{Object, ObjectSymbol, SymbolKind};
    let mut clones = Vec::new();
    for case in matrix() {
        let file = case.link(CLONES).bytes();
        let bytes = metadata::of(&file);
        let m = Metadata::parse(bytes.bytes()).unwrap();
        for symbol in object::File::parse(&*file).unwrap().symbols() {
            let counts = matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data);
            if !counts || symbol.size() == 0 || symbol.address() == 0 {
                continue;
            }
            let (name, svma) = (symbol.name().unwrap(), symbol.address());
            let name = name.split_once('@').map_or(name, |(name, _version)| name);
            let found = m.static_at(svma).unwrap_or_else(|| panic!("{case}: nothing at {name}"));
            assert_eq!((found.svma, found.size, m.text(found.name)), (svma, symbol.size(), name), "{case}");
            if let Some((function, _)) = name.split_once('.').filter(|(f, _)| CLONES.contains(f)) {
                let ty = m.ty(found.ty).map(|t| m.text(t.name));
                assert!(
                    ty.is_some_and(|t| t.ends_with("__FUN_TO_int$32")),
                    "{case}: {name} of {function}: {ty:?}"
                );
                clones.push(name.to_owned());
            }
        }
    }
    for kind in [".isra.0", ".constprop.0", ".cold"] {
        assert!(clones.iter().any(|c| c.ends_with(kind)), "no compiler made a {kind}: {clones:?}");
    }
}

#[test]
fn a_copied_variable_has_the_type_of_its_declaration() {
    let case = matrix()[0].clone().with(&["-fno-pie", "-no-pie"]);
    let bytes = metadata::of(&case.link(STORAGE).bytes());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    let stdout = m.statics().iter().find(|s| m.text(s.name) == "stdout").unwrap();
    assert_eq!((stdout.size, m.ty(stdout.ty).map(|t| m.text(t.name))), (8, Some("__PTR__IO_FILE")));
}

/// Each line of the program's output is a variable and its distance from the CFA: some frame of the function must have it
/// there.
#[test]
fn frames_say_where_variables_are() {
    for case in matrix() {
        let file = case.link(STORAGE);
        let bytes = metadata::of(&file.bytes());
        let m = Metadata::parse(bytes.bytes()).unwrap();
        let output = Command::new(file.path()).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert_eq!(lines.lines().count(), 5, "{case}: {lines}");
        for line in lines.lines() {
            let (variable, distance) = line.split_once(' ').unwrap();
            let (function, name) = variable.split_once('.').unwrap();
            let distance: i64 = distance.parse().unwrap();
            let is_there = m.frames().iter().any(|f| {
                m.text(f.name) == format!("program_c_{function}")
                    && m.slots(f)
                        .iter()
                        .any(|v| m.text(v.name) == name && -i64::from(v.below_cfa) == distance)
            });
            assert!(is_there, "{case}: no frame has {line}");
        }
    }
}

#[test]
fn frames_cover_disjoint_code_inside_their_function() {
    for case in matrix() {
        let bytes = metadata::of(&case.link(STORAGE).bytes());
        let m = Metadata::parse(bytes.bytes()).unwrap();
        let mut end = 0;
        for f in m.frames() {
            assert!(f.svma >= end && f.length > 0, "{case}");
            end = f.svma + u64::from(f.length);
            let function = m.static_at(f.svma).unwrap();
            assert!(end <= function.svma + function.size, "{case}");
            for slot in m.slots(f) {
                assert!(slot.length > 0 && slot.start + slot.length <= f.length, "{case}");
                let layout = m.frame_at(f.svma + u64::from(slot.start)).unwrap();
                assert!(layout.variables().any(|v| v == slot), "{case}");
                assert!(f.svma <= layout.start && layout.end <= end, "{case}");
            }
        }
    }
}

#[test]
fn string_literals_are_statics_without_a_name() {
    let literal = |svma, length, width| Literal { svma: Svma(svma), length, width };
    let mut types = Canonical::default();
    let named = Static { svma: 0x20, size: 8, ty: None, name: "text".to_owned() };
    let mut statics = vec![named.clone()];
    literals::add(&mut statics, &mut types, &[literal(0x30, 3, 4), literal(0x10, 6, 1), literal(0x24, 4, 1)]);
    let mut names = Names::default();
    let looks: Vec<_> = statics
        .iter()
        .map(|s| (s.svma, s.size, s.ty.map(|ty| names.of(&types, ty).to_string()), s.name.as_str()))
        .collect();
    let text = |s: &str| Some(s.to_owned());
    assert_eq!(
        looks,
        [
            (0x10, 6, text("__ARR6_signed_char$8"), ""),
            (0x20, 8, None, "text"),
            (0x30, 12, text("__ARR3_int$32"), "")
        ]
    );
}
