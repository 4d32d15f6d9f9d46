//! Types as the source names them lead to the types that DWARF describes.

mod compile;

use allocscc::dwarf::index::TypeIndex;
use allocscc::dwarf::types::Types;
use allocscc::dwarf::units::{DebugData, Units};
use allocscc::graph::names::Names;
use allocscc::sites::facts::{BaseType, Place, TagKind, TypeRef};
use compile::matrix;

const FIRST: &str = r"
struct same { int first; } s1;
struct only { struct same *s; struct hidden *h; } o;
typedef struct { long l; } named; named n;
struct { char c; } unnamed;
enum
{ LOW } e;
int main(void) { return 0; }
";
const SECOND: &str = r"
struct same { long second[2]; } s2;
union both { int i; float f; } u;
";

fn place(file: &str, line: u32) -> Place {
    Place { file: file.to_owned(), line }
}

fn tagged(kind: TagKind, tag: &str, at: Place) -> TypeRef {
    TypeRef::Tagged { kind, tag: tag.to_owned(), place: at }
}

fn pointer(to: TypeRef) -> TypeRef {
    TypeRef::Pointer(Box::new(to))
}

/// Name and size.
type Looks<'a> = (&'a str, Option<u64>);

#[test]
fn types_are_found_by_tag_typedef_and_place() {
    use TagKind::{Enum, Struct, Union};
    let nowhere = Place::default;
    let int = || TypeRef::Base(BaseType { encoding: 5, size: 4 });
    let anonymous = |kind, typedef: Option<&str>, at| TypeRef::Anonymous {
        kind,
        typedef: typedef.map(str::to_owned),
        place: at,
    };
    let array = |of, n| TypeRef::Array(Box::new(of), n);
    // Unit, type, what is found.
    let cases: Vec<(&str, TypeRef, Option<Looks<'_>>)> = vec![
        ("a.c", TypeRef::Void, Some(("void", Some(0)))),
        ("a.c", int(), Some(("int$32", Some(4)))),
        ("a.c", tagged(Struct, "same", place("a.c", 2)), Some(("same", Some(4)))),
        ("b.c", tagged(Struct, "same", place("b.c", 2)), Some(("same", Some(16)))),
        ("a.c", tagged(Struct, "same", nowhere()), Some(("same", Some(4)))),
        // Neither unit has a claim, but the place has.
        ("", tagged(Struct, "same", place("./b.c", 2)), Some(("same", Some(16)))),
        ("", tagged(Struct, "same", nowhere()), None),
        // Defined in the other unit only.
        ("a.c", tagged(Union, "both", nowhere()), Some(("both", Some(4)))),
        ("a.c", tagged(Struct, "both", nowhere()), None),
        ("a.c", tagged(Struct, "hidden", nowhere()), None),
        ("a.c", pointer(tagged(Struct, "hidden", nowhere())), Some(("__PTR_hidden", Some(8)))),
        ("a.c", pointer(tagged(Union, "never_seen", nowhere())), Some(("__PTR_never_seen", Some(8)))),
        ("a.c", anonymous(Struct, Some("named"), place("a.c", 4)), Some(("named", Some(8)))),
        ("a.c", anonymous(Struct, None, place("a.c", 5)), Some(("a_c_5", Some(1)))),
        ("a.c", anonymous(Union, None, place("a.c", 5)), None),
        (
            "a.c",
            array(pointer(tagged(Struct, "only", nowhere())), Some(3)),
            Some(("__ARR3___PTR_only", Some(24))),
        ),
        ("a.c", array(int(), Some(0)), Some(("__ARR0_int$32", None))),
        (
            "a.c",
            TypeRef::Function { result: Box::new(int()), parameters: vec![pointer(int())], variadic: true },
            Some(("__FUN_FROM___ARG0___PTR_int$32__VA___FUN_TO_int$32", Some(0))),
        ),
    ];
    for case in matrix() {
        let bytes = case.link_all(&[("a.c", FIRST), ("b.c", SECOND)]).bytes();
        let data = DebugData::load(&bytes).unwrap();
        let units = Units::new(&data).unwrap();
        let mut merged = Types::read(&units).merge();
        let index = TypeIndex::new(&units, &merged);
        assert_eq!(index.unit("nowhere.c", "/"), None);
        for (source, ty, expected) in &cases {
            let unit = index.unit(source, "/another/directory");
            let found = index.resolve(&mut merged.types, unit, ty);
            let looks = found.map(|node| {
                (Names::default().of(&merged.types, node).to_string(), merged.types.size_of(node))
            });
            let expected = expected.map(|(name, size)| (name.to_owned(), size));
            assert_eq!(looks, expected, "{case}: {ty:?} of {source}");
        }
        // gcc says where the brace of an enum stands, clang where its keyword does; the source names the keyword.
        let found = index.resolve(&mut merged.types, None, &anonymous(Enum, None, place("a.c", 6)));
        assert_eq!(found.and_then(|node| merged.types.size_of(node)), Some(4), "{case}");
    }
}
