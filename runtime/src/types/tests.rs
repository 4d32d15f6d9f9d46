//! Types from hand-made metadata: as a C program would see them.

use allocs_metadata::digest::{self, Digest, Digester, Tag};
use allocs_metadata::{
    Kind, MEMBER_MAY_BE_INVALID, Metadata, RelatedRecord, StrRef, TYPE_INCOMPLETE, TYPE_IS_SYNTHETIC,
    TYPE_IS_UNION, TYPE_MAKES_PRECISE, TYPE_NAME_IS_TAG, TypeId, TypeRecord, UNBOUNDED_LENGTH,
    UNBOUNDED_SIZE,
};
use allocs_metadata_writer::Writer;
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;

use super::named::{self, Rank};
use super::precise::precise;
use super::uniqtype::Bits;
use super::{TypeRef, TypedFile, intern, make, spell};
use crate::c_api::inner::inner_type;

/// A file's types, made one after the other.
#[derive(Default)]
struct File {
    records: Vec<(TypeRecord, String, Vec<Slot>)>,
}

/// Type, name and value of a related slot.
type Slot = (TypeId, String, u64);

impl File {
    fn add(&mut self, name: &str, shape: (Digest, u32, u32, u32), related: &[(TypeId, &str, u64)]) -> TypeId {
        let (digest, size, word, flags) = shape;
        let record =
            TypeRecord { digest, name: StrRef(0), size, word, first_related: 0, related_count: 0, flags };
        let related = related.iter().map(|&(ty, name, value)| (ty, name.into(), value)).collect();
        self.records.push((record, name.into(), related));
        TypeId(self.records.len() as u32 - 1)
    }

    fn base(&mut self, name: &str, encoding: u8, size: u32) -> TypeId {
        let word = Kind::Base as u32 | u32::from(encoding) << 4;
        self.add(name, (digest::base(encoding, size, 8 * size, 0), size, word, 0), &[])
    }

    fn digest(&self, id: TypeId) -> Digest {
        self.records[id.0 as usize].0.digest
    }

    fn name(&self, id: TypeId) -> String {
        self.records[id.0 as usize].1.clone()
    }

    fn pointer(&mut self, pointee: TypeId) -> TypeId {
        let name = std::format!("__PTR_{}", self.name(pointee));
        let shape = (digest::pointer(self.digest(pointee)), 8, Kind::Address as u32 | 1 << 4, 0);
        self.add(&name, shape, &[(pointee, "", 0), (pointee, "", 0)])
    }

    fn unbounded(&mut self, element: TypeId) -> TypeId {
        let name = std::format!("__ARR0_{}", self.name(element));
        let digest = digest::array(self.digest(element), None);
        let shape = (digest, UNBOUNDED_SIZE, 1 | UNBOUNDED_LENGTH << 1, TYPE_MAKES_PRECISE);
        self.add(&name, shape, &[(element, "", 0)])
    }

    fn composite(&mut self, name: &str, size: u32, flags: u32, members: &[(TypeId, &str, u64)]) -> TypeId {
        let not_simultaneous = if flags & TYPE_IS_UNION != 0 { 1 << 24 } else { 0 };
        let word = Kind::Composite as u32 | (members.len() as u32) << 4 | not_simultaneous;
        self.add(name, (nominal(name), size, word, flags), members)
    }

    /// The metadata, with the types in the opposite order if `backwards`.
    fn load(&self, backwards: bool) -> &'static TypedFile {
        leak(Metadata::parse(aligned(&self.bytes(backwards))).unwrap())
    }

    fn bytes(&self, backwards: bool) -> Vec<u8> {
        let count = self.records.len() as u32;
        let place = |id: TypeId| match id {
            TypeId::NONE => id,
            TypeId(n) if backwards => TypeId(count - 1 - n),
            id => id,
        };
        let mut writer = Writer::new();
        let mut records: Vec<_> = self.records.iter().collect();
        if backwards {
            records.reverse();
        }
        for (record, name, related) in records {
            let record = TypeRecord { name: writer.string(name), ..*record };
            let related: Vec<RelatedRecord> = related
                .iter()
                .map(|(ty, name, value)| RelatedRecord {
                    ty: place(*ty),
                    name: writer.string(name),
                    value: *value,
                })
                .collect();
            writer.ty(record, &related);
        }
        writer.finish(b"").unwrap()
    }
}

fn leak(metadata: Metadata<'static>) -> &'static TypedFile {
    std::boxed::Box::leak(std::boxed::Box::new(TypedFile::new(metadata)))
}

/// The bytes at an address that is a multiple of 8, for ever.
fn aligned(bytes: &[u8]) -> &'static [u8] {
    let room: &'static mut [u8] = std::vec![0; bytes.len() + 8].leak();
    let start = room.as_ptr().align_offset(8);
    let place = &mut room[start..start + bytes.len()];
    place.copy_from_slice(bytes);
    place
}

fn nominal(name: &str) -> Digest {
    Digester::new(Tag::Composite).bytes(name.as_bytes()).finish()
}

fn name_of(ty: TypeRef) -> &'static str {
    ty.name().to_str().unwrap()
}

fn spelled(ty: TypeRef) -> String {
    let mut text = Vec::new();
    spell::spell(ty, &mut |part| text.extend_from_slice(part));
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn of_the_types_of_a_name_a_tag_comes_first_and_a_declaration_last() {
    let mut file = File::default();
    let declaration = file.composite("twice", 0, TYPE_INCOMPLETE | TYPE_NAME_IS_TAG, &[]);
    let typedef = file.composite("twice", 4, 0, &[]);
    let tag = file.composite("twice", 8, TYPE_NAME_IS_TAG, &[]);
    file.composite("twice", 12, TYPE_NAME_IS_TAG, &[]);
    let only_declared = file.composite("declared", 0, TYPE_INCOMPLETE | TYPE_NAME_IS_TAG, &[]);
    let best = |file: &File, name: &str| named::best(file.load(false), name.as_bytes());
    assert_eq!(best(&file, "twice"), Some((Rank::Tag, tag)));
    assert_eq!(best(&file, "declared"), Some((Rank::Declaration, only_declared)));
    assert_eq!(best(&file, "twic"), None);
    file.records.truncate(2);
    assert_eq!(best(&file, "twice"), Some((Rank::Other, typedef)));
    file.records.truncate(1);
    assert_eq!(best(&file, "twice"), Some((Rank::Declaration, declaration)));
}

/// `struct NAME { struct NAME *next; int n; char text[]; }` in a file.
fn list(name: &str) -> (File, TypeId) {
    list_of(name, 4, 1)
}

/// The same with integers and characters of these sizes.
fn list_of(name: &str, int: u32, char: u32) -> (File, TypeId) {
    let mut file = File::default();
    let int = file.base(&std::format!("int${}", 8 * int), make::ATE_SIGNED, int);
    let char = file.base(&std::format!("signed_char${}", 8 * char), make::ATE_SIGNED_CHAR, char);
    let text = file.unbounded(char);
    let node = TypeId(file.records.len() as u32 + 1);
    let next = {
        let shape = (digest::pointer(nominal(name)), 8, Kind::Address as u32 | 1 << 4, 0);
        file.add(&std::format!("__PTR_{name}"), shape, &[(node, "", 0), (node, "", 0)])
    };
    file.composite(name, 16, TYPE_NAME_IS_TAG, &[(next, "next", 0), (int, "n", 8), (text, "text", 12)]);
    (file, node)
}

#[test]
fn a_type_has_all_that_its_file_says() {
    let (file, node) = list("all_said");
    let ty = intern(file.load(false), node).unwrap();
    assert_eq!((name_of(ty), ty.size(), ty.kind()), ("all_said", Some(16), Kind::Composite));
    let members: Vec<_> = (0..3).map(|i| ty.member(i).unwrap()).collect();
    assert_eq!(members.iter().map(|m| m.offset).collect::<Vec<_>>(), [0, 8, 12]);
    assert_eq!(members[0].ty.related(0), Some(ty), "a cycle closes");
    assert_eq!(members[0].ty.related(1), Some(ty));
    assert_eq!(name_of(members[1].ty.related(0).unwrap()), "uint$32");
    assert_eq!(members[1].ty.related(0).unwrap().related(0), Some(members[1].ty));
    assert!(members[2].ty.makes_precise() && members[2].ty.size().is_none());
    assert!(ty.is_complete() && members.iter().all(|m| m.ty.is_complete()));
    #[allow(unsafe_code)]
    // SAFETY: member names are strings that stay.
    let names = (0..3).map(|i| unsafe { core::ffi::CStr::from_ptr(ty.member_name(i)) }.to_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["next", "n", "text"]);
}

#[test]
fn one_digest_is_one_address_from_any_file_and_thread() {
    let (file, node) = list("shared");
    let backwards = TypeId(file.records.len() as u32 - 1 - node.0);
    let files = [(file.load(false), node), (file.load(true), backwards)];
    let addresses: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|i| scope.spawn(move || intern(files[i % 2].0, files[i % 2].1).unwrap().as_ptr() as usize))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(addresses.iter().all(|&address| address == addresses[0]));
}

#[test]
fn types_made_at_run_time_are_those_of_files() {
    let mut file = File::default();
    let int = file.base("int$32", make::ATE_SIGNED, 4);
    let pointer = file.pointer(int);
    let array = file.unbounded(pointer);
    let made = make::array(make::pointer(make::base(make::ATE_SIGNED, 4).unwrap()).unwrap(), None).unwrap();
    assert_eq!(intern(file.load(false), array), Some(made));
    assert_eq!(name_of(made), "__ARR0___PTR_int$32");
}

#[test]
fn broken_metadata_gives_no_type() {
    let check = |what: &str, build: fn(&mut File) -> TypeId| {
        let mut file = File::default();
        let id = build(&mut file);
        assert_eq!(intern(file.load(false), id), None, "{what}");
    };
    check("no such type", |_| TypeId(7));
    check("a member's type is out of range", |file| {
        file.composite("broken_member", 8, 0, &[(TypeId(9), "m", 0)])
    });
    check("no such kind", |file| file.add("kind 14", ([1, 2], 0, 14, 0), &[]));
}

#[test]
fn a_digest_keeps_the_shape_that_came_first() {
    let mut file = File::default();
    let int = file.base("int$32", make::ATE_SIGNED, 4);
    let empty = file.composite("two shapes", 8, 0, &[]);
    assert!(intern(file.load(false), empty).is_some());
    let mut other = File::default();
    other.records.push(file.records[int.0 as usize].clone());
    let full = other.composite("two shapes", 8, 0, &[(int, "m", 0)]);
    assert_eq!(intern(other.load(false), full), None, "nor is it filled in twice");
    let outer = other.composite("outer of two shapes", 8, 0, &[(full, "m", 0)]);
    assert_eq!(intern(other.load(false), outer), None);
}

#[test]
fn an_undefined_struct_is_itself() {
    let mut file = File::default();
    let word = Kind::Composite as u32;
    let shape = (nominal("undefined"), 0, word, TYPE_INCOMPLETE | TYPE_NAME_IS_TAG);
    let declared = file.add("undefined", shape, &[]);
    let pointer = file.pointer(declared);
    let metadata = file.load(false);
    let pointer = intern(metadata, pointer).unwrap();
    assert_eq!(pointer.related(0), intern(metadata, declared));
}

#[test]
fn lengths_follow_from_the_allocation() {
    let int = make::base(make::ATE_SIGNED, 4).unwrap();
    let open = make::array(int, None).unwrap();
    let check = |bytes: usize, expect: &str, size: usize| {
        let ty = precise(open, bytes).unwrap();
        assert_eq!((name_of(ty), ty.size()), (expect, Some(size)), "{bytes} bytes");
        assert_eq!(precise(open, bytes), Some(ty), "the same answer is the same address");
        assert_eq!(precise(ty, 1), Some(ty), "a precise type stays as it is");
    };
    check(168, "__ARR42_int$32", 168);
    check(7, "__ARR1_int$32", 4);
    check(0, "__ARRZ_int$32", 0);
}

#[test]
fn the_tail_of_a_synthetic_composite_becomes_precise() {
    let mut file = File::default();
    let int = file.base("int$32", make::ATE_SIGNED, 4);
    let char = file.base("signed_char$8", make::ATE_SIGNED_CHAR, 1);
    let tail = file.unbounded(char);
    let flags = TYPE_IS_SYNTHETIC | TYPE_MAKES_PRECISE;
    let members = [(int, "", 0), (tail, "", 4)];
    let synth = file.composite("__SYNTH_int$32__ARR0_signed_char$8", UNBOUNDED_SIZE, flags, &members);
    let ty = intern(file.load(false), synth).unwrap();
    let exact = precise(ty, 14).unwrap();
    assert_eq!(name_of(exact), "__SYNTH_int$32__ARR10_signed_char$8");
    assert_eq!((exact.size(), exact.member(1).unwrap().offset), (Some(14), 4));
    assert_eq!(precise(ty, 14), Some(exact));
    assert_eq!(precise(exact, 99), Some(exact));
}

#[test]
fn c_spells_types_inside_out() {
    let mut file = File::default();
    let point = file.composite("point", 4, TYPE_NAME_IS_TAG, &[]);
    let either = file.composite("either", 4, TYPE_NAME_IS_TAG | TYPE_IS_UNION, &[]);
    let named = file.composite("named_t", 4, 0, &[]);
    let metadata = file.load(false);
    let of = |id| intern(metadata, id).unwrap();
    let (point, either, named) = (of(point), of(either), of(named));
    let pointer = |ty| make::pointer(ty).unwrap();
    let array = |ty, n| make::array(ty, n).unwrap();
    let int = make::base(make::ATE_SIGNED, 4).unwrap();
    let char = make::char().unwrap();
    let void = make::void().unwrap();
    let check = |ty: TypeRef, expect: &str| assert_eq!(spelled(ty), expect);
    check(int, "int");
    check(make::base(make::ATE_UNSIGNED, 8).unwrap(), "unsigned long");
    check(make::base(make::ATE_FLOAT, 16).unwrap(), "long double");
    check(array(pointer(point), Some(4)), "struct point *[4]");
    check(pointer(array(either, Some(4))), "union either (*)[4]");
    check(array(array(named, Some(2)), None), "named_t[][2]");
    check(pointer(pointer(void)), "void **");
    check(array(char, Some(0)), "char[0]");
    let main = make::function(int, &[int, pointer(pointer(char))]).unwrap();
    check(main, "int(int, char **)");
    check(pointer(make::function(pointer(char), &[]).unwrap()), "char *(*)(void)");
    assert_eq!(name_of(main), "__FUN_FROM___ARG0_int$32__ARG1___PTR___PTR_signed_char$8__FUN_TO_int$32");
}

#[test]
fn a_function_of_itself_is_spelled_in_finite_time() {
    let mut file = File::default();
    let int = file.base("int$32", make::ATE_SIGNED, 4);
    let function = TypeId(2);
    let pointer = file.add("pointer", ([11, 12], 8, Kind::Address as u32, 0), &[(function, "", 0); 2]);
    let slots = [int, pointer, pointer, pointer].map(|ty| (ty, "", 0));
    file.add("function", ([13, 14], 0, Kind::Subprogram as u32 | 3 << 4 | 1 << 14, 0), &slots);
    let text = spelled(intern(file.load(false), function).unwrap());
    assert!(text.starts_with("int(int (*)(int (*)(") && text.len() < 20_000, "{}", text.len());
}

#[test]
fn a_list_of_types_has_one_union() {
    let int = make::base(make::ATE_SIGNED, 4).unwrap();
    let long = make::base(make::ATE_SIGNED, 8).unwrap();
    let both = make::union(&[int, long]).unwrap();
    assert_eq!(make::union(&[int, long]), Some(both));
    assert_ne!(make::union(&[long, int]), Some(both));
    assert_eq!((name_of(both), both.size()), ("__SYNTHUNION_int$32_int$64", Some(8)));
    assert_eq!(both.member_bits(1), MEMBER_MAY_BE_INVALID);
}

#[test]
fn an_inner_type_is_that_of_the_byte() {
    let mut file = File::default();
    let int = file.base("int$32", make::ATE_SIGNED, 4);
    let word = Kind::Base as u32 | 5 << 4;
    // int low : 5; int high : 20 from bit 8 on, both in the unit at offset 8.
    let bits = |file: &mut File, name: &str, len: u32, first: u32| {
        let delta = 32 - len;
        let log = delta.ilog2();
        let word = word | (log + 1) << 10 | (delta - (1 << log)) << 14 | first << 22;
        file.add(name, (digest::base(5, 4, len, first), 4, word, 0), &[])
    };
    let low = bits(&mut file, "low", 5, 0);
    let high = bits(&mut file, "high", 20, 8);
    let members = [(int, "a", 0), (low, "low", 8), (high, "high", 8)];
    let whole = file.composite("whole", 12, TYPE_NAME_IS_TAG, &members);
    let metadata = file.load(false);
    let of = |id| intern(metadata, id).unwrap();
    let bits = |id| Bits::of(of(id).word(), 4);
    assert_eq!(bits(low), Bits { encoding: 5, len: 5, first: 0 });
    assert_eq!(bits(high), Bits { encoding: 5, len: 20, first: 8 });
    let array = make::array(of(whole), Some(2)).unwrap();
    let check = |offset: usize, skip: usize, expect: Option<TypeRef>| {
        assert_eq!(inner_type(array, offset, skip), expect, "offset {offset}, {skip} out");
    };
    check(3, 0, Some(of(int)));
    check(4, 0, Some(of(whole)));
    check(8, 0, Some(of(low)));
    check(9, 0, Some(of(high)));
    check(11, 0, Some(of(high)));
    check(12, 0, Some(of(int)));
    check(23, 1, Some(of(whole)));
    check(23, 2, Some(array));
    check(23, 3, None);
    check(24, 0, Some(array));
}

proptest! {
    #[test]
    fn hostile_metadata_does_no_harm(damage in prop::collection::vec((0usize..2000, any::<u8>()), 1..12), id in 0u32..8) {
        // Types that no other test shares, since the first record of a digest counts for the whole process.
        let (file, _) = list_of("hostile", 12, 13);
        let mut bytes = file.bytes(false);
        for (at, byte) in damage {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        if let Ok(metadata) = Metadata::parse(aligned(&bytes))
            && let Some(ty) = intern(leak(metadata), TypeId(id))
        {
            let _ = (spelled(ty), precise(ty, 100), inner_type(ty, 5, 0));
        }
    }
}
