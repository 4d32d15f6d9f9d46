//! Which blocks are buffers of bytes because of what becomes of the pointers to void that point to them, over all files of a link.

use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::{Callee, FileFacts, Holder, Sink, Usage};
use super::functions::takes_anything;
use super::targets::Targets;

/// The most places that one pointer is followed through.
const MOST_PLACES: usize = 256;

/// Where pointers to void are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place<'f> {
    Field(&'f str, &'f str),
    Global(&'f str),
    Static(usize, &'f str),
    Parameter(usize, &'f str, u32),
}

/// What is said of a block.
#[derive(Default)]
struct Said {
    /// Bytes of it are read or written.
    bytes: bool,
    /// It is something else.
    objects: bool,
    /// It gets to where nothing is seen of it, or is read as numbers alone.
    unseen: bool,
}

/// What becomes of pointers to void, in all files.
pub(super) struct Uses<'f> {
    /// With the file that says it.
    of: FxHashMap<Place<'f>, Vec<(usize, &'f Usage)>>,
    /// The files of the functions that all see, by name.
    shared: FxHashMap<&'f str, usize>,
    targets: &'f Targets<'f>,
}

impl<'f> Uses<'f> {
    pub(super) fn new(files: &'f [FileFacts], targets: &'f Targets<'f>) -> Self {
        let mut uses = Uses { of: FxHashMap::default(), shared: FxHashMap::default(), targets };
        for (file, facts) in files.iter().enumerate() {
            for one in &facts.uses {
                let place = match &one.of {
                    Holder::Argument(function, index) => {
                        if one.what == (Usage::Parameter { is_static: false }) {
                            uses.shared.entry(function).or_insert(file);
                        }
                        Place::Parameter(file, function, *index)
                    }
                    Holder::Field(ty, field) => Place::Field(ty, field),
                    Holder::Global(name) => Place::Global(name),
                    Holder::Static(name) => Place::Static(file, name),
                    Holder::Result(_) => continue,
                };
                uses.of.entry(place).or_default().push((file, &one.what));
            }
        }
        uses
    }

    /// Whether a block is a buffer of bytes: somewhere bytes are read or written where a pointer to it points, and nowhere is it said to
    /// be something else.
    pub(super) fn are_bytes(&self, file: usize, sinks: &'f [Sink]) -> bool {
        let said = self.said(file, sinks);
        said.bytes && !said.objects && !said.unseen
    }

    /// Whether a block is said to be something else than bytes in some place that a pointer to void to it gets to.
    pub(super) fn are_objects(&self, file: usize, sinks: &'f [Sink]) -> bool {
        self.said(file, sinks).objects
    }

    /// What is said of a block in the places that keep a pointer to void to it.
    fn said(&self, file: usize, sinks: &'f [Sink]) -> Said {
        let mut said = Said::default();
        let mut next = Vec::new();
        for sink in sinks {
            let place = match sink {
                Sink::Kept(holder) => self.place(file, holder),
                Sink::Argument(function, index) => self.parameter(file, function, *index),
                Sink::Carved => {
                    said.objects = true;
                    continue;
                }
                Sink::Lost => None,
                Sink::Return(_) | Sink::Out(..) | Sink::Pointer(_) | Sink::Part(_) => continue,
            };
            match place {
                Some(place) => next.push(place),
                None => said.unseen |= !is_open(sink),
            }
        }
        let mut seen = FxHashSet::default();
        while let Some(place) = next.pop() {
            if !seen.insert(place) {
                continue;
            }
            if seen.len() > MOST_PLACES {
                said.unseen = true;
                break;
            }
            let uses = self.of.get(&place).map_or(&[][..], Vec::as_slice);
            // Bytes are read as numbers too, for speed. What a function does with its parameter, it does with bytes of any meaning.
            let is_bytes = uses.iter().any(|(_, what)| **what == Usage::Bytes);
            let may_be_bytes = is_bytes || matches!(place, Place::Parameter(..));
            said.bytes |= is_bytes;
            for &(file, what) in uses {
                match what {
                    Usage::Bytes | Usage::Parameter { .. } => {}
                    Usage::Numbers => said.unseen |= !may_be_bytes,
                    Usage::Anything | Usage::Objects => said.objects = true,
                    Usage::Passed(holder) => match (self.place(file, holder), holder) {
                        (Some(place), _) => next.push(place),
                        (None, Holder::Argument(function, _)) if takes_anything(function) => {}
                        (None, _) => said.unseen = true,
                    },
                    Usage::Called(pointer, index) => match self.called(file, pointer, *index) {
                        Some(places) => next.extend(places),
                        None => said.unseen = true,
                    },
                }
            }
        }
        said
    }

    /// The parameters that what is passed to a function pointer becomes; `None` if any of the functions is not seen.
    fn called(&self, file: usize, pointer: &'f Callee, index: u32) -> Option<Vec<Place<'f>>> {
        let functions = self.targets.of_pointer(file, pointer)?;
        functions.into_iter().map(|(file, name)| self.parameter(file, name, index)).collect()
    }

    /// Whether something else than characters is kept in a block that pointers to characters point to: they are there for arithmetic.
    pub(super) fn is_carved(&self, file: usize, sinks: &'f [Sink]) -> bool {
        sinks.iter().any(|sink| match sink {
            Sink::Carved => true,
            Sink::Argument(function, index) => self.parameter(file, function, *index).is_some_and(|place| {
                let uses = self.of.get(&place).map_or(&[][..], Vec::as_slice);
                uses.iter().any(|(_, what)| **what == Usage::Objects)
            }),
            Sink::Return(_)
            | Sink::Out(..)
            | Sink::Pointer(_)
            | Sink::Kept(_)
            | Sink::Lost
            | Sink::Part(_) => false,
        })
    }

    fn place(&self, file: usize, holder: &'f Holder) -> Option<Place<'f>> {
        match holder {
            Holder::Field(ty, field) => Some(Place::Field(ty, field)),
            Holder::Global(name) => Some(Place::Global(name)),
            Holder::Static(name) => Some(Place::Static(file, name)),
            Holder::Argument(function, index) => self.parameter(file, function, *index),
            Holder::Result(_) => None,
        }
    }

    /// A parameter of a function of this name that a file sees.
    fn parameter(&self, file: usize, function: &'f str, index: u32) -> Option<Place<'f>> {
        let own = Place::Parameter(file, function, index);
        if self.of.contains_key(&own) {
            return Some(own);
        }
        let shared = Place::Parameter(*self.shared.get(function)?, function, index);
        self.of.contains_key(&shared).then_some(shared)
    }
}

/// Whether a function of the library that gets a block leaves open what it is.
fn is_open(sink: &Sink) -> bool {
    matches!(sink, Sink::Argument(function, _) if takes_anything(function))
}
