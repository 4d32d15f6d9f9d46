//! The index against models. It never touches the heap that it describes, so the blocks here are made up.

use super::big::{self, BigId};
use super::sites::calls::{self, Call};
use super::sites::{self, Key, recent};
use super::{
    Block, LARGE, SiteIndex, block_at, block_near, coverage, for_each_block, insert, pages, remove, resume,
    suspend,
};
use crate::avma::Avma;
use crate::index::{self, Coverage};
use core::ops::ControlFlow;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::vec::Vec;

/// Bytes of heap that a model plays in.
const SPACE: usize = 2 << 20;

#[derive(Clone, Debug)]
enum Step {
    Allocate { at: usize, size: usize, site: u32 },
    Free { which: usize },
    Reallocate { which: usize, to: Option<usize>, size: usize },
    FailToReallocate { which: usize },
    Look { at: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || 0..SPACE;
    let size = || prop_oneof![4 => 0usize..100, 4 => 0usize..10_000, 2 => LARGE - 3..LARGE + 3, 2 => LARGE..SPACE / 4];
    let step = prop_oneof![
        6 => (at(), size(), 1u32..1000).prop_map(|(at, size, site)| Step::Allocate { at, size, site }),
        2 => any::<usize>().prop_map(|which| Step::Free { which }),
        3 => (any::<usize>(), prop::option::of(at()), size())
            .prop_map(|(which, to, size)| Step::Reallocate { which, to, size }),
        1 => any::<usize>().prop_map(|which| Step::FailToReallocate { which }),
        6 => at().prop_map(|at| Step::Look { at }),
    ];
    prop::collection::vec(step, 1..200)
}

/// What the index should hold: size and site by base.
#[derive(Default)]
struct Model {
    blocks: BTreeMap<usize, (usize, u32)>,
}

/// Bytes that the C library's malloc would use for a block, at least two granules.
fn footprint(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

impl Model {
    fn has_room(&self, base: usize, size: usize) -> bool {
        let before = self.blocks.range(..=base).next_back();
        before.is_none_or(|(&other, &(other_size, _))| other + footprint(other_size) <= base)
            && self.blocks.range(base..base + footprint(size)).next().is_none()
    }

    fn at(&self, p: usize) -> Option<Block> {
        let (&base, &(size, site)) = self.blocks.range(..=p).next_back()?;
        let block = Block { base: Avma(base), size, site: SiteIndex(site) };
        block.holds(Avma(p)).then_some(block)
    }

    fn pick(&self, which: usize) -> Option<Block> {
        let base = *self.blocks.keys().nth(which % self.blocks.len().max(1))?;
        self.at(base)
    }

    fn check_edges(&self, of: &Block) {
        let end = of.base.0 + of.size.max(1);
        let inside = [0, 1, 15, 16, of.size / 2, of.size.saturating_sub(1)].map(|offset| of.base.0 + offset);
        for p in inside.into_iter().chain([of.base.0 - 1, end, end + 15, end + 4096]) {
            assert_eq!(block_at(Avma(p)), self.at(p), "{p:#x} near {of:?}");
            let expect = self.at(p).filter(|block| block.size >= LARGE || block.base.0 >> 12 == p >> 12);
            assert_eq!(block_near(Avma(p)), expect, "{p:#x} near {of:?}");
        }
    }
}

fn play(space: usize, steps: &[Step]) {
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Allocate { at, size, site } => {
                let block = Block { base: Avma(space + at / 16 * 16), size, site: SiteIndex(site) };
                if model.has_room(block.base.0, size) {
                    insert(&block);
                    model.blocks.insert(block.base.0, (size, site));
                    model.check_edges(&block);
                }
            }
            Step::Free { which } => {
                if let Some(block) = model.pick(which) {
                    assert_eq!(remove(block.base), Some(block));
                    assert_eq!(remove(block.base), None);
                    model.blocks.remove(&block.base.0);
                    model.check_edges(&block);
                }
            }
            Step::Reallocate { which, to, size } => {
                let Some(old) = model.pick(which) else { continue };
                model.blocks.remove(&old.base.0);
                let base = to.map_or(old.base, |at| Avma(space + at / 16 * 16));
                if !model.has_room(base.0, size) {
                    model.blocks.insert(old.base.0, (old.size, old.site.0));
                    continue;
                }
                let suspended = suspend(old.base).expect("the block is live");
                assert_eq!(suspended.block, old);
                assert_eq!(block_at(old.base), None, "a suspended block is not there");
                let new = Block { base, size, site: SiteIndex(old.site.0 + 1) };
                resume(suspended, Some(new));
                model.blocks.insert(base.0, (size, new.site.0));
                model.check_edges(&old);
                model.check_edges(&new);
            }
            Step::FailToReallocate { which } => {
                if let Some(block) = model.pick(which) {
                    let suspended = suspend(block.base).expect("the block is live");
                    resume(suspended, Some(block));
                    model.check_edges(&block);
                }
            }
            Step::Look { at } => assert_eq!(block_at(Avma(space + at)), model.at(space + at)),
        }
    }
    let mut walked = Vec::new();
    let _: ControlFlow<()> = for_each_block(Avma(space), Avma(space + SPACE * 2), |block| {
        walked.push((block.base.0, (block.size, block.site.0)));
        ControlFlow::Continue(())
    });
    assert_eq!(walked, model.blocks.iter().map(|(&base, &rest)| (base, rest)).collect::<Vec<_>>());
    for (base, _) in walked {
        assert!(remove(Avma(base)).is_some());
    }
}

/// The page index exists once a process, so all that needs it is one test: first with parts in the regions, then flat.
#[test]
fn blocks_are_found_as_in_the_model() {
    // Across the border of two regions, at addresses where no program of ours maps anything.
    let space = |number: usize| 0x1000_0000_0000 + (number << 30) + (64 << 20) - SPACE / 2;
    for is_flat in [false, true] {
        if is_flat {
            pages::ensure_flat();
        }
        let number = usize::from(is_flat) * 10;
        let mut runner =
            TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
        runner
            .run(&steps(), |steps| {
                play(space(number), &steps);
                Ok(())
            })
            .unwrap();
        sizes_past_the_slot_are_exact(space(number + 1));
        promoted_allocations_end_with_their_block(space(number + 2));
        what_is_promoted_around_blocks_comes_and_goes(space(number + 3));
        a_small_block_with_a_record_ends_with_it(space(number + 4));
        threads_do_not_disturb_each_other(space(number + 5));
        what_takes_the_memory_of_a_moving_block_is_found(space(number + 6));
        an_allocation_has_one_record_wherever_it_starts(space(number + 7));
        blocks_without_a_record_are_found(space(number + 8));
    }
}

fn sizes_past_the_slot_are_exact(base: usize) {
    for size in [(1 << 30) - 2, (1 << 30) - 1, 1 << 30, (1 << 31) - 1, (1 << 32) + 1] {
        let block = Block { base: Avma(base), size, site: SiteIndex(7) };
        insert(&block);
        for p in [base, base + 4096, base + size / 2, base + size - 1] {
            assert_eq!(block_at(Avma(p)), Some(block), "{p:#x}");
        }
        assert_eq!(block_at(Avma(base + size)), None);
        assert_eq!(remove(block.base), Some(block));
        assert_eq!(block_at(Avma(base + size / 2)), None);
    }
}

fn promoted_allocations_end_with_their_block(base: usize) {
    let block = Block { base: Avma(base), size: 1 << 20, site: SiteIndex(3) };
    insert(&block);
    let of_block = big::malloc_block_at(block.base).unwrap();
    let inner = |from: usize, to: usize, parent: BigId| {
        big::promote(Avma(base + from), Avma(base + to), Some(parent), core::ptr::null_mut()).unwrap()
    };
    let chunk = inner(0x1000, 0x80000, of_block);
    let object = inner(0x20000, 0x40000, chunk);
    let deepest =
        |offset: usize| pages::deepest(pages::PageNumber::of_mappable(Avma(base + offset)).unwrap());
    assert_eq!(
        [deepest(0x2000), deepest(0x30000), deepest(0x90000)],
        [Some(chunk), Some(object), Some(of_block)]
    );
    assert_eq!(block_at(Avma(base + 0x30010)), Some(block));
    big::demote(object);
    assert_eq!(deepest(0x30000), Some(chunk));
    let object = inner(0x20000, 0x40000, chunk);
    assert_eq!(remove(block.base), Some(block));
    assert_eq!([deepest(0x2000), deepest(0x30000), deepest(0x90000)], [None; 3]);
    assert_eq!([of_block, chunk, object].map(BigId::kind), [big::Kind::Free; 3]);
}

fn what_is_promoted_around_blocks_comes_and_goes(base: usize) {
    let block = Block { base: Avma(base + 0x10000), size: 1 << 20, site: SiteIndex(3) };
    insert(&block);
    let of_block = big::malloc_block_at(block.base).unwrap();
    let around = |from: usize, to: usize, parent| {
        big::promote(Avma(base + from), Avma(base + to), parent, core::ptr::null_mut()).unwrap()
    };
    let outer = around(0, 4 << 20, None);
    assert_eq!(of_block.record().parent(), Some(outer));
    let between = around(0x8000, 2 << 20, Some(outer));
    assert_eq!([of_block, between].map(|id| id.record().parent()), [Some(between), Some(outer)]);
    big::demote(between);
    assert_eq!(of_block.record().parent(), Some(outer));
    assert_eq!(remove(block.base), Some(block));
    assert_eq!(pages::deepest(pages::PageNumber::of_mappable(block.base).unwrap()), Some(outer));
    big::demote(outer);
    assert_eq!(pages::deepest(pages::PageNumber::of_mappable(block.base).unwrap()), None);
}

/// The C library's `realloc` gives the memory of a block back before it returns.
fn what_takes_the_memory_of_a_moving_block_is_found(base: usize) {
    let block = |at: usize, size| Block { base: Avma(base + at), size, site: SiteIndex(4) };
    let [moving, moved] = [block(0, 1 << 20), block(SPACE, 1 << 20)];
    // At the same place, too.
    for new in
        [block(0x10000, 2 * LARGE), block(0x10000, LARGE / 3), block(0, 2 * LARGE), block(0, LARGE / 3)]
    {
        insert(&moving);
        let client = big::promote(
            moving.base,
            Avma(base + SPACE),
            big::malloc_block_at(moving.base),
            core::ptr::null_mut(),
        );
        let suspended = suspend(moving.base).unwrap();
        insert(&new);
        let last = Avma(new.base.0 + new.size - 1);
        let check = || {
            assert_eq!((block_at(last), block_at(Avma(last.0 + 1))), (Some(new), None), "{new:x?}");
        };
        check();
        resume(suspended, Some(moved));
        check();
        assert_eq!(
            (block_at(Avma(moved.base.0 + 0x54321)), client.unwrap().kind()),
            (Some(moved), big::Kind::Free)
        );
        assert_eq!([remove(new.base), remove(moved.base)], [Some(new), Some(moved)]);
    }
}

fn an_allocation_has_one_record_wherever_it_starts(base: usize) {
    let by = core::ptr::without_provenance_mut(8);
    let file = |end: usize| big::recorded(Avma(base), Avma(base + end), by, || None).unwrap();
    let inner = |from: usize, to: usize, by: usize| {
        let by = core::ptr::without_provenance_mut(by);
        big::recorded(Avma(base + from), Avma(base + to), by, || Some(file(0x4010))).unwrap()
    };
    let segment = inner(0x2da8, 0x4010, 16);
    let section = inner(0x2db0, 0x2dc0, 24);
    for _ in 0..100_000 {
        assert_eq!([inner(0x2da8, 0x4010, 16), inner(0x2db0, 0x2dc0, 24)], [segment, section]);
    }
    assert_eq!([segment, section].map(|id| id.record().parent()), [Some(file(0x4010)); 2]);
    let deepest =
        |offset: usize| pages::deepest(pages::PageNumber::of_mappable(Avma(base + offset)).unwrap());
    assert_eq!([0x1000, 0x3000, 0x5000].map(deepest), [Some(file(0x4010)), Some(segment), None]);
    // It grows, shrinks, and gives its place to another.
    let grown = file(0x8000);
    assert_eq!((deepest(0x5000), grown.record().end()), (Some(grown), Avma(base + 0x8000)));
    assert_eq!((file(0x5000), deepest(0x6000)), (grown, None));
    let other = big::recorded(Avma(base + 0x4000), Avma(base + 0x7000), by, || None).unwrap();
    assert_eq!((grown.record().size(), deepest(0x5000), deepest(0x1000)), (0, Some(other), None));
    for id in [other, grown, segment, section] {
        big::resize(id, id.record().begin());
    }
}

fn a_small_block_with_a_record_ends_with_it(base: usize) {
    for size in [0, 40, 9000, LARGE - 1] {
        let block = Block { base: Avma(base + 0xff0), size, site: SiteIndex(9) };
        let moved = Block { base: Avma(base + 0x8000), ..block };
        insert(&block);
        let record = index::promote_block(&block).unwrap();
        assert_eq!(index::promote_block(&block), Some(record));
        assert_eq!([record.record().begin(), record.record().end()], [block.base, Avma(block.base.0 + size)]);
        assert_eq!(block_at(block.base), Some(block));
        resume(suspend(block.base).unwrap(), Some(block));
        assert_eq!(index::record_at(block.base), Some(record), "a failed realloc changes nothing");
        resume(suspend(block.base).unwrap(), Some(moved));
        assert_eq!((index::record_at(moved.base), record.kind()), (None, big::Kind::Free));
        let again = index::promote_block(&moved).unwrap();
        assert_eq!(remove(moved.base), Some(moved));
        assert_eq!(again.kind(), big::Kind::Free);
        assert_eq!(block_at(Avma(moved.base.0 + size / 2)), None);
    }
}

fn threads_do_not_disturb_each_other(base: usize) {
    let areas = [0, 1, 2].map(|thread| base + thread * SPACE);
    std::thread::scope(|scope| {
        for (thread, area) in areas.into_iter().enumerate() {
            scope.spawn(move || {
                for i in 0..3000 {
                    let size = [40, 5000, LARGE + 50_000, LARGE][i % 4];
                    let site = SiteIndex(thread as u32 + 1);
                    let block = Block { base: Avma(area + i % 7 * 16), size, site };
                    insert(&block);
                    assert_eq!(block_at(Avma(block.base.0 + size - 1)), Some(block));
                    let moved = Block { base: Avma(area + SPACE / 2), size: size * 2, site };
                    resume(suspend(block.base).unwrap(), Some(moved));
                    assert_eq!(block_at(Avma(moved.base.0 + size)), Some(moved));
                    assert_eq!(remove(moved.base), Some(moved));
                }
            });
        }
        scope.spawn(move || {
            for i in 0..30_000 {
                let p = Avma(base + (i * 7919) % (3 * SPACE));
                if let Some(block) = block_at(p) {
                    let thread = (p.0 - base) / SPACE;
                    assert!(block.holds(p) && block.site.0 == thread as u32 + 1, "{p:?} in {block:?}");
                }
            }
        });
    });
}

fn blocks_without_a_record_are_found(base: usize) {
    let nowhere = Avma(base + (512 << 20));
    let taken: Vec<BigId> =
        core::iter::from_fn(|| big::promote(nowhere, nowhere, None, core::ptr::null_mut())).collect();
    assert!(taken.len() > 65_000);
    let block = Block { base: Avma(base), size: 20 * LARGE, site: SiteIndex(5) };
    let behind = Block { base: Avma(base + 21 * LARGE), size: 10, site: SiteIndex(6) };
    insert(&block);
    insert(&behind);
    for p in [0, LARGE, 17 * LARGE + 5, 20 * LARGE - 1] {
        assert_eq!(block_at(Avma(base + p)), Some(block));
    }
    assert_eq!(block_at(Avma(base + 20 * LARGE)), None);
    assert_eq!([remove(block.base), remove(behind.base)], [Some(block), Some(behind)]);
    taken.into_iter().for_each(big::demote);
}

#[test]
fn wild_addresses_hold_nothing() {
    for p in [0, 1, 4095, 4096, 0x7fff_ffff_ffff, 1 << 47, (1 << 47) - 1, usize::MAX, usize::MAX / 2] {
        assert_eq!(block_at(Avma(p)), None, "{p:#x}");
        assert_eq!(remove(Avma(p)), None, "{p:#x}");
    }
    assert_eq!(coverage(Avma(usize::MAX)), Coverage::NeverUsed);
    insert(&Block { base: Avma(0x1234_5678), size: 10, site: SiteIndex(1) });
    assert_eq!(block_at(Avma(0x1234_5678)), None, "a block off a granule stays unknown");
}

#[test]
fn recent_sites_are_found_by_all_bits_of_the_address() {
    let (a, b) = (Avma(0x5555_0001_1234), Avma(0x7fff_0001_1234));
    assert_eq!(recent::find(a), None);
    recent::remember(a, SiteIndex(12));
    assert_eq!([recent::find(a), recent::find(b)], [Some(SiteIndex(12)), None]);
    recent::forget(b);
    assert_eq!(recent::find(a), Some(SiteIndex(12)));
    recent::remember(b, SiteIndex(0x7fff_ffff));
    assert_eq!([recent::find(a), recent::find(b)], [None, Some(SiteIndex(0x7fff_ffff))]);
    recent::forget(b);
    assert_eq!(recent::find(b), None);
}

#[test]
fn a_recent_call_in_a_wrapper_is_no_site() {
    let at = Avma(0x5555_0002_1234);
    recent::remember_wrapper(at, 3);
    assert_eq!(recent::find(at), None);
    recent::remember(at, SiteIndex(12));
    assert_eq!(recent::find(at), Some(SiteIndex(12)));
    recent::remember_wrapper(at, i16::MAX.cast_unsigned());
    // Not even for an address that only the kernel has.
    assert_eq!(recent::find(Avma(at.0 | 1 << 47)), None);
    recent::forget(at);
    recent::remember(at, SiteIndex(13));
    assert_eq!(recent::find(at), Some(SiteIndex(13)));
    recent::forget(at);
}

#[test]
fn calls_are_remembered_until_their_file_is_unloaded() {
    // Of one bucket.
    let (gone, stays) = (Avma(0x6200_0000), Avma(0x6300_0000));
    assert_eq!([gone, stays].map(calls::find), [None, None]);
    calls::remember(gone, Call::Listed);
    calls::remember(stays, Call::Unlisted);
    assert_eq!([gone, stays].map(calls::find), [Some(Call::Listed), Some(Call::Unlisted)]);
    recent::remember_wrapper(gone, 2);
    sites::retire_unloaded(|address| address != gone);
    assert_eq!([gone, stays].map(calls::find), [None, Some(Call::Unlisted)]);
    for call in [Call::Unlisted, Call::Listed] {
        calls::remember(gone, call);
        assert_eq!(calls::find(gone), Some(call));
        sites::retire_unloaded(|address| address != gone);
        assert_eq!(calls::find(gone), None);
    }
}

#[test]
fn a_site_is_entered_once_whoever_comes_first() {
    let key = |n: usize| Key::plain(Avma(0x4000_0000 + n));
    let found: Vec<Vec<SiteIndex>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(move || (0..5000).map(|n| sites::find_or_insert(key(n))).collect()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(found.iter().all(|of_thread| *of_thread == found[0]));
    assert!((0..5000).all(|n| sites::site(found[0][n]).return_address() == key(n).return_address));
}

#[test]
fn a_retired_site_is_not_found_again() {
    let (gone, stays) = (Avma(0x6000_0000), Avma(0x6100_0000));
    let old = [gone, stays].map(|address| sites::find_or_insert(Key::plain(address)));
    recent::remember(gone, old[0]);
    sites::retire_unloaded(|address| address != gone);
    assert_eq!(recent::find(gone), None);
    let new = [gone, stays].map(|address| sites::find_or_insert(Key::plain(address)));
    assert!(new[0] != old[0] && new[1] == old[1]);
    assert_eq!(sites::site(old[0]).return_address(), gone, "blocks keep what is known of a retired site");
}

/// What the query side makes of a site: which return address gives the type, when those in `retyping` change it.
fn typed_by(index: SiteIndex, retyping: &[usize]) -> usize {
    let entry = sites::site(index);
    if entry.origin() == SiteIndex::UNKNOWN || retyping.contains(&entry.return_address().0) {
        return entry.return_address().0;
    }
    sites::site(entry.origin()).return_address().0
}

/// `realloc`, as the query side makes it when those in `retyping` change the type.
fn reallocate(old: SiteIndex, return_address: usize, retyping: &[usize]) -> SiteIndex {
    let new = sites::reallocated(old, Key::plain(Avma(return_address)));
    sites::site(new).note_whether_decides(retyping.contains(&return_address));
    new
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_reallocated_block_keeps_its_type(
        history in prop::collection::vec(0usize..6, 1..60),
        retyping in prop::collection::vec(0usize..6, 0..4),
    ) {
        // What retypes is kept in the entries, so each set of retyping sites has its own addresses.
        let base = 0x7000_0000 + 0x100 * retyping.iter().fold(0, |set, site| set | 1 << site);
        let retyping: Vec<usize> = retyping.into_iter().map(|site| base + site).collect();
        let first = base + 0x80;
        let mut site = sites::find_or_insert(Key::plain(Avma(first)));
        for &next in &history {
            site = reallocate(site, base + next, &retyping);
            prop_assert_eq!(sites::site(site).return_address(), Avma(base + next));
        }
        let expect = history.iter().rev().map(|next| base + next).find(|at| retyping.contains(at));
        prop_assert_eq!(typed_by(site, &retyping), expect.unwrap_or(first));
    }
}

/// Number of entries after `turns` of `turn`, which gets the site, a pseudo-random number, and gives the next site.
fn entries_after(turns: u32, base: usize, mut turn: impl FnMut(SiteIndex, usize) -> SiteIndex) -> usize {
    let mut site = sites::find_or_insert(Key::plain(Avma(base)));
    let mut random = 1u64;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..turns {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        site = turn(site, (random >> 33) as usize);
        assert_ne!(site, SiteIndex::UNKNOWN);
        seen.insert(site);
    }
    seen.len()
}

#[test]
fn entries_are_bounded_whatever_is_reallocated_and_declared() {
    let base = 0x7100_0000;
    let retyping: Vec<usize> = (0..6).map(|n| base + 2 * n).collect();
    for retyping in [&[][..], &retyping[..]] {
        let base = base + retyping.len() * 0x100;
        let entries =
            entries_after(100_000, base, |site, random| reallocate(site, base + 1 + random % 12, retyping));
        assert!(entries <= 12 * 13, "{entries} entries of 12 sites");
    }
    let types = [0x1000, 0x2000].map(core::ptr::without_provenance_mut);
    let entries = entries_after(600_000, base + 0x8000, |site, random| {
        sites::declared(reallocate(site, base + 0x8001, &[]), types[random % 2])
    });
    assert!(entries <= 4, "{entries} entries of two types");
}

#[test]
fn a_declared_type_survives_reallocation_until_it_is_taken_back() {
    let (a, b, c) = (Avma(0x7200_0000), Avma(0x7200_0001), Avma(0x7200_0002));
    let ty = core::ptr::without_provenance_mut(0x1000);
    let fresh = sites::find_or_insert(Key::plain(a));
    let grown = reallocate(fresh, b.0, &[]);
    let declared = sites::declared(grown, ty);
    assert_eq!(sites::site(declared).declared(), ty);
    assert_eq!(sites::site(declared).return_address(), b);
    for again in [b, c] {
        let later = reallocate(declared, again.0, &[]);
        assert_eq!((sites::site(later).return_address(), sites::site(later).declared()), (again, ty));
        assert_eq!(reallocate(later, again.0, &[]), later);
        let cleared = sites::declared(later, core::ptr::null_mut());
        assert_eq!(typed_by(cleared, &[]), a.0);
        assert!(sites::site(cleared).declared().is_null());
    }
    assert_eq!(sites::declared(declared, core::ptr::null_mut()), grown);
    assert_eq!(sites::declared(fresh, core::ptr::null_mut()), fresh);
}

#[test]
fn strings_and_other_blocks_of_one_return_address_have_entries_of_their_own() {
    let at = Avma(0x7300_0000);
    let [plain, string] = [Key::plain(at), Key::string(at)].map(sites::find_or_insert);
    assert_eq!([plain, string].map(|site| sites::site(site).is_string()), [false, true]);
    let grown = sites::reallocated(string, Key::plain(at));
    assert_eq!((sites::site(grown).is_string(), sites::site(grown).origin()), (false, string));
    assert_eq!(sites::reallocated(string, Key::string(at)), string);
}

#[test]
fn a_site_that_was_never_entered_is_not_found() {
    let (at, grown_at) = (Avma(0x7400_0000), Avma(0x7400_0001));
    assert_eq!(
        (sites::find(Key::plain(at)), sites::find_any(at), sites::find_any(Avma(0))),
        (None, None, None)
    );
    let fresh = sites::find_or_insert(Key::plain(at));
    let grown = reallocate(fresh, grown_at.0, &[]);
    assert_eq!((sites::find(Key::plain(at)), sites::find_any(at)), (Some(fresh), Some(fresh)));
    assert_eq!((sites::find(Key::plain(grown_at)), sites::find_any(grown_at)), (None, Some(grown)));
}
