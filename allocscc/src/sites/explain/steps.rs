//! What led to the type of a site, from the functions that allocate for it to what is dropped.

use allocs_metadata::Evidence;

use super::reason::target_names;
use super::{Explainer, Step, StepKind};
use crate::sites::effect::{Effect, parameters};
use crate::sites::facts::{Behind, Call, Callee, FileFacts, Origin, Place, Says, SizeExpr, TypeRef};
use crate::sites::functions::Kind;
use crate::sites::heap_type::{HeapType, is_character, is_complete};
use crate::sites::spelling::c_type;
use crate::sites::targets::{FunctionId, Target};
use crate::sites::wrappers::Site;

/// The most wrappers that are followed.
const MOST_HOPS: usize = 8;
/// The most steps of one explanation.
const MOST_STEPS: usize = 32;

impl Explainer<'_> {
    /// What led to this type of the site at a call.
    pub(in crate::sites) fn steps(
        &self,
        (file, index): (usize, usize),
        ty: &HeapType,
        evidence: Evidence,
    ) -> Vec<Step> {
        let facts = &self.files[file];
        let (call, site) = (&facts.calls[index], &self.sites[&(file, index)]);
        let mut steps = Vec::new();
        self.sizes(file, index, &mut steps);
        self.receivers(file, index, ty, &mut steps);
        if !matches!(call.callee, Callee::Direct(_)) {
            steps.push(self.targets(site, call));
        }
        steps.extend(headers(site, call));
        steps.extend(verdicts(site, call, ty, evidence, origins(facts, index)));
        steps.truncate(MOST_STEPS);
        steps
    }

    /// Where types stand in the sizes among the arguments, and the variables and functions that they go through.
    fn sizes(&self, file: usize, index: usize, steps: &mut Vec<Step>) {
        let facts = &self.files[file];
        for origin in origins(facts, index) {
            let (kind, text) = match &origin.what {
                Says::Sizeof(ty) => (StepKind::Sizeof, format!("sizeof ({})", c_type(ty))),
                Says::OffsetOf(ty, path) => (StepKind::Sizeof, format!("offsetof ({}, {path})", c_type(ty))),
                Says::Variable(name) => (StepKind::Variable, name.clone()),
                Says::Receiver(..) => continue,
            };
            steps.push(Step { kind, number: 0, place: origin.place.clone(), text });
        }
        let mut names = Vec::new();
        facts.calls[index].arguments.iter().for_each(|size| helpers(size, &mut names));
        for name in names {
            if let Some(place) = self.function_named(file, name) {
                let text = name.to_owned();
                steps.push(Step { kind: StepKind::Helper, number: 0, place: place.clone(), text });
            }
        }
    }

    /// What receives the result: the pointers of the site's type, or all if there is none.
    fn receivers(&self, file: usize, index: usize, ty: &HeapType, steps: &mut Vec<Step>) {
        let all: Vec<(&Origin, &TypeRef, &str)> = origins(&self.files[file], index)
            .iter()
            .filter_map(|origin| match &origin.what {
                Says::Receiver(ty, words) => Some((origin, ty, words.as_str())),
                _ => None,
            })
            .collect();
        let is_of = |to: &TypeRef| matches!(to, TypeRef::Pointer(to) if ty.first() == Some(to));
        let has_type = all.iter().any(|(_, to, _)| is_of(to));
        for (origin, to, words) in all.into_iter().filter(|(_, to, _)| !has_type || is_of(to)) {
            let words = if words.is_empty() { String::new() } else { format!(" ({words})") };
            let (text, place) = (c_type(to) + &words, origin.place.clone());
            steps.push(Step { kind: StepKind::Receiver, number: 0, place, text });
        }
    }

    /// The functions between a call and the one that makes the block.
    pub(in crate::sites) fn hops(&self, at: (usize, usize)) -> Vec<Step> {
        let mut steps = Vec::new();
        self.follow(&self.sites[&at], &mut Vec::new(), &mut steps);
        steps.truncate(MOST_STEPS);
        steps
    }

    fn follow(&self, site: &Site, seen: &mut Vec<FunctionId>, steps: &mut Vec<Step>) {
        for target in site.targets.iter() {
            let Target::Own(function) = *target else { continue };
            let Some(inside) = self.inside.get(&function) else { continue };
            if !seen.contains(&function) && seen.len() < MOST_HOPS {
                seen.push(function);
                self.hop(function, inside, seen, steps);
            }
        }
    }

    /// One such function, the calls in it, and what these go by.
    fn hop(
        &self,
        (file, function): FunctionId,
        inside: &[(usize, usize)],
        seen: &mut Vec<FunctionId>,
        steps: &mut Vec<Step>,
    ) {
        let function = &self.files[file].functions[function as usize];
        let sizes = inside.iter().flat_map(|at| &self.sites[at].effects).map(|effect| &effect.size);
        let size = sizes.flat_map(parameters).min();
        steps.push(Step {
            kind: StepKind::Wrapper,
            number: size.map_or(0, |index| u8::try_from(index + 1).unwrap_or(0)),
            place: function.place.clone(),
            text: function.name.clone(),
        });
        for at in inside {
            let (site, call) = (&self.sites[at], &self.files[at.0].calls[at.1]);
            steps.push(match &call.callee {
                Callee::Direct(name) => {
                    Step { kind: StepKind::Call, number: 0, place: call.place.clone(), text: name.clone() }
                }
                _ => self.targets(site, call),
            });
            self.follow(site, seen, steps);
        }
    }

    /// The call through a function pointer, and where that leads.
    fn targets(&self, site: &Site, call: &Call) -> Step {
        let pointer = match &call.callee {
            Callee::Direct(name)
            | Callee::Field(_, name)
            | Callee::Global(name)
            | Callee::Static(name)
            | Callee::Result(name) => name,
            Callee::Param(_) => "a parameter",
            Callee::Any => "a function pointer",
        };
        let text = format!("{pointer}: {}", target_names(self.files, &site.targets));
        Step { kind: StepKind::Targets, number: 0, place: call.place.clone(), text }
    }

    fn function_named(&self, file: usize, name: &str) -> Option<&Place> {
        let named = self.functions.get(name)?;
        let own = named.iter().find(|(of, _)| *of == file);
        own.or_else(|| named.iter().find(|(_, f)| !f.is_static)).map(|(_, function)| &function.place)
    }
}

/// What the file says of where a call's type is found.
fn origins(facts: &FileFacts, call: usize) -> &[Origin] {
    let start = facts.origins.partition_point(|origin| (origin.call as usize) < call);
    let end = facts.origins.partition_point(|origin| (origin.call as usize) <= call);
    facts.origins.get(start..end).unwrap_or(&[])
}

/// The functions that make a size.
fn helpers<'s>(size: &'s SizeExpr, names: &mut Vec<&'s str>) {
    match size {
        SizeExpr::Call(name, arguments) => {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
            arguments.iter().for_each(|argument| helpers(argument, names));
        }
        SizeExpr::Mul(left, right)
        | SizeExpr::Add(left, right)
        | SizeExpr::Sub(left, right)
        | SizeExpr::Div(left, right) => {
            helpers(left, names);
            helpers(right, names);
        }
        SizeExpr::Alt(parts) => parts.iter().for_each(|part| helpers(part, names)),
        SizeExpr::Const(_)
        | SizeExpr::Sizeof(_)
        | SizeExpr::OffsetOf(..)
        | SizeExpr::Param(_)
        | SizeExpr::StringLength
        | SizeExpr::Opaque => {}
    }
}

/// A part of what wrappers keep in front of the block.
fn header_part(size: &SizeExpr) -> String {
    match size {
        SizeExpr::Sizeof(ty) => c_type(ty),
        SizeExpr::OffsetOf(ty, member) => format!("{} up to {member}", c_type(ty)),
        _ => "something unknown".to_owned(),
    }
}

/// What wrappers keep in front of the block.
fn headers(site: &Site, call: &Call) -> Vec<Step> {
    let header = |effect: &Effect| match &effect.behind {
        Behind::Parts(sizes) => Some(sizes.iter().map(header_part).collect::<Vec<_>>().join(", then ")),
        Behind::Something => Some("something unknown".to_owned()),
        Behind::Nothing => None,
    };
    let step = |text| Step { kind: StepKind::Header, number: 0, place: call.place.clone(), text };
    site.effects.iter().filter_map(header).map(step).collect()
}

/// What was made of the evidence: why it is a union or a buffer, and what was dropped.
fn verdicts(site: &Site, call: &Call, ty: &HeapType, evidence: Evidence, origins: &[Origin]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut add = |kind, text: &str| {
        steps.push(Step { kind, number: 0, place: call.place.clone(), text: text.to_owned() });
    };
    let named = || {
        origins.iter().filter_map(|origin| match &origin.what {
            Says::Sizeof(ty) | Says::OffsetOf(ty, _) => Some(ty),
            Says::Variable(_) | Says::Receiver(..) => None,
        })
    };
    let names_type = named().next().is_some();
    let other_receiver = origins.iter().any(|origin| match &origin.what {
        Says::Receiver(TypeRef::Pointer(to), _) => {
            is_complete(to) && !is_character(to) && ty.first() != Some(to) && !named().any(|ty| *ty == **to)
        }
        _ => false,
    });
    if matches!(ty, HeapType::OneOf(_)) {
        add(
            StepKind::Union,
            match site.effects.len() {
                _ if evidence == Evidence::Receiver && !names_type => {
                    "what keeps the block is seen as an array of each of these"
                }
                1 => "the branches of the size name different types",
                _ => "the functions that the call may reach allocate different types",
            },
        );
    }
    if ty.is_buffer() {
        let is_text = site.effects.iter().all(|effect| effect.kind == Kind::Text);
        let is_ended = site.effects.iter().all(|effect| effect.is_ended);
        let is_received = origins.iter().any(
            |origin| matches!(&origin.what, Says::Receiver(TypeRef::Pointer(to), _) if is_character(to)),
        );
        add(
            StepKind::Buffer,
            match evidence {
                Evidence::Receiver if is_ended && !is_received => "a 0 is written behind it, as behind text",
                _ if is_text => "the function makes a string",
                Evidence::Receiver => "the pointer that receives the result is one to characters or bytes",
                _ if names_type => "the size is that of characters or bytes",
                _ => "the size is that of a string",
            },
        );
    }
    match evidence {
        Evidence::Receiver if names_type => {
            add(StepKind::Dropped, "the size names a type, but the pointer says more");
        }
        Evidence::Sizeof if other_receiver => {
            add(StepKind::Dropped, "the pointer is to another type, but the size says more");
        }
        Evidence::None if names_type => add(StepKind::Dropped, "the size names a type in some cases only"),
        Evidence::None if other_receiver => {
            add(StepKind::Dropped, "the pointer does not say enough where a branch of the size says nothing");
        }
        _ => {}
    }
    steps
}
