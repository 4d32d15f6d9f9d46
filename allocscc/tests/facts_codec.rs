//! Facts survive their encoding, and no bytes make the decoder panic.

use allocscc::sites::codec::{CodecError, MAGIC, VERSION, decode, encode};
use allocscc::sites::extract::{UnitInfo, facts_of_unit};
use allocscc::sites::facts::*;
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    "[a-z_]{0,6}|é"
}

fn place() -> impl Strategy<Value = Place> {
    (name(), any::<u32>()).prop_map(|(file, line)| Place { file, line })
}

fn kind() -> impl Strategy<Value = TagKind> {
    prop_oneof![Just(TagKind::Struct), Just(TagKind::Union), Just(TagKind::Enum)]
}

fn ty() -> impl Strategy<Value = TypeRef> {
    let leaf = prop_oneof![
        Just(TypeRef::Void),
        base().prop_map(TypeRef::Base),
        (kind(), name(), place()).prop_map(|(kind, tag, place)| TypeRef::Tagged { kind, tag, place }),
        (kind(), proptest::option::of(name()), place())
            .prop_map(|(kind, typedef, place)| TypeRef::Anonymous { kind, typedef, place }),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|to| TypeRef::Pointer(Box::new(to))),
            (inner.clone(), any::<Option<u64>>())
                .prop_map(|(of, length)| TypeRef::Array(Box::new(of), length)),
            (inner.clone(), prop::collection::vec(inner, 0..3), any::<bool>()).prop_map(
                |(result, parameters, variadic)| TypeRef::Function {
                    result: Box::new(result),
                    parameters,
                    variadic
                }
            ),
        ]
    })
}

fn size() -> impl Strategy<Value = SizeExpr> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(SizeExpr::Const),
        ty().prop_map(SizeExpr::Sizeof),
        (ty(), name()).prop_map(|(ty, path)| SizeExpr::OffsetOf(ty, path)),
        any::<u32>().prop_map(SizeExpr::Param),
        Just(SizeExpr::StringLength),
        Just(SizeExpr::Opaque),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let pair = (inner.clone(), inner.clone()).prop_map(|(left, right)| (Box::new(left), Box::new(right)));
        let pair = pair.boxed();
        prop_oneof![
            pair.clone().prop_map(|(left, right)| SizeExpr::Mul(left, right)),
            pair.clone().prop_map(|(left, right)| SizeExpr::Add(left, right)),
            pair.clone().prop_map(|(left, right)| SizeExpr::Sub(left, right)),
            pair.prop_map(|(left, right)| SizeExpr::Div(left, right)),
            prop::collection::vec(inner.clone(), 0..3).prop_map(SizeExpr::Alt),
            (name(), prop::collection::vec(inner, 0..3))
                .prop_map(|(name, arguments)| SizeExpr::Call(name, arguments)),
        ]
    })
}

fn behind() -> impl Strategy<Value = Behind> {
    prop_oneof![
        Just(Behind::Nothing),
        prop::collection::vec(size(), 1..3).prop_map(Behind::Parts),
        Just(Behind::Something)
    ]
}

fn sink() -> impl Strategy<Value = Sink> {
    prop_oneof![
        behind().prop_map(Sink::Return),
        (any::<u32>(), behind()).prop_map(|(index, behind)| Sink::Out(index, behind)),
        ty().prop_map(Sink::Pointer),
        (name(), any::<u32>()).prop_map(|(name, index)| Sink::Argument(name, index)),
        holder().prop_map(Sink::Kept),
        Just(Sink::Carved),
        Just(Sink::Lost),
        ty().prop_map(Sink::Part),
        Just(Sink::Ended),
    ]
}

fn callee() -> impl Strategy<Value = Callee> {
    prop_oneof![
        name().prop_map(Callee::Direct),
        name().prop_map(Callee::Result),
        (name(), name()).prop_map(|(holder, field)| Callee::Field(holder, field)),
        name().prop_map(Callee::Global),
        name().prop_map(Callee::Static),
        any::<u32>().prop_map(Callee::Param),
        Just(Callee::Any),
    ]
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![
        (name(), name()).prop_map(|(holder, field)| Holder::Field(holder, field)),
        name().prop_map(Holder::Global),
        name().prop_map(Holder::Static),
        name().prop_map(Holder::Result),
        (name(), any::<u32>()).prop_map(|(function, index)| Holder::Argument(function, index)),
    ]
}

fn base() -> impl Strategy<Value = BaseType> {
    (any::<u8>(), any::<u32>()).prop_map(|(encoding, size)| BaseType { encoding, size })
}

fn usage() -> impl Strategy<Value = Usage> {
    prop_oneof![
        Just(Usage::Bytes),
        base().prop_map(Usage::Numbers),
        base().prop_map(Usage::Elements),
        base().prop_map(Usage::Given),
        Just(Usage::Anything),
        Just(Usage::Objects),
        holder().prop_map(Usage::Passed),
        (callee(), any::<u32>()).prop_map(|(pointer, index)| Usage::Called(pointer, index)),
        any::<bool>().prop_map(|is_static| Usage::Parameter { is_static }),
    ]
}

prop_compose! {
    fn binding()(holder in holder(), source in callee(), in_function in any::<bool>()) -> Binding {
        Binding { holder, source, function: in_function.then_some(0) }
    }
}

prop_compose! {
    fn function()(
        name in name(), is_static in any::<bool>(), place in place(), last_line in any::<u32>(),
        parameters in prop::collection::vec(ty(), 0..3), result in ty(), value in proptest::option::of(size()),
        returned in any::<Vec<u32>>(),
    ) -> Function {
        Function { name, is_static, place, last_line, parameters, result, value, returned }
    }
}

prop_compose! {
    fn call()(
        place in place(), lines in any::<[u32; 3]>(), callee in callee(),
        arguments in prop::collection::vec(size(), 0..3), sinks in prop::collection::vec(sink(), 0..3),
        outputs in prop::collection::vec((any::<u32>(), prop::collection::vec(sink(), 0..2)), 0..2),
        passed in proptest::option::of(any::<u32>()),
    ) -> Call {
        let [first_line, last_line, ordinal] = lines;
        let passes = passed.map(|argument| (argument, 0)).into_iter().collect();
        Call { function: 0, place, first_line, last_line, ordinal, callee, arguments, sinks, outputs, passes }
    }
}

fn literal() -> impl Strategy<Value = StringLiteral> {
    let width = prop::sample::select(vec![1u8, 2, 4]);
    (width, any::<Vec<u8>>()).prop_map(|(width, bytes)| StringLiteral { width, bytes })
}

fn origin() -> impl Strategy<Value = Origin> {
    let what = prop_oneof![
        ty().prop_map(Says::Sizeof),
        (ty(), name()).prop_map(|(ty, path)| Says::OffsetOf(ty, path)),
        name().prop_map(Says::Variable),
        (ty(), name()).prop_map(|(ty, words)| Says::Receiver(ty, words)),
    ];
    (what, place()).prop_map(|(what, place)| Origin { call: 0, what, place })
}

prop_compose! {
    fn facts()(
        source in name(), directory in name(), functions in prop::collection::vec(function(), 1..3),
        calls in prop::collection::vec(call(), 0..3),
        aggregates in prop::collection::vec((ty(), proptest::option::of(ty()), prop::collection::vec((name(), ty()), 0..2)), 0..2),
        skipped in prop::collection::vec((place(), name()), 0..2),
        literals in prop::collection::vec(literal(), 0..3),
        bindings in prop::collection::vec(binding(), 0..3),
        uses in prop::collection::vec((holder(), usage()), 0..3),
        origins in prop::collection::vec(origin(), 0..3),
    ) -> FileFacts {
        let aggregates = aggregates.into_iter().map(|(ty, tail, members)| Aggregate { ty, tail, members }).collect();
        let uses = uses.into_iter().map(|(of, what)| Use { of, what }).collect();
        let origins = if calls.is_empty() { Vec::new() } else { origins };
        FileFacts { source, directory, functions, calls, bindings, uses, aggregates, skipped, literals, origins }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn facts_survive(one in facts(), other in facts(), padding in 0usize..9) {
        let mut bytes = encode(&one);
        bytes.resize(bytes.len() + padding, 0);
        bytes.extend(encode(&other));
        prop_assert_eq!(decode(&bytes), Ok(vec![one, other]));
    }

    #[test]
    fn damaged_facts_are_refused_or_read(facts in facts(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode(&facts);
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _ = decode(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = decode(&bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut block = MAGIC.to_vec();
        block.push(VERSION);
        block.extend((bytes.len() as u32).to_le_bytes());
        block.extend(&bytes);
        let _ = decode(&block);
        let _ = decode(&bytes);
    }

    #[test]
    fn any_text_is_read(text in "(int |struct |[{}()\\[\\];,*=\"'#\n]|malloc|sizeof|\\PC){0,200}") {
        let _ = facts_of_unit(text.as_bytes(), &UnitInfo::default());
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = facts_of_unit(&bytes, &UnitInfo::default());
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let bytes = encode(&FileFacts::default());
    assert_eq!(decode(&[]), Ok(vec![]));
    assert_eq!(decode(b"what is this"), Err(CodecError::Magic(0)));
    assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(CodecError::Truncated));
    let mut newer = bytes.clone();
    newer[4] = VERSION + 1;
    assert_eq!(decode(&newer), Err(CodecError::Version(VERSION + 1)));
}

#[test]
fn a_type_that_doubles_at_each_step_is_refused() {
    // Type n is a function that returns and takes type n - 1.
    let mut payload = vec![0, 60, 0];
    for index in 0..59u8 {
        payload.extend([7, index, 0, 1, index]);
    }
    let mut block = MAGIC.to_vec();
    block.push(VERSION);
    block.extend((payload.len() as u32).to_le_bytes());
    block.extend(payload);
    assert!(matches!(decode(&block), Err(CodecError::Value(_))));
}
