//! The metadata of a linked file, as the tests look at it.
#![allow(dead_code, unreachable_pub)] // each test file uses a part of it

use std::collections::BTreeMap;

use allocs_metadata::{Metadata, TypeRecord};
use allocscc::dwarf::Contents;
use allocscc::dwarf::units::{DebugData, Units};
use allocscc::emit::{self, Aligned};
use allocscc::graph::names::Names;

/// Reads a file's debug information and makes its metadata, without sites.
pub fn of(bytes: &[u8]) -> Aligned {
    let data = DebugData::load(bytes).unwrap();
    let units = Units::new(&data).unwrap();
    let mut contents = Contents::read(&units);
    assert_eq!(contents.warnings, Vec::<String>::new());
    let wanted = contents.types.named();
    let out = emit::metadata(emit::Input {
        types: &mut contents.types.types,
        names: &mut Names::default(),
        wanted: &wanted,
        statics: &contents.statics,
        frames: &contents.frames,
        allocas: &[],
        sites: &[],
        wrappers: &[],
        hooks: &[],
        build_id: data.file().build_id(),
    });
    Aligned::copy(&out.unwrap())
}

/// What a type looks like: size, and for a struct, union or enum what is in it.
pub fn describe(m: &Metadata<'_>, t: &TypeRecord) -> String {
    let size = if t.size == u32::MAX { "unbounded".to_owned() } else { t.size.to_string() };
    let related = m.related(t).iter().map(|r| {
        let ty = m.ty(r.ty).map_or("-", |t| m.text(t.name));
        format!("{}@{}:{ty}", m.text(r.name), r.value & ((1 << 56) - 1))
    });
    format!("{size} {:#x} [{}]", t.word, related.collect::<Vec<_>>().join(" "))
}

/// Digest and looks of every type, by name. Two types of one name make the test fail.
pub fn types(m: &Metadata<'_>) -> BTreeMap<String, ([u64; 2], String)> {
    let mut found = BTreeMap::new();
    for t in m.types() {
        let name = m.text(t.name).to_owned();
        let old = found.insert(name.clone(), (t.digest, describe(m, t)));
        assert_eq!(old, None, "two types are called {name}");
    }
    found
}
