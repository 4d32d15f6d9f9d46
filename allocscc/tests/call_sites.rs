//! `allocscc -gallocs`: call sites say what they allocate, and all else in the debug information stays as it is.

mod compile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use allocscc::dwarf::units::{DebugData, Slice, Units};
use gimli::{AttributeValue, DieReference, Expression, Operation};
use object::{Object, ObjectSection};

/// Of LLVM 22.
const LLVM_ALLOC_TYPE: gimli::DwAt = gimli::DwAt(0x3e0e);

const MAIN: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "items.h"
typedef struct { double x, y; } point;
struct pair { int first, second; };
union word { long number; char bytes[8]; };
void *volatile keep;
volatile int sink;
static void *checked(size_t size) { void *block = malloc(size); if (!block) abort(); return block; }
static int sum(const struct pair *pair, double scale) { return pair->first + (int)(pair->second * scale); }
struct pair *new_pair(void) { return malloc(sizeof (struct pair)); }
int before(int n) { struct pair pair = { n, sink }; return sum(&pair, n / 3.0) + sum(&pair, sink); }
int main(int argc, char **argv)
{
    struct pair *one = malloc(sizeof *one); keep = one;
    point *points = calloc(argc, sizeof (point)); keep = points;
    union word *words = checked(argc * sizeof *words); keep = words;
    char *text = malloc(strlen(argv[0]) + 1); strcpy(text, argv[0]); keep = text;
    struct pair **table = malloc(argc * sizeof *table); keep = table;
    keep = new_pair();
    keep = new_item(argc);
    one->first = argc; one->second = sink;
    for (int i = 0; i < argc; i++) { point copy = points[i]; sink += (int)(copy.x * copy.y) + before(i); }
    return sum(one, points->x);
}
"#;
const ITEMS_H: &str = "struct item { long key; struct item *next; };\nstruct item *new_item(long key);\n";
const ITEMS: &str = r#"
#include <stdlib.h>
#include "items.h"
struct item *new_item(long key)
{
    struct item *item = malloc(sizeof *item);
    item->key = key;
    item->next = malloc(sizeof *item->next);
    return item;
}
"#;
const SOURCES: [(&str, &str); 3] = [("main.c", MAIN), ("items.h", ITEMS_H), ("items.c", ITEMS)];

/// Compiles each source with allocscc, and links.
fn build(directory: &Path, compiler: &str, flags: &[&str]) -> (Vec<u8>, String) {
    for (name, text) in SOURCES {
        std::fs::write(directory.join(name), text).unwrap();
    }
    let allocscc = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_allocscc"))
            .args(flags)
            .args(["-w", "-Wallocs"])
            .args(arguments)
            .current_dir(directory)
            .env("ALLOCSCC_CC", compiler)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{compiler} {flags:?} {arguments:?}: {said}");
        said
    };
    let mut said = allocscc(&["-c", "main.c"]);
    said += &allocscc(&["-c", "items.c"]);
    said += &allocscc(&["-o", "program", "main.o", "items.o"]);
    (std::fs::read(directory.join("program")).unwrap(), said)
}

/// All DIEs, a line each. What refers to a DIE has its number, so that the text does not depend on offsets.
struct Tree {
    lines: Vec<String>,
    /// What calls allocate, by address.
    said: BTreeMap<u64, String>,
}

fn tree(bytes: &[u8]) -> Tree {
    let data = DebugData::load(bytes).unwrap();
    let units = Units::new(&data).unwrap();
    assert_eq!(units.warnings(), [] as [String; 0]);
    let mut numbers = BTreeMap::new();
    for (_, unit) in units.iter() {
        let unit = unit.get();
        let mut entries = unit.entries();
        while let Some(die) = entries.next_dfs().unwrap() {
            let offset = die.offset().to_unit_section_offset(&unit.header).0;
            let name = die.attr_value(gimli::DW_AT_name).and_then(|value| unit.attr_string(value).ok());
            let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            numbers.insert(offset, (numbers.len(), format!("{} {name}", die.tag())));
        }
    }
    let mut tree = Tree { lines: Vec::new(), said: BTreeMap::new() };
    for (_, unit) in units.iter() {
        let unit = unit.get();
        let start = unit.header.offset().0;
        let number = |offset: usize| format!("#{}", numbers[&offset].0);
        let mut entries = unit.entries();
        while let Some(die) = entries.next_dfs().unwrap() {
            let mut line = format!("{} {}", die.depth(), die.tag());
            for attribute in die.attrs() {
                let value = match attribute.raw_value() {
                    AttributeValue::UnitRef(at) => number(start + at.0),
                    AttributeValue::DebugInfoRef(at) => number(at.0),
                    AttributeValue::Exprloc(expression) => spelt(expression, unit.encoding(), start, &number),
                    AttributeValue::Block(block) => format!("{:?}", block.slice()),
                    AttributeValue::String(text) => format!("{:?}", text.slice()),
                    other => format!("{other:?}"),
                };
                let mut locations = String::new();
                let list = matches!(
                    attribute.value(),
                    AttributeValue::LocationListsRef(_) | AttributeValue::DebugLocListsIndex(_)
                );
                if list && let Some(mut list) = unit.attr_locations(attribute.value()).unwrap() {
                    while let Some(entry) = list.next().unwrap() {
                        locations += &format!(
                            " {:x?} {}",
                            entry.range,
                            spelt(entry.data, unit.encoding(), start, &number)
                        );
                    }
                }
                if attribute.name() != LLVM_ALLOC_TYPE {
                    line += &format!(" {}={value}{locations}", attribute.name());
                    continue;
                }
                let target = match attribute.raw_value() {
                    AttributeValue::UnitRef(at) => start + at.0,
                    AttributeValue::DebugInfoRef(at) => at.0,
                    other => panic!("{other:?}"),
                };
                let address = [gimli::DW_AT_call_return_pc, gimli::DW_AT_low_pc]
                    .into_iter()
                    .find_map(|name| die.attr_value(name));
                let address = unit.attr_address(address.unwrap()).unwrap().unwrap();
                tree.said.insert(address, numbers[&target].1.clone());
            }
            tree.lines.push(line);
        }
    }
    tree
}

fn spelt(
    expression: Expression<Slice<'_>>,
    encoding: gimli::Encoding,
    unit: usize,
    number: &dyn Fn(usize) -> String,
) -> String {
    let mut text = String::new();
    let mut operations = expression.operations(encoding);
    while let Some(operation) = operations.next().unwrap() {
        let base_type =
            |at: gimli::UnitOffset| if at.0 == 0 { "generic".into() } else { number(unit + at.0) };
        text += &match operation {
            Operation::ImplicitPointer { value, byte_offset } => format!("{}+{byte_offset}", number(value.0)),
            Operation::Call { offset: DieReference::UnitRef(at) }
            | Operation::ParameterRef { offset: at } => number(unit + at.0),
            Operation::TypedLiteral { base_type: ty, value } => {
                format!("{} {:?}", base_type(ty), value.slice())
            }
            Operation::Convert { base_type: ty } => format!("convert {}", base_type(ty)),
            Operation::Reinterpret { base_type: ty } => format!("reinterpret {}", base_type(ty)),
            Operation::RegisterOffset { register, offset, base_type: ty } => {
                format!("{register:?} {offset} {}", base_type(ty))
            }
            Operation::Deref { base_type: ty, size, .. } => format!("deref {size} {}", base_type(ty)),
            Operation::EntryValue { expression } => {
                format!("entry_value({})", spelt(Expression(expression), encoding, unit, number))
            }
            other => format!("{other:?}"),
        };
        text.push(';');
    }
    text
}

/// What `allocs meta` shows of each site: the return address and the type.
fn types_of_sites(directory: &Path, bytes: &[u8]) -> BTreeMap<u64, String> {
    let file = directory.join("shown");
    std::fs::write(&file, bytes).unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_allocs")).args(["meta", "--json"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sites = shown["sites"].as_array().unwrap().iter();
    sites.map(|site| (site["return_svma"].as_u64().unwrap(), site["type"].to_string())).collect()
}

/// The file with the metadata that `allocs meta add` makes of the debug information alone.
fn made_anew(directory: &Path, bytes: &[u8]) -> Vec<u8> {
    let file = directory.join("anew");
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_allocs"))
        .args(["meta", "add", "--replace"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(file).unwrap()
}

/// The ranges of addresses of units.
fn units_of_aranges(bytes: &[u8]) -> Vec<usize> {
    let file = object::File::parse(bytes).unwrap();
    let data = file
        .section_by_name(".debug_aranges")
        .map(|section| section.data().unwrap().to_vec())
        .unwrap_or_default();
    let aranges = gimli::DebugAranges::new(&data, gimli::LittleEndian);
    let mut headers = aranges.headers();
    let mut found = Vec::new();
    while let Some(header) = headers.next().unwrap() {
        found.push(header.debug_info_offset().0);
    }
    found
}

fn starts_of_units(bytes: &[u8]) -> BTreeSet<usize> {
    let data = DebugData::load(bytes).unwrap();
    Units::new(&data).unwrap().iter().map(|(_, unit)| unit.get().header.offset().0).collect()
}

#[test]
fn call_sites_say_what_they_allocate() {
    for compiler in compile::compilers() {
        for flags in [
            &["-O1", "-gdwarf-4"][..],
            &["-O2", "-gdwarf-4"],
            &["-O2", "-gdwarf-5"],
            &["-O2", "-gdwarf-5", "-flto"],
        ] {
            let case = format!("{compiler} {flags:?}");
            let directory = tempfile::tempdir().unwrap();
            let (plain, _) = build(directory.path(), compiler, flags);
            let (written, said) = build(directory.path(), compiler, &[flags, &["-gallocs"]].concat());
            assert_eq!(said, "", "{case}");
            let (before, after) = (tree(&plain), tree(&written));
            assert_eq!(before.said, BTreeMap::new(), "{case}");
            assert!(before.lines == after.lines, "{case}");
            let types: BTreeSet<&str> = after.said.values().map(String::as_str).collect();
            let structs =
                ["DW_TAG_structure_type pair", "DW_TAG_structure_type item", "DW_TAG_union_type word"];
            let expected =
                [&structs[..], &["DW_TAG_typedef point", "DW_TAG_base_type char", "DW_TAG_pointer_type "]]
                    .concat();
            // clang describes few of the calls.
            if compiler == "gcc" {
                assert_eq!(types, expected.into_iter().collect(), "{case}: {:?}", after.said);
                let types = types_of_sites(directory.path(), &written);
                let anew = types_of_sites(directory.path(), &made_anew(directory.path(), &written));
                let is_read_back =
                    |address: &u64| types.contains_key(address) && types.get(address) == anew.get(address);
                assert!(after.said.keys().all(is_read_back), "{case}: {types:?}, not {anew:?}");
                let starts = starts_of_units(&written);
                assert!(units_of_aranges(&written).iter().all(|unit| starts.contains(unit)), "{case}");
            }
        }
    }
}

#[test]
fn what_cannot_be_written_is_left_as_it_is() {
    for (flag, why) in [("-gz=zlib", "compressed"), ("-gpubnames", ".debug_pubnames")] {
        let directory = tempfile::tempdir().unwrap();
        let (plain, _) = build(directory.path(), "gcc", &["-O2", "-g", flag]);
        let (left, said) = build(directory.path(), "gcc", &["-O2", "-g", flag, "-gallocs"]);
        assert!(said.contains("does not say what calls allocate") && said.contains(why), "{said}");
        assert!(plain == left, "{flag}");
    }
}

#[test]
fn debug_information_that_nobody_keeps_says_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (without, said) = build(directory.path(), "gcc", &["-O2", "-gallocs", "-g0"]);
    assert_eq!(said, "");
    assert!(object::File::parse(&*without).unwrap().section_by_name(".debug_info").is_none());
    let (written, _) = build(directory.path(), "gcc", &["-O2", "-gallocs"]);
    assert!(!tree(&written).said.is_empty());
}
