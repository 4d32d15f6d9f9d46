//! Types of real programs: the same names, looks and digests from every compiler and DWARF version.

mod compile;

use allocs_metadata::{Kind, Metadata};
use compile::{Case, matrix, metadata};

const TYPES: &str = include_str!("programs/types.c");

/// What types.c declares: size, word and related slots (name@offset or value:type).
const EXPECTED: &[(&str, &str)] = &[
    ("void", "0 0x0 []"),
    ("signed_char$8", "1 0x62 [@0:unsigned_char$8]"),
    ("unsigned_char$8", "1 0x82 [@0:signed_char$8]"),
    ("int$16", "2 0x52 [@0:uint$16]"),
    ("uint$16", "2 0x72 [@0:int$16]"),
    ("int$32", "4 0x52 [@0:uint$32]"),
    ("uint$32", "4 0x72 [@0:int$32]"),
    ("int$64", "8 0x52 [@0:uint$64]"),
    ("uint$64", "8 0x72 [@0:int$64]"),
    ("int$128", "16 0x52 [@0:uint$128]"),
    ("float$32", "4 0x42 [@0:-]"),
    ("float$64", "8 0x42 [@0:-]"),
    ("float$128", "16 0x42 [@0:-]"),
    ("complex_float$64", "8 0x32 [@0:-]"),
    ("boolean$8", "1 0x22 [@0:-]"),
    ("signs", "4 0xd4 [@0:int$32 MINUS@72057594037927935:- ZERO@0:- PLUS@1:-]"),
    ("flags", "4 0xe4 [@0:uint$32 FIRST@1:- SECOND@2:- FOURTH@4:-]"),
    ("large", "4 0x44 [@0:uint$32 TOP@4294967295:-]"),
    ("program_c_7", "4 0x44 [@0:uint$32 ONLY@0:-]"),
    ("bits", "16 0x66 [a@0:uint$3 b@0:int$9$3 c@0:int$40$12 d@6:boolean$1$4 e@4:uint$4$21 f@8:uint$16]"),
    ("tight", "13 0x46 [c@0:signed_char$8 odd@0:uint$13$8 wide@2:uint$45$5 behind@9:int$32]"),
    ("int$9$3", "4 0xc1d452 [@0:uint$9$3]"),
    ("empty", "0 0x6 []"),
    ("flexible", "4 0x26 [n@0:int$32 data@4:__ARR0_signed_char$8]"),
    ("zero", "8 0x26 [n@0:int$32 data@8:__ARR0_int$64]"),
    ("one", "8 0x26 [n@0:int$32 data@4:__ARR1_int$16]"),
    ("opaque", "unbounded 0x6 []"),
    (
        "list",
        "32 0x46 [next@0:__PTR_list prev@8:__PTR___PTR_list o@16:__PTR_opaque \
         callback@24:__PTR___FUN_FROM___ARG0___PTR_void__VA___FUN_TO_int$32]",
    ),
    ("tree", "24 0x26 [up@0:__PTR_forest child@8:program_c_34]"),
    ("program_c_34", "16 0x26 [left@0:__PTR_tree right@8:__PTR_tree]"),
    (
        "forest",
        "72 0x26 [trees@0:__ARR8___PTR_tree \
         visit@64:__PTR___FUN_FROM___ARG0___PTR_forest__ARG1___PTR_tree__FUN_TO_int$32]",
    ),
    ("named_by_typedef", "8 0x26 [a@0:int$32 @4:program_c_36]"),
    ("program_c_36", "4 0x1000026 [u@0:int$32 f@0:float$32]"),
    ("qualified", "1 0x16 [in@0:program_c_37]"),
    ("any", "32 0x1000036 [i@0:int$32 p@0:__PTR_void l@0:list]"),
    ("program_c_49", "8 0x26 [x@0:int$32 y@4:int$32]"),
    ("__PTR_void", "8 0x218 [@0:void @0:void]"),
    ("__PTR___PTR_void", "8 0x28 [@0:__PTR_void @0:void]"),
    ("__PTR_int$32", "8 0x18 [@0:int$32 @0:int$32]"),
    ("__ARR3___ARR4_int$32", "48 0x7 [@0:__ARR4_int$32]"),
    ("__ARR4_int$32", "16 0x9 [@0:int$32]"),
    ("__ARR2_int$32", "8 0x5 [@0:int$32]"),
    ("__ARR2_int$64", "16 0x5 [@0:int$64]"),
    ("__ARR0_int$64", "unbounded 0xffffffff [@0:int$64]"),
    ("__FUN_FROM___FUN_TO_void", "0 0x400a [@0:void]"),
    ("__FUN_FROM___VA___FUN_TO_int$32", "0 0x100400a [@0:int$32]"),
    (
        "__FUN_FROM___ARG0_int$32__ARG1___PTR_signed_char$8__VA___FUN_TO_int$32",
        "0 0x100402a [@0:int$32 @0:int$32 @0:__PTR_signed_char$8]",
    ),
    (
        "__FUN_FROM___ARG0_int$32__ARG1___PTR___PTR_signed_char$8__FUN_TO_int$32",
        "0 0x402a [@0:int$32 @0:int$32 @0:__PTR___PTR_signed_char$8]",
    ),
];

/// Every other way that a build may make debug information.
fn more_cases() -> Vec<Case> {
    let case = |compiler, flags: &[&str]| Case { compiler, flags: Vec::new() }.with(flags);
    vec![
        case("gcc", &["-g", "-gz=zlib"]),
        case("gcc", &["-g", "-gz=zlib-gnu"]),
        case("gcc", &["-g", "-fdebug-types-section", "-gdwarf-4"]),
        case("gcc", &["-g", "-fdebug-types-section", "-gdwarf-5"]),
        case("gcc", &["-g", "-gsplit-dwarf", "-gdwarf-4"]),
        case("gcc", &["-g", "-gsplit-dwarf", "-gdwarf-5", "-O2"]),
        case("gcc", &["-g", "-shared", "-fPIC"]),
        case("gcc", &["-g", "-no-pie", "-static"]),
        case("gcc", &["-g", "-funsigned-char"]),
        case("gcc", &["-g3", "-fno-eliminate-unused-debug-types"]),
    ]
}

/// Builds that throw variables away, and with them the only uses of some pointer and array types.
fn shrinking_cases() -> Vec<Case> {
    let case = |compiler, flags: &[&str]| Case { compiler, flags: Vec::new() }.with(flags);
    vec![
        case("gcc", &["-g", "-O2", "-flto"]),
        case("gcc", &["-g", "-O2", "-fdata-sections", "-ffunction-sections", "-Wl,--gc-sections"]),
    ]
}

#[test]
fn what_is_left_of_a_shrunk_program_is_the_same() {
    let reference = metadata::of(&matrix()[0].link(TYPES).bytes());
    let reference = metadata::types(&Metadata::parse(reference.bytes()).unwrap());
    for case in shrinking_cases() {
        let bytes = metadata::of(&case.link(TYPES).bytes());
        let types = metadata::types(&Metadata::parse(bytes.bytes()).unwrap());
        for name in ["bits", "list", "forest", "any", "int$64", "qualified", "program_c_37"] {
            assert_eq!(types.get(name), Some(&reference[name]), "{case}: {name}");
        }
        for (name, looks) in types.iter().filter(|(name, _)| reference.contains_key(*name)) {
            assert_eq!(looks, &reference[name], "{case}: {name}");
        }
    }
}

#[test]
fn types_do_not_depend_on_the_compiler() {
    let mut reference = None;
    for case in matrix().into_iter().chain(more_cases()) {
        let bytes = metadata::of(&case.link(TYPES).bytes());
        let types = metadata::types(&Metadata::parse(bytes.bytes()).unwrap());
        let reference = reference.get_or_insert_with(|| types.clone());
        for (name, looks) in EXPECTED {
            let (digest, found) = types.get(*name).unwrap_or_else(|| panic!("{case}: {name} is missing"));
            assert_eq!(found, looks, "{case}: {name}");
            assert_eq!(*digest, reference[*name].0, "{case}: the digest of {name}");
        }
    }
}

#[test]
fn digests_do_not_depend_on_what_else_is_linked() {
    const OTHER: &str = r#"
        struct list; struct tree;
        struct forest { int different; struct list *l; };
        struct unrelated { struct forest *f; struct tree *t; struct unrelated *u; } unrelated;
        struct forest other_forest;
    "#;
    // `forest` is two types here, so that the tree of program.c must still find its own.
    let case = &matrix()[0];
    let alone = metadata::of(&case.link(TYPES).bytes());
    let alone = metadata::types(&Metadata::parse(alone.bytes()).unwrap());
    let together = metadata::of(&case.link_all(&[("other.c", OTHER), ("program.c", TYPES)]).bytes());
    let together = Metadata::parse(together.bytes()).unwrap();
    for (name, (digest, looks)) in &alone {
        let same = together.types().iter().find(|t| t.digest == *digest);
        let same = same.unwrap_or_else(|| panic!("{name} has another digest"));
        assert_eq!(&metadata::describe(&together, same), looks);
    }
    let forests = together.types().iter().filter(|t| together.text(t.name) == "forest").count();
    assert_eq!(forests, 2);
}

/// The run-time library makes pointers, arrays and functions too, and they must be those of the files.
#[test]
fn digests_of_derived_types_follow_from_their_parts() {
    use allocs_metadata::{UNBOUNDED_LENGTH, digest};
    let bytes = metadata::of(&matrix()[0].link(TYPES).bytes());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    let mut checked = [0; 3];
    for t in m.types() {
        let parts: Vec<_> = m.related(t).iter().map(|r| m.ty(r.ty).map(|t| t.digest)).collect();
        let (kind, follows) = match (Kind::of_word(t.word).unwrap(), &parts[..]) {
            (Kind::Address, [Some(pointee), _]) => (0, digest::pointer(*pointee)),
            (Kind::Array, [Some(element)]) => {
                (1, digest::array(*element, Some(t.word >> 1).filter(|&n| n != UNBOUNDED_LENGTH)))
            }
            (Kind::Subprogram, [Some(result), parameters @ ..]) => {
                let parameters = parameters.iter().map(|p| p.unwrap());
                (2, digest::function(*result, parameters, t.word >> 24 & 1 != 0))
            }
            _ => continue,
        };
        assert_eq!(t.digest, follows, "{}", m.text(t.name));
        checked[kind] += 1;
    }
    assert!(checked.iter().all(|&n| n > 4), "{checked:?}");
}

#[test]
fn a_declared_type_is_its_only_definition() {
    let case = &matrix()[0];
    let sources = [
        (
            "a.c",
            "struct inner; struct outer { struct inner *i; struct other *o; } a; int main(void) { return 0; }",
        ),
        ("b.c", "struct outer; struct inner { struct outer *up; } b;"),
        ("c.c", "struct other { int first; } c;"),
        ("d.c", "struct other { long second; } d;"),
    ];
    let bytes = metadata::of(&case.link_all(&sources).bytes());
    let metadata = Metadata::parse(bytes.bytes()).unwrap();
    let looks = |name: &str| {
        let named = metadata.types().iter().filter(|t| metadata.text(t.name) == name);
        named.map(|t| metadata::describe(&metadata, t)).collect::<Vec<_>>()
    };
    assert_eq!(looks("inner"), ["8 0x16 [up@0:__PTR_outer]"]);
    assert_eq!(looks("outer"), ["16 0x26 [i@0:__PTR_inner o@8:__PTR_other]"]);
    let mut others = looks("other");
    others.sort();
    assert_eq!(others, ["4 0x16 [first@0:int$32]", "8 0x16 [second@0:int$64]", "unbounded 0x6 []"]);
}
