//! Which blocks are buffers of bytes because of what becomes of the pointers to void that point to them, over all files of a link.

use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::{BaseType, Callee, FileFacts, Holder, Sink, TypeRef, Usage};
use super::functions::takes_anything;
use super::targets::Targets;
use crate::c::types::UCHAR;

/// The most places that one pointer is followed through.
const MOST_PLACES: usize = 256;
/// A block that may be an array of more types of numbers than these is nothing that is known.
const MOST_NUMBERS: usize = 3;

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
    /// It gets to where nothing is seen of it.
    unseen: bool,
    /// It is read as numbers alone.
    numbers_alone: bool,
    /// The numbers that are read or written, outside functions that get it.
    numbers: Vec<BaseType>,
    /// The numbers that it is an array of.
    elements: Vec<BaseType>,
    /// The numbers that are in other blocks in the same places.
    given: Vec<BaseType>,
}

impl Said {
    /// Whether blocks that are kept in the same places are arrays of numbers of several bytes.
    fn is_of_numbers(&self) -> bool {
        self.elements.iter().chain(&self.given).any(|number| number.size > 1)
    }
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
        said.bytes && !said.objects && !said.unseen && !said.numbers_alone && !said.is_of_numbers()
    }

    /// The numbers that a block may be an array of, if that is all that is said of it, bytes among them; none if it is not.
    pub(super) fn numbers(&self, file: usize, sinks: &'f [Sink]) -> Vec<TypeRef> {
        let said = self.said(file, sinks);
        let is_element = |number: &BaseType| said.elements.contains(number);
        let is_known =
            !said.objects && !said.unseen && said.numbers.iter().chain(&said.given).all(is_element);
        let mut wide: Vec<BaseType> =
            said.elements.iter().copied().filter(|element| element.size > 1).collect();
        wide.sort_unstable();
        wide.dedup();
        if wide.is_empty() || wide.len() > MOST_NUMBERS || !is_known {
            return Vec::new();
        }
        let has_bytes = said.bytes || said.elements.iter().any(|element| element.size == 1);
        let bytes = has_bytes.then_some(UCHAR);
        bytes.into_iter().chain(wide).map(TypeRef::Base).collect()
    }

    /// Whether a block is said to be something else than bytes in some place that a pointer to void to it gets to.
    pub(super) fn are_objects(&self, file: usize, sinks: &'f [Sink]) -> bool {
        let said = self.said(file, sinks);
        said.objects || said.is_of_numbers()
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
                Sink::Return(_) | Sink::Out(..) | Sink::Pointer(_) | Sink::Part(_) | Sink::Ended => continue,
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
            let is_parameter = matches!(place, Place::Parameter(..));
            let may_be_bytes = is_bytes || is_parameter;
            said.bytes |= is_bytes;
            for &(file, what) in uses {
                match what {
                    Usage::Bytes | Usage::Parameter { .. } => {}
                    Usage::Elements(element) if is_parameter => said.objects |= element.size > 1,
                    Usage::Elements(element) => said.elements.push(*element),
                    Usage::Given(number) => said.given.push(*number),
                    Usage::Numbers(number) => {
                        said.numbers_alone |= !may_be_bytes;
                        said.numbers.extend((!is_parameter).then_some(*number));
                    }
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
            | Sink::Part(_)
            | Sink::Ended => false,
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
