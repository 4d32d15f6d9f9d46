//! From the DWARF of a linked file to types, statics, frames and source positions.
//!
//! Reading order: [`linked`] opens the ELF file, [`units`] lists its units and follows references between DIEs.
//! [`types`] makes type DIEs a graph, with [`arrays`], [`members`] and [`naming`] for what is intricate there; [`index`] finds
//! in it what the source names. [`scopes`] reads functions, blocks and variables; [`location`], [`cfa`] and [`locals`] say where
//! a variable is; [`statics`], [`literals`], [`frames`] and [`vlas`] are what comes of it, [`bodies`] says where that is all. [`parameters`] says in which registers a function gets what. [`lines`] answers where in the source an
//! address is. [`receivers`], [`alloc_types`], and for C++ [`constructors`] and [`allocators`], say what an allocation holds of which the source says nothing. [`insert`] is the one that
//! writes: it adds attributes to DIEs.

pub mod alloc_types;
pub mod allocators;
mod arrays;
pub mod bodies;
pub mod cfa;
pub mod constructors;
pub mod error;
pub mod frames;
pub mod index;
pub mod insert;
pub mod lines;
pub mod linked;
pub mod literals;
mod locals;
mod location;
mod members;
pub mod naming;
pub mod parameters;
pub mod receivers;
pub mod scopes;
pub mod statics;
pub mod types;
pub mod units;
pub mod vlas;

pub use error::{Error, Result};

use bodies::Bodies;
use frames::Frame;
use index::TypeIndex;
use lines::LineIndex;
use scopes::Scopes;
use statics::Static;
use types::{MergedTypes, Types};
use units::Units;

/// All that the debug information of a linked file says.
pub struct Contents {
    /// The types, each once.
    pub types: MergedTypes,
    /// The same by the names that the source has for them.
    pub index: TypeIndex,
    /// Functions and variables with static storage, by address. [`literals::add`] adds string literals, which no
    /// debug information describes.
    pub statics: Vec<Static>,
    /// Stack frames.
    pub frames: Vec<Frame>,
    /// Functions with code.
    pub bodies: Bodies,
    /// Source positions.
    pub lines: LineIndex,
    /// What could not be read and was left out, with section and offset.
    pub warnings: Vec<String>,
}

impl Contents {
    /// Reads everything. What is broken in one place costs the answers of that place.
    #[must_use]
    pub fn read(units: &Units<'_>) -> Self {
        let types = Types::read(units);
        let scopes = Scopes::read(units);
        let lines = LineIndex::build(units, &scopes);
        let mut faults = [&types.warnings[..], &scopes.warnings, &lines.warnings].concat();
        let mut types = types.merge();
        let index = TypeIndex::new(units, &types);
        let frames = frames::read(units, &scopes, &types, &mut faults);
        let statics = statics::read(units, &scopes, &mut types);
        let warnings =
            units.warnings().iter().cloned().chain(faults.iter().map(ToString::to_string)).collect();
        let bodies = Bodies::read(&scopes);
        Contents { types, index, statics, frames, bodies, lines, warnings }
    }
}
