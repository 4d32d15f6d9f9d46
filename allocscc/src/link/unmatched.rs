//! Why a call that allocates has no site in the source, or one of which nothing is known.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dwarf::index::TypeIndex;
use crate::dwarf::lines::{LineIndex, SourceFrame};
use crate::dwarf::units::{UnitIndex, Units};
use crate::sites::explain::{Explanation, Reason};
use crate::sites::facts::{FileFacts, Place};

/// What is known of the sources that the calls of a file come from.
pub(super) struct Sources<'a, 'data> {
    units: &'a Units<'data>,
    files: &'a [FileFacts],
    /// The functions that have source.
    functions: FxHashSet<&'a str>,
    /// The facts of a unit, by its place in `files`.
    by_unit: FxHashMap<UnitIndex, usize>,
}

impl<'a, 'data> Sources<'a, 'data> {
    /// `unit_of_file` are the units of `files`, as far as the debug information has them.
    pub(super) fn new(
        units: &'a Units<'data>,
        lines: &'a LineIndex,
        files: &'a [FileFacts],
        unit_of_file: &[Option<UnitIndex>],
    ) -> Self {
        let known = unit_of_file.iter().enumerate();
        let by_unit = known.filter_map(|(file, unit)| Some(((*unit)?, file))).collect();
        Sources { units, files, functions: lines.contexts().map(|(_, name, _)| name).collect(), by_unit }
    }

    /// Whether the source of a unit was read without gaps, so that each call in it is known.
    pub(super) fn is_whole(&self, unit: Option<UnitIndex>) -> bool {
        let file = unit.and_then(|unit| self.by_unit.get(&unit));
        file.is_some_and(|&file| self.files[file].skipped.is_empty())
    }

    /// An explanation that knows of all functions: the facts have those that take part in allocations alone.
    pub(super) fn with_functions_seen(&self, why: Explanation) -> Explanation {
        match why.reason {
            Some((Reason::PassedOn, name)) if self.functions.contains(&*name) => {
                Explanation { reason: Some((Reason::NoSizeof, String::new())), ..why }
            }
            _ => why,
        }
    }

    /// Why no site of the source is the call at a place.
    pub(super) fn reason(&self, frame: Option<&SourceFrame<'_>>, index: &TypeIndex) -> (Reason, String) {
        let Some((frame, unit)) = frame.and_then(|frame| Some((frame, frame.unit?))) else {
            return (Reason::NoPlace, String::new());
        };
        let unit = self.units.get(unit);
        // A source that was compiled twice is one unit.
        let known = index.unit(unit.name(), unit.directory()).and_then(|unit| self.by_unit.get(&unit));
        let Some(&file) = known else {
            return (Reason::NoFacts, basename(unit.name()).to_owned());
        };
        match not_read(&self.files[file], frame) {
            Some((place, complaint)) => {
                (Reason::NotRead, format!("{complaint} at {}:{}", basename(&place.file), place.line))
            }
            None => (Reason::NoMatch, String::new()),
        }
    }
}

/// The declaration that the parser skipped and the call is in: the closest one, if no function that it read lies between.
fn not_read<'f>(facts: &'f FileFacts, frame: &SourceFrame<'_>) -> Option<&'f (Place, String)> {
    let is_here = |place: &Place| basename(&place.file) == frame.basename();
    if facts.functions.iter().any(|function| function.name == frame.function) {
        return None;
    }
    let in_file = facts.skipped.iter().filter(|(place, _)| is_here(place) || place.line == 0);
    let closest = in_file.min_by_key(|(place, _)| place.line.abs_diff(frame.line))?;
    let (from, to) = (closest.0.line.min(frame.line), closest.0.line.max(frame.line));
    let lies_between = facts.functions.iter().any(|function| {
        closest.0.line != 0 && is_here(&function.place) && (from..to).contains(&function.place.line)
    });
    (!lies_between).then_some(closest)
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
