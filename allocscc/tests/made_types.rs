//! Types that allocation sites need and DWARF does not have.

use allocscc::graph::names::Names;
use allocscc::graph::{Canonical, CompositeKind, Member, Naming, NodeId, Type};
use gimli::constants as dw;

fn structure(types: &mut Canonical, name: &str, size: u64, members: &[(NodeId, u64)]) -> NodeId {
    let member =
        |&(ty, offset): &(NodeId, u64)| Member { name: String::new(), ty, offset, may_be_invalid: false };
    types.intern(Type::Composite {
        kind: CompositeKind::Struct,
        naming: Naming::Tag(name.to_owned()),
        size: Some(size),
        members: members.iter().map(member).collect(),
        incomplete: false,
    })
}

struct World {
    types: Canonical,
    names: Names,
    int: NodeId,
    header: NodeId,
}

impl World {
    fn new() -> World {
        let mut types = Canonical::default();
        let int = types.base(dw::DW_ATE_signed, 4);
        let header = structure(&mut types, "header", 12, &[(int, 0)]);
        World { types, names: Names::default(), int, header }
    }

    fn name(&mut self, node: NodeId) -> String {
        self.names.of(&self.types, node).to_string()
    }
}

#[test]
fn arrays_by_length() {
    let mut w = World::new();
    let cases = [
        (w.types.unbounded_array_of(w.int), "__ARR0_int$32", None),
        (w.types.array_of(w.int, 0), "__ARRZ_int$32", Some(0)),
        (w.types.array_of(w.int, 3), "__ARR3_int$32", Some(12)),
        (w.types.array_of(w.int, 1 << 40), "__ARR0_int$32", None),
        (w.types.bytes(), "__ARR0_unsigned_char$8", None),
        (w.types.characters(), "__ARR0_signed_char$8", None),
    ];
    for (node, name, size) in cases {
        assert_eq!((w.name(node).as_str(), w.types.size_of(node)), (name, size));
    }
    assert_eq!(w.types.unbounded_array_of(w.int), w.types.array_of(w.int, 1 << 40));
}

#[test]
fn a_header_with_elements_behind_it() {
    let mut w = World::new();
    let made = w.types.synthetic(&mut w.names, &[(w.header, 0)], 16, w.int);
    assert_eq!(w.name(made), "__SYNTH_header__ARR0_int$32");
    let Type::Composite { size, members, .. } = w.types.get(made) else { panic!("not a composite") };
    let members: Vec<_> = members.iter().map(|m| (m.ty, m.offset)).collect();
    assert_eq!(*size, None);
    let tail = w.types.unbounded_array_of(w.int);
    assert_eq!(members, [(w.header, 0), (tail, 16)]);
    assert_eq!(w.types.synthetic(&mut w.names, &[(w.header, 0)], 16, w.int), made);
    assert_ne!(w.types.synthetic(&mut w.names, &[(w.header, 0)], 12, w.int), made);
}

#[test]
fn one_of_several_types() {
    let mut w = World::new();
    let all: Vec<_> = (0..5).map(|i| structure(&mut w.types, &format!("s{i}"), 8 + i, &[])).collect();
    let mut union = |of: &[NodeId]| {
        let node = w.types.synthetic_union(&mut w.names, of);
        (w.names.of(&w.types, node).to_string(), w.types.size_of(node))
    };
    assert_eq!(union(&[]), ("__ARR0_unsigned_char$8".to_owned(), None));
    assert_eq!(union(&[all[1], all[1]]), ("s1".to_owned(), Some(9)));
    assert_eq!(union(&[all[2], all[0], all[2]]), ("__SYNTHUNION_s0_s2".to_owned(), Some(10)));
    assert_eq!(union(&all[..4]), ("__SYNTHUNION_s0_s1_s2_s3".to_owned(), Some(11)));
    assert_eq!(union(&all), ("__ARR0_unsigned_char$8".to_owned(), None));
}

#[test]
fn integers_have_a_counterpart_and_floats_have_none() {
    let mut w = World::new();
    let unsigned = w.types.complement(w.int).unwrap();
    assert_eq!(w.name(unsigned), "uint$32");
    assert_eq!(w.types.complement(unsigned), Some(w.int));
    let float = w.types.base(dw::DW_ATE_float, 8);
    assert_eq!(w.types.complement(float), None);
    assert_eq!(w.types.complement(w.header), None);
}

#[test]
fn names_stay_short_whatever_the_type() {
    let mut w = World::new();
    let mut function = w.int;
    for _ in 0..40 {
        let parameters = vec![function, function];
        function = w.types.intern(Type::Function { result: w.int, parameters, variadic: false });
    }
    assert!(w.name(function).len() < 10_000);
    let mut pointer = w.int;
    for _ in 0..5_000 {
        pointer = w.types.pointer_to(pointer);
    }
    assert!(w.name(pointer).len() < 10_000);
}
