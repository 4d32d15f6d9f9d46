//! DIE trees in, types out.

#[path = "compile/metadata.rs"]
mod metadata;
mod trees;

use allocs_metadata::Metadata;

/// Checks the looks of types, by name, in every DWARF version given.
fn check_in(versions: &[u16], tree: &str, expected: &[(&str, &str)]) {
    for &version in versions {
        let bytes = metadata::of(&trees::assemble(version, tree));
        let m = Metadata::parse(bytes.bytes()).unwrap();
        for (name, looks) in expected {
            let found: Vec<_> = m
                .types()
                .iter()
                .filter(|t| m.text(t.name) == *name)
                .map(|t| metadata::describe(&m, t))
                .collect();
            assert_eq!(found, [*looks], "DWARF {version}: {name}");
        }
    }
}

const ALL: &[u16] = &[2, 3, 4, 5];

fn check(tree: &str, expected: &[(&str, &str)]) {
    check_in(ALL, tree, expected);
}

#[test]
fn base_types_are_named_by_encoding_and_size() {
    check(
        "
compile_unit
  base_type name=int byte_size=4 encoding=5
  base_type name=char byte_size=1 encoding=8
  base_type name=char8_t byte_size=1 encoding=0x10
  base_type name=wide byte_size=16 encoding=7
  base_type name=_Decimal64 byte_size=8 encoding=0xf
",
        &[
            ("int$32", "4 0x52 [@0:uint$32]"),
            ("signed_char$8", "1 0x62 [@0:unsigned_char$8]"),
            ("utf$8", "1 0x102 [@0:-]"),
            ("uint$128", "16 0x72 [@0:int$128]"),
            ("decimal_float$64", "8 0xf2 [@0:-]"),
        ],
    );
}

#[test]
fn every_form_of_array_bound() {
    check(
        "
compile_unit
  int: base_type name=int byte_size=4 encoding=5
  upper: array_type type=&int
    subrange_type upper_bound=6
  signed: array_type type=&int
    subrange_type type=&int upper_bound=data1:255
  count: array_type type=&int
    subrange_type count=7
  based: array_type type=&int
    subrange_type lower_bound=1 upper_bound=8
  none: array_type type=&int
    subrange_type type=&int
  empty: array_type type=&int
    subrange_type count=0
  minus: array_type type=&int
    subrange_type upper_bound=-1
  minus4: array_type type=&int
    subrange_type upper_bound=data4:0xffffffff
  minus8: array_type type=&int
    subrange_type upper_bound=data8:0xffffffffffffffff
  computed: array_type type=&int
    subrange_type upper_bound=expr:9106
  referred: array_type type=&int
    subrange_type upper_bound=&int
  bare: array_type type=&int
  matrix: array_type type=&int
    subrange_type upper_bound=1
    subrange_type count=3
    subrange_type
  vector: array_type type=&int
    subrange_type upper_bound=3
  structure_type name=all byte_size=1000
    member name=upper type=&upper
    member name=signed type=&signed
    member name=count type=&count
    member name=based type=&based
    member name=none type=&none
    member name=empty type=&empty
    member name=minus type=&minus
    member name=minus4 type=&minus4
    member name=minus8 type=&minus8
    member name=computed type=&computed
    member name=referred type=&referred
    member name=bare type=&bare
    member name=matrix type=&matrix
    member name=vector type=&vector
",
        &[(
            "all",
            "1000 0xe6 [upper@0:__ARR7_int$32 signed@0:__ARR256_int$32 count@0:__ARR7_int$32 \
             based@0:__ARR8_int$32 none@0:__ARR0_int$32 empty@0:__ARR0_int$32 minus@0:__ARR0_int$32 \
             minus4@0:__ARR0_int$32 minus8@0:__ARR0_int$32 computed@0:__ARR0_int$32 referred@0:__ARR0_int$32 \
             bare@0:__ARR0_int$32 matrix@0:__ARR2___ARR3___ARR0_int$32 vector@0:__ARR4_int$32]",
        )],
    );
}

#[test]
fn both_styles_of_bit_fields_say_the_same() {
    let expected = &[
        ("s", "8 0x46 [a@0:int$3 b@0:int$7$3 c@4:int$1 d@7:uint$8]"),
        ("int$7$3", "4 0xc25452 [@0:uint$7$3]"),
    ];
    let old = "
compile_unit
  int: base_type name=int byte_size=4 encoding=5
  byte: base_type name=byte byte_size=1 encoding=7
  structure_type name=s byte_size=8
    member name=a type=&int byte_size=4 bit_size=3 bit_offset=29 data_member_location=0
    member name=b type=&int bit_size=7 bit_offset=22 data_member_location=0
    member name=c type=&int byte_size=1 bit_size=1 bit_offset=7 data_member_location=4
    member name=d type=&byte byte_size=1 bit_size=8 bit_offset=0 data_member_location=7
";
    let new = "
compile_unit
  int: base_type name=int byte_size=4 encoding=5
  byte: base_type name=byte byte_size=1 encoding=7
  structure_type name=s byte_size=8
    member name=a type=&int bit_size=3 data_bit_offset=0
    member name=b type=&int bit_size=7 data_bit_offset=3
    member name=c type=&int bit_size=1 data_bit_offset=32
    member name=d type=&byte bit_size=8 data_bit_offset=56
";
    check(old, expected);
    check(new, expected);
}

#[test]
fn member_offsets_may_be_expressions() {
    check(
        "
compile_unit
  int: base_type name=int byte_size=4 encoding=5
  structure_type name=s byte_size=12
    member name=a type=&int
    member name=b type=&int data_member_location=4
    member name=c type=&int data_member_location=expr:2308
    member name=d type=&int data_member_location=expr:1206
",
        &[("s", "12 0x36 [a@0:int$32 b@4:int$32 c@8:int$32]")],
    );
}

#[test]
fn typedefs_and_qualifiers_leave_no_trace_but_a_name() {
    check(
        "
compile_unit
  structure_type name=user byte_size=40
    member name=a type=&twice
    member name=b type=&pointer data_member_location=8
    member name=c type=&once data_member_location=16
    member name=d type=&nothing data_member_location=24
    member name=e type=&pointer_only data_member_location=32
  twice: typedef name=twice type=&once
  once: typedef name=once type=&qualified
  qualified: const_type type=&more
  more: volatile_type type=&anonymous
  anonymous: structure_type byte_size=4 decl_file=here decl_line=7
    member name=m type=&int
  int: base_type name=int byte_size=4 encoding=5
  pointer: restrict_type type=&plain
  plain: pointer_type type=&constant
  constant: const_type type=&atomic
  atomic: atomic_type type=&int
  nothing: pointer_type type=&void
  void: const_type
  pointer_only: typedef name=not_its_name type=&to_unnamed
  to_unnamed: pointer_type type=&unnamed
  unnamed: structure_type byte_size=0 decl_file=here decl_line=9
",
        &[
            ("once", "4 0x16 [m@0:int$32]"),
            ("user", "40 0x56 [a@0:once b@8:__PTR_int$32 c@16:once d@24:__PTR_void e@32:__PTR_tree_c_9]"),
        ],
    );
}

#[test]
fn types_without_a_name_are_numbered_on_their_line() {
    check(
        "
compile_unit
  structure_type byte_size=3 decl_file=here decl_line=5 decl_column=30
  structure_type byte_size=1 decl_file=here decl_line=5 decl_column=10
  union_type byte_size=2 decl_file=here decl_line=5 decl_column=20
  enumeration_type byte_size=4 decl_file=here decl_line=6
    enumerator name=A const_value=0
",
        &[
            ("tree_c_5", "1 0x6 []"),
            ("tree_c_5_2", "2 0x1000006 []"),
            ("tree_c_5_3", "3 0x6 []"),
            ("tree_c_6", "4 0x44 [@0:uint$32 A@0:-]"),
        ],
    );
}

#[test]
fn functions() {
    check(
        "
compile_unit
  int: base_type name=int byte_size=4 encoding=5
  proto: subroutine_type prototyped=flag type=&int
    formal_parameter type=&int
    unspecified_parameters
  old: subroutine_type
  callback: pointer_type type=&proto
  old_callback: pointer_type type=&old
  structure_type name=s byte_size=16
    member name=f type=&callback
    member name=g type=&old_callback data_member_location=8
compile_unit language=4
  method: subroutine_type
  pointer: pointer_type type=&method
  structure_type name=cplusplus byte_size=8
    member name=f type=&pointer
",
        &[
            (
                "s",
                "16 0x26 [f@0:__PTR___FUN_FROM___ARG0_int$32__VA___FUN_TO_int$32 \
                 g@8:__PTR___FUN_FROM___VA___FUN_TO_void]",
            ),
            ("cplusplus", "8 0x16 [f@0:__PTR___FUN_FROM___FUN_TO_void]"),
        ],
    );
}

#[test]
fn classes_have_their_bases_as_members_and_their_scopes_in_their_names() {
    check(
        "
compile_unit language=0x1a
  int: base_type name=int byte_size=4 encoding=5
  namespace name=outer
    base: class_type name=base byte_size=4
      member name=i type=&int
      member name=shared type=&int external=flag declaration=flag
      structure_type name=inner byte_size=1
    class_type name=derived byte_size=8
      inheritance type=&base data_member_location=0
      member name=own type=&int data_member_location=4
      subprogram name=method
        formal_parameter type=&int
",
        &[
            ("outer::base", "4 0x16 [i@0:int$32]"),
            ("outer::base::inner", "1 0x6 []"),
            ("outer::derived", "8 0x26 [@0:outer::base own@4:int$32]"),
        ],
    );
}

#[test]
fn a_definition_has_the_scope_of_its_declaration() {
    check(
        "
compile_unit language=4
  int: base_type name=int byte_size=4 encoding=5
  namespace name=outer
    declared: class_type name=apart declaration=flag
    kind: enumeration_type name=kind declaration=flag
  class_type name=apart byte_size=4 specification=&declared
    member name=i type=&int
  enumeration_type name=kind byte_size=4 type=&int specification=&kind
    enumerator name=A const_value=3
",
        &[("outer::apart", "4 0x16 [i@0:int$32]"), ("outer::kind", "4 0x44 [@0:int$32 A@3:-]")],
    );
}

#[test]
fn what_c_has_no_word_for() {
    check(
        "
compile_unit language=4
  int: base_type name=int byte_size=4 encoding=5
  null: unspecified_type name=decltype(nullptr)
  method: subroutine_type type=&int
  class: structure_type name=class byte_size=64
    member name=_vptr$class type=&pointer
    member name=reference type=&reference data_member_location=8
    member name=temporary type=&temporary data_member_location=16
    member name=null type=&null data_member_location=24
    member name=offset type=&offset data_member_location=32
    member name=function type=&function data_member_location=40
  pointer: pointer_type type=&method
  reference: reference_type type=&int
  temporary: rvalue_reference_type type=&class
  offset: ptr_to_member_type type=&int containing_type=&class
  function: ptr_to_member_type type=&method containing_type=&class
",
        &[(
            "class",
            "64 0x66 [_vptr.class@0:__PTR___FUN_FROM___FUN_TO_int$32 reference@8:__PTR_int$32 \
             temporary@16:__PTR_class null@24:__PTR_void offset@32:int$64 function@40:__ARR2_int$64]",
        )],
    );
}

#[test]
fn the_variants_of_an_enum_may_be_invalid_and_fields_are_in_the_order_of_memory() {
    check(
        "
compile_unit language=0x1c
  int: base_type name=i32 byte_size=4 encoding=5
  namespace name=it
    structure_type name=pair byte_size=8
      member name=b type=&int data_member_location=4
      member name=a type=&int data_member_location=0
    structure_type name=either byte_size=8
      variant_part discr=&tag
        tag: member type=&int data_member_location=0
        variant discr_value=0
          member name=One type=&one data_member_location=0
        variant discr_value=1
          member name=Two type=&two data_member_location=0
      one: structure_type name=One byte_size=8
        member name=__0 type=&int data_member_location=4
      two: structure_type name=Two byte_size=8
",
        &[
            ("it::pair", "8 0x26 [a@0:int$32 b@4:int$32]"),
            ("it::either", "8 0x36 [@0:int$32 One@0:it::either::One Two@0:it::either::Two]"),
            ("it::either::One", "8 0x16 [__0@4:int$32]"),
        ],
    );
}

#[test]
fn arrays_of_fortran_begin_at_one() {
    check(
        "
compile_unit language=0x22
  int: base_type name=integer byte_size=4 encoding=5
  array: array_type type=&int
    subrange_type upper_bound=10
  structure_type name=s byte_size=40
    member name=a type=&array
",
        &[("s", "40 0x16 [a@0:__ARR10_int$32]")],
    );
}

#[test]
fn references_lead_into_other_units() {
    check(
        "
compile_unit
  structure_type name=user byte_size=4
    member name=a type=&int
compile_unit
  int: base_type name=int byte_size=4 encoding=5
",
        &[("user", "4 0x16 [a@0:int$32]")],
    );
}

#[test]
fn a_declaration_is_the_definition_of_another_unit() {
    check(
        "
compile_unit
  declared: union_type name=u declaration=flag
  pointer: pointer_type type=&declared
  structure_type name=user byte_size=8
    member name=p type=&pointer
compile_unit
  structure_type name=u byte_size=1
  union_type name=u byte_size=2
",
        &[("user", "8 0x16 [p@0:__PTR_u]"), ("__PTR_u", "8 0x18 [@0:u @0:u]")],
    );
}

#[test]
fn types_that_refer_to_themselves_do_not_loop() {
    check(
        "
compile_unit
  loop: typedef name=loop type=&back
  back: const_type type=&loop
  self: pointer_type type=&self
  array: array_type type=&array
    subrange_type count=1
  enum: enumeration_type name=e type=&enum byte_size=4
    enumerator name=E const_value=1
  structure_type name=s byte_size=20
    member name=l type=&loop
    member name=p type=&self
    member name=a type=&array
    member name=e type=&enum bit_size=3 data_bit_offset=1
",
        &[],
    );
}

#[test]
fn enumerators_keep_their_values() {
    check(
        "
compile_unit
  byte: base_type name=byte byte_size=1 encoding=7
  enumeration_type name=small byte_size=1 type=&byte
    enumerator name=A const_value=data1:0xc8
    enumerator name=B const_value=-2
  enumeration_type name=negative byte_size=4
    enumerator name=C const_value=-1
  enumeration_type name=declared declaration=flag
",
        &[
            ("small", "1 0x84 [@0:uint$8 A@200:- B@72057594037927934:-]"),
            ("negative", "4 0x44 [@0:int$32 C@72057594037927935:-]"),
        ],
    );
}
