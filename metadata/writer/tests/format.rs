//! What is written is what is read, and hostile bytes never bring the reader down.

use allocs_metadata::{
    ALLOCA_HIDES, AllocaRecord, ConditionRecord, Error, Expectation, FrameRecord, Heap, HookAction,
    HookRecord, HopRecord, MOST_DISPLACED, Metadata, RelatedRecord, SiteRecord, SlotRecord, StaticRecord,
    StepKind, StepRecord, StrRef, TypeId, TypeRecord, VlaRecord, WrapperRecord,
};
use allocs_metadata_writer::Writer;
use proptest::prelude::*;

/// Bytes at an 8-aligned address, as a mapping or a section gives them.
struct Aligned(Vec<u64>, usize);

impl Aligned {
    fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(8)];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut le = [0; 8];
            le[..chunk.len()].copy_from_slice(chunk);
            *word = u64::from_le_bytes(le);
        }
        Aligned(words, bytes.len())
    }

    fn bytes(&self) -> &[u8] {
        &allocs_metadata::pod::bytes(&self.0)[..self.1]
    }
}

fn type_record(name: StrRef, word: u32) -> TypeRecord {
    TypeRecord { digest: [1, 2], name, size: 4, word, first_related: 0, related_count: 0, flags: 0 }
}

fn frame_record(svma: u64, length: u32, name: StrRef) -> FrameRecord {
    FrameRecord { svma, length, name, first_slot: 0, slot_count: 0 }
}

fn vla_record(frame: u64, start: u32, length: u32, name: StrRef) -> VlaRecord {
    VlaRecord {
        frame,
        start,
        length,
        address_below_cfa: 16,
        count_below_cfa: 24,
        count_bias: 1,
        element_size: 4,
        name,
        ty: TypeId(0),
    }
}

fn static_record(svma: u64, size: u64, name: StrRef) -> StaticRecord {
    StaticRecord { svma, size, ty: TypeId(0), name }
}

fn site_record(return_svma: u64, name: StrRef) -> SiteRecord {
    SiteRecord {
        return_svma,
        ty: TypeId(0),
        file: name,
        line: 7,
        function: name,
        callee: name,
        evidence: 1,
        flags: 0,
        reason: 3,
        step_count: 0,
        detail: name,
        first_step: 0,
    }
}

#[test]
fn code_of_functions_that_call_alloca_is_found() {
    let mut w = Writer::new();
    let record = |svma, length, function| AllocaRecord { svma, length, function };
    let all = [record(0x40, 8, 1), record(0x10, 16, 7 | ALLOCA_HIDES)];
    all.iter().for_each(|&alloca| w.alloca(alloca));
    let bytes = Aligned::new(&w.finish(&[]).unwrap());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    assert_eq!(m.allocas(), [all[1], all[0]]);
    let check = |svma, expect: Option<(u32, bool)>| {
        assert_eq!(m.alloca_at(svma).map(|found| (found.function(), found.hides())), expect, "{svma:#x}");
    };
    check(0xf, None);
    check(0x10, Some((7, true)));
    check(0x1f, Some((7, true)));
    check(0x20, None);
    check(0x47, Some((1, false)));
    check(0x48, None);
}

#[test]
fn arrays_of_variable_length_are_found_where_they_are() {
    let mut w = Writer::new();
    let [a, b] = ["a", "b"].map(|name| w.string(name));
    let all = [vla_record(0x40, 0, 8, b), vla_record(0x10, 4, 8, b), vla_record(0x10, 0, 16, a)];
    all.iter().for_each(|&vla| w.vla(vla));
    for (svma, length) in [(0x40, 8), (0x10, 16), (0x20, 16)] {
        w.frame(frame_record(svma, length, a), &[]);
    }
    let bytes = Aligned::new(&w.finish(&[]).unwrap());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    assert_eq!(m.vlas(), [all[2], all[1], all[0]]);
    let check = |svma, expect: &[VlaRecord]| {
        assert_eq!(m.vlas_at(svma).copied().collect::<Vec<_>>(), expect, "{svma:#x}");
        assert!(expect.is_empty() || m.frame_at(svma).is_none(), "the frame has no other variables");
    };
    check(0xf, &[]);
    check(0x10, &[all[2]]);
    check(0x14, &[all[2], all[1]]);
    check(0x1c, &[all[2]]);
    check(0x20, &[]);
    check(0x47, &[all[0]]);
    check(0x48, &[]);
}

fn hook_record(svma: u64, name: StrRef) -> HookRecord {
    HookRecord {
        svma,
        bytes: [0x90; MOST_DISPLACED],
        relative: 0,
        short: 0,
        name,
        length: 5,
        action: HookAction::Reallocate as u8,
        heap: Heap::Small as u8,
        sizes: 4,
        block: 1,
        output: HookRecord::RETURNS,
        reserved: [0; 6],
    }
}

#[test]
fn hooks_come_back_by_address() {
    let mut w = Writer::new();
    let name = w.string("pool_alloc");
    let all = [hook_record(0x40, name), hook_record(0x10, name), hook_record(0x40, StrRef(0))];
    all.iter().for_each(|&hook| w.hook(hook));
    let bytes = Aligned::new(&w.finish(&[]).unwrap());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    assert_eq!(m.hooks(), [all[1], all[0]]);
    assert_eq!(m.text(m.hooks()[0].name), "pool_alloc");
    assert_eq!(HookAction::from_u8(m.hooks()[0].action), Some(HookAction::Reallocate));
    assert_eq!(Heap::from_u8(m.hooks()[0].heap), Some(Heap::Small));
    assert_eq!((HookAction::from_u8(3), Heap::from_u8(2)), (None, None));
}

#[test]
fn records_and_strings_come_back() {
    let mut w = Writer::new();
    let int = w.string("int$32");
    assert_eq!(w.string("int$32"), int);
    let int = w.ty(type_record(int, 2), &[]);
    let point = w.string("point");
    let x = w.string("x");
    let slots = [RelatedRecord { ty: int, name: x, value: 0 }, RelatedRecord { ty: int, name: x, value: 4 }];
    let point = w.ty(type_record(point, 6), &slots);
    let main = w.string("main");
    w.add_static(static_record(0x2000, 16, StrRef(0)));
    w.add_static(static_record(0x1000, 32, main));
    let slot = |start, length, below_cfa| SlotRecord { start, length, below_cfa, name: x, ty: point };
    w.frame(frame_record(0x1000, 32, main), &[slot(0, 32, 8), slot(8, 8, 48), slot(4, 24, 16)]);
    let step = |line| StepRecord { file: x, line, text: main, kind: 2, number: 0, reserved: 0 };
    let site = site_record(0x1010, x);
    let (shared, shared_count) = w.steps(&[step(7), step(8)]);
    assert_eq!(w.steps(&[step(7), step(8)]), (shared, shared_count), "equal runs are one");
    let more = StepRecord { kind: StepKind::More as u8, number: shared_count, ..step(shared) };
    let (first_step, step_count) = w.steps(&[step(6), more, step(9)]);
    w.site(SiteRecord { first_step, step_count, ..site });
    w.site(SiteRecord { return_svma: 0x1008, ..site });
    let hop = |return_svma, cfa_offset| HopRecord {
        return_svma,
        cfa_offset,
        cfa_register: 1,
        saved_rbp: 1,
        rbp_offset: -16,
    };
    w.hop(hop(0x1020, 8));
    w.hop(hop(0x1010, 24));
    let text = w.string("returns p0");
    let wrapper = |svma, signature| WrapperRecord { svma, signature, sizes: 1, text };
    w.wrapper(wrapper(0x1020, 2));
    w.wrapper(wrapper(0x1000, 1));
    let condition = |return_svma, slot_svma| ConditionRecord {
        return_svma,
        slot_svma,
        signature: 2,
        parameter: 0,
        expectation: Expectation::Signature as u32,
    };
    let all = [condition(0x1010, 0x3000), condition(0x1010, 0x3008), condition(0x1018, 0x3000)];
    [2, 1, 0, 1].into_iter().for_each(|index| w.condition(all[index]));
    let bytes = Aligned::new(&w.finish(b"build-id").unwrap());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    assert_eq!(m.build_id(), b"build-id");
    assert_eq!(m.text(m.ty(point).unwrap().name), "point");
    assert_eq!(m.related(m.ty(point).unwrap()), slots);
    assert_eq!(m.static_at(0x101f).map(|s| m.text(s.name)), Some("main"));
    assert_eq!(m.static_at(0x1020), None);
    assert_eq!(m.static_at(0xfff), None);
    let layout = |svma| {
        let layout = m.frame_at(svma)?;
        let offsets: Vec<u32> = layout.variables().map(|v| layout.offset(v)).collect();
        Some((layout.start..layout.end, layout.below_cfa, offsets))
    };
    assert_eq!(layout(0x1000), Some((0x1000..0x1004, 8, vec![0])));
    assert_eq!(layout(0x1005), Some((0x1004..0x1008, 16, vec![0, 8])));
    assert_eq!(layout(0x100f), Some((0x1008..0x1010, 48, vec![0, 32, 40])));
    assert_eq!(layout(0x1010), Some((0x1010..0x101c, 16, vec![0, 8])));
    assert_eq!(layout(0x101f), Some((0x101c..0x1020, 8, vec![0])));
    assert_eq!(layout(0x1020), None);
    assert_eq!(m.site_at(0x1010).unwrap().line, 7);
    assert_eq!(m.site_at(0x1011), None);
    let steps = |svma| m.steps(m.site_at(svma).unwrap()).copied().collect::<Vec<_>>();
    assert_eq!(steps(0x1008), []);
    assert_eq!(steps(0x1010), [step(6), step(7), step(8), step(9)]);
    assert_eq!(m.hop_at(0x1010), Some(&hop(0x1010, 24)));
    assert_eq!(m.hop_at(0x1011), None);
    assert_eq!(m.wrapper_at(0x1020), Some(&wrapper(0x1020, 2)));
    assert_eq!(m.wrapper_at(0x1021), None);
    assert_eq!(m.text(m.wrapper_at(0x1000).unwrap().text), "returns p0");
    assert_eq!(m.conditions_at(0x1010), &all[..2]);
    assert_eq!(m.conditions_at(0x1011), &[]);
    assert_eq!(m.conditions_at(0x1018), &all[2..]);
}

#[test]
fn what_is_expected_of_a_function() {
    let check = |expectation: u32, signature, parameter, sizes, expect: bool| {
        let condition = ConditionRecord { return_svma: 0, slot_svma: 0, signature, parameter, expectation };
        let wrapper = WrapperRecord { svma: 0, signature: 7, sizes, text: StrRef(0) };
        assert_eq!(condition.holds_for(&wrapper), expect, "{condition:?} {wrapper:?}");
    };
    let (same, is, has, plain) = (0, 1, 2, 3);
    check(same, 7, 0, 0, true);
    check(same, 8, 0, 1, false);
    check(is, 0, 1, 0b10, true);
    check(is, 0, 1, 0b11, false);
    check(is, 0, 32, 0, false);
    check(has, 0, 1, 0b11, true);
    check(has, 0, 2, 0b11, false);
    check(has, 0, 40, u32::MAX, false);
    check(plain, 0, 0, 0b100, true);
    check(plain, 0, 0, 0, false);
    check(4, 7, 0, 1, false);
}

#[test]
fn a_range_that_runs_into_the_next_is_cut_there() {
    let mut w = Writer::new();
    w.add_static(static_record(0x10, 0x100, StrRef(0)));
    w.add_static(static_record(0x20, 8, StrRef(0)));
    w.add_static(static_record(0x20, 4, StrRef(0)));
    let bytes = Aligned::new(&w.finish(&[]).unwrap());
    let m = Metadata::parse(bytes.bytes()).unwrap();
    assert_eq!(m.statics().iter().map(|s| (s.svma, s.size)).collect::<Vec<_>>(), [(0x10, 0x10), (0x20, 8)]);
}

#[test]
fn another_version_is_refused_by_number() {
    let mut bytes = Writer::new().finish(&[]).unwrap();
    bytes[8] = 99;
    assert_eq!(Metadata::parse(Aligned::new(&bytes).bytes()).unwrap_err(), Error::BadVersion(99));
}

#[test]
fn bytes_that_are_cut_off_are_refused() {
    let bytes = Writer::new().finish(&[]).unwrap();
    for n in 0..bytes.len() {
        assert!(Metadata::parse(Aligned::new(&bytes[..n]).bytes()).is_err(), "{n} bytes");
    }
}

/// Follows everything in the metadata, as a reader would.
fn walk(m: &Metadata<'_>) -> usize {
    let mut seen = m.build_id().len();
    for ty in m.types() {
        seen += m.text(ty.name).len();
        seen += m.related(ty).iter().filter_map(|r| m.ty(r.ty)).count();
    }
    for probe in [0, 0x10, 0x1000, u64::MAX] {
        seen += usize::from(m.static_at(probe).is_some());
        seen += m.frame_at(probe).map_or(0, |f| f.variables().map(|v| f.offset(v) as usize & 1).sum());
        seen += m.vlas_at(probe).map(|vla| vla.length as usize & 1).sum::<usize>();
        seen += usize::from(m.site_at(probe).is_some());
        seen += usize::from(m.hop_at(probe).is_some());
        seen += usize::from(m.wrapper_at(probe).is_some()) + m.conditions_at(probe).len();
    }
    seen += m.hooks().iter().map(|hook| m.text(hook.name).len()).sum::<usize>();
    for site in m.sites() {
        seen += m.steps(site).map(|step| m.text(step.text).len()).sum::<usize>();
    }
    seen
}

proptest! {
    #[test]
    fn a_look_up_equals_a_scan(ranges in prop::collection::vec((0u64..2000, 1u64..60), 0..60), probe in 0u64..2100) {
        let mut w = Writer::new();
        for &(svma, size) in &ranges {
            w.add_static(static_record(svma, size, StrRef(0)));
        }
        let bytes = Aligned::new(&w.finish(&[]).unwrap());
        let m = Metadata::parse(bytes.bytes()).unwrap();
        let scan = m.statics().iter().find(|s| (s.svma..s.svma + s.size).contains(&probe));
        prop_assert_eq!(m.static_at(probe), scan);
    }

    #[test]
    fn hostile_bytes_never_bring_the_reader_down(
        noise in prop::collection::vec((0usize..400, any::<u8>()), 0..12)
    ) {
        let mut w = Writer::new();
        let name = w.string("name");
        let int = w.ty(type_record(name, 2), &[]);
        w.ty(type_record(name, 6), &[RelatedRecord { ty: int, name, value: 0 }]);
        w.add_static(static_record(0x10, 4, name));
        w.frame(frame_record(0x10, 4, name), &[SlotRecord { start: 0, length: 4, below_cfa: 8, name, ty: int }]);
        w.vla(vla_record(0x10, 0, 4, name));
        w.hook(hook_record(0x10, name));
        let step = StepRecord { file: name, line: 1, text: name, kind: 1, number: 0, reserved: 0 };
        let (first_step, step_count) = w.steps(&[step, StepRecord { kind: 12, number: 1, line: 0, ..step }]);
        w.site(SiteRecord { first_step, step_count, ..site_record(0x10, name) });
        w.wrapper(WrapperRecord { svma: 0x10, signature: 1, sizes: 1, text: name });
        for return_svma in [0, 0x10, 0x1000] {
            w.condition(ConditionRecord { return_svma, slot_svma: 8, signature: 1, parameter: 0, expectation: 0 });
        }
        let mut bytes = w.finish(b"id").unwrap();
        for (at, value) in noise {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let bytes = Aligned::new(&bytes);
        if let Ok(m) = Metadata::parse(bytes.bytes()) {
            walk(&m);
        }
    }
}
