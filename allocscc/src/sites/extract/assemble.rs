//! Puts the facts together when the whole file has been seen: types get their names, unused functions go.

use rustc_hash::{FxHashMap, FxHashSet};

use super::origins::{FoundOrigin, Trace};
use super::uses::{FoundUse, Keeper};
use super::values::{CallIndex, Distance, Operation, Value, ValueId, Values};
use super::{Found, FoundCall, FoundSink, Offset};
use crate::c::Parser;
use crate::c::scopes::Storage;
use crate::c::token::{Symbol, TokenIndex};
use crate::c::types::{Length, RecordId, Type, TypeId, Types};
use crate::sites::facts::{
    Aggregate, Behind, Binding, Call, FileFacts, Function, Holder, Origin, Place, Says, Sink, SizeExpr,
    TagKind, TypeRef, Usage, Use,
};

/// The largest type that is spelt, in nodes; parts beyond become `void`. A type is a graph here and a tree in the facts.
const LARGEST_TYPE: u32 = 512;

pub(super) fn facts(unit: &Parser, found: &Found) -> FileFacts {
    let mut assembly = Assembly {
        unit,
        values: &found.values,
        calls: FxHashMap::default(),
        records: FxHashSet::default(),
        members: Vec::new(),
    };
    let mut facts = FileFacts::default();
    let named = found.calls.iter().map(|call| call.function);
    let named: FxHashSet<u32> = named.chain(found.bindings.iter().filter_map(|b| b.function)).collect();
    let mut kept = FxHashMap::default();
    let helpers = helpers(unit, found);
    for (index, function) in found.functions.iter().enumerate() {
        let is_wanted = named.contains(&(index as u32)) || helpers.contains(&(index as u32));
        if !is_wanted && function.returned.is_empty() {
            continue;
        }
        kept.insert(index as u32, facts.functions.len() as u32);
        let object = unit.scopes.object(function.object);
        facts.functions.push(Function {
            name: unit.tokens.names.text(object.name),
            is_static: function.is_static,
            place: assembly.place(object.at),
            last_line: unit.tokens.get(function.end).line,
            parameters: function
                .parameters
                .iter()
                .map(|&id| assembly.reference(unit.scopes.object(id).ty))
                .collect(),
            result: assembly.reference(function.result),
            value: function.value.map(|value| assembly.size(value)),
            returned: function.returned.clone(),
        });
    }
    let mut calls: Vec<(CallIndex, &FoundCall)> = (0..).map(CallIndex).zip(&found.calls).collect();
    calls.retain(|(_, call)| kept.contains_key(&call.function));
    calls.sort_by_key(|(_, call)| (call.function, call.at));
    assembly.calls = (0..).zip(&calls).map(|(new, (old, _))| (*old, new)).collect();
    let mut ordinals = FxHashMap::default();
    for (_, call) in calls {
        let Some(&function) = kept.get(&call.function) else { continue };
        let index = facts.calls.len() as u32;
        facts.origins.extend(call.origins.iter().map(|origin| assembly.origin(index, origin)));
        let mut call = assembly.call(call, function);
        let key = (function, call.place.clone(), call.callee.clone());
        let next = ordinals.entry(key).or_insert(0);
        call.ordinal = *next;
        *next += 1;
        facts.calls.push(call);
    }
    let bindings = found.bindings.iter().map(|binding| Binding {
        holder: binding.holder.clone(),
        source: binding.source.clone(),
        function: binding.function.and_then(|function| kept.get(&function).copied()),
    });
    facts.bindings = bindings.collect();
    facts.bindings.sort_unstable();
    facts.bindings.dedup();
    facts.uses = assembly.uses(found);
    facts.aggregates = assembly.aggregates();
    let skipped = unit.skipped.iter();
    facts.skipped =
        skipped.map(|rejected| (assembly.place(rejected.at), rejected.in_words(unit.tokens))).collect();
    facts
}

/// The size helpers that may be asked for: those that other files can call, and those that sizes in this file mention.
fn helpers(unit: &Parser, found: &Found) -> FxHashSet<u32> {
    let mut by_name: FxHashMap<Symbol, Vec<u32>> = FxHashMap::default();
    let mut wanted = Vec::new();
    for (index, function) in found.functions.iter().enumerate() {
        if function.value.is_some() {
            by_name.entry(unit.scopes.object(function.object).name).or_default().push(index as u32);
            wanted.extend((!function.is_static).then_some(index as u32));
        }
    }
    let mut values: Vec<ValueId> =
        found.calls.iter().flat_map(|call| call.arguments.iter().copied()).collect();
    let (mut seen_values, mut helpers) = (FxHashSet::default(), FxHashSet::default());
    loop {
        while let Some(index) = wanted.pop() {
            if helpers.insert(index) {
                values.extend(found.functions[index as usize].value);
            }
        }
        let Some(value) = values.pop() else { return helpers };
        if !seen_values.insert(value) {
            continue;
        }
        match found.values.get(value) {
            Value::Arithmetic(_, left, right) => values.extend([*left, *right]),
            Value::Alt(parts) => values.extend(parts.iter().copied()),
            Value::Call(name, arguments) => {
                values.extend(arguments.iter().copied());
                wanted.extend(by_name.get(name).into_iter().flatten().copied());
            }
            _ => {}
        }
    }
}

struct Assembly<'u, 'a> {
    unit: &'u Parser<'a>,
    values: &'u Values,
    /// Where each call is in the facts.
    calls: FxHashMap<CallIndex, u32>,
    /// The structs and unions named so far.
    records: FxHashSet<RecordId>,
    /// The members that `offsetof` named.
    members: Vec<(RecordId, String)>,
}

impl Assembly<'_, '_> {
    fn place(&self, at: TokenIndex) -> Place {
        let token = self.unit.tokens.get(at);
        Place { file: self.unit.tokens.file(token.file).to_owned(), line: token.line }
    }

    fn call(&mut self, call: &FoundCall, function: u32) -> Call {
        Call {
            function,
            place: self.place(call.at),
            first_line: call.first_line,
            last_line: self.unit.tokens.get(call.close).line,
            ordinal: 0,
            callee: call.callee.clone(),
            arguments: call.arguments.iter().map(|&argument| self.size(argument)).collect(),
            sinks: self.sinks(&call.sinks),
            outputs: call.outputs.iter().map(|(argument, sinks)| (*argument, self.sinks(sinks))).collect(),
            passes: self.passes(call),
        }
    }

    fn origin(&mut self, call: u32, origin: &FoundOrigin) -> Origin {
        let what = match &origin.trace {
            Trace::Sizeof(ty) => Says::Sizeof(self.reference(*ty)),
            Trace::OffsetOf(ty, path) => Says::OffsetOf(self.reference(*ty), path.to_string()),
            Trace::Variable(name) => Says::Variable(self.unit.tokens.names.text(*name)),
            Trace::Receiver(ty, words) => Says::Receiver(self.reference(*ty), words.clone()),
        };
        Origin { call, what, place: self.place(origin.at) }
    }

    /// The arguments that are results of other calls.
    fn passes(&self, call: &FoundCall) -> Vec<(u32, u32)> {
        let arguments = (0..).zip(&call.arguments);
        let blocks = arguments.flat_map(|(argument, &value)| {
            let results = self.values.blocks(value).filter(|(_, output)| output.is_none());
            results.map(move |(from, _)| (argument, from))
        });
        blocks.filter_map(|(argument, from)| Some((argument, *self.calls.get(&from)?))).collect()
    }

    fn sinks(&mut self, sinks: &[FoundSink]) -> Vec<Sink> {
        let sink = |sink: &FoundSink| match *sink {
            FoundSink::Return(offset) => Sink::Return(self.offset(offset)),
            FoundSink::Out(index, offset) => Sink::Out(index, self.offset(offset)),
            FoundSink::Pointer(ty) => Sink::Pointer(self.reference(ty)),
            FoundSink::Argument(name, index) => Sink::Argument(self.unit.tokens.names.text(name), index),
            FoundSink::Kept(keeper) => self.holder(keeper).map_or(Sink::Lost, Sink::Kept),
            FoundSink::Lost => Sink::Lost,
            FoundSink::Carved => Sink::Carved,
            FoundSink::Part(ty) => Sink::Part(self.reference(ty)),
            FoundSink::Ended => Sink::Ended,
        };
        sinks.iter().map(sink).collect()
    }

    /// What becomes of pointers to void, and which parameters are such.
    fn uses(&self, found: &Found) -> Vec<Use> {
        let mut uses = Vec::new();
        for &(keeper, what) in &found.uses {
            let what = match what {
                FoundUse::Bytes => Some(Usage::Bytes),
                FoundUse::Numbers(base) => Some(Usage::Numbers(base)),
                FoundUse::Elements(base) => Some(Usage::Elements(base)),
                FoundUse::Given(base) => Some(Usage::Given(base)),
                FoundUse::Anything => Some(Usage::Anything),
                FoundUse::Objects => Some(Usage::Objects),
                FoundUse::Passed(to) => Some(self.holder(to).map_or(Usage::Anything, Usage::Passed)),
            };
            uses.extend(self.holder(keeper).zip(what).map(|(of, what)| Use { of, what }));
        }
        for (keeper, pointer, index) in &found.called {
            let what = Usage::Called(pointer.clone(), *index);
            uses.extend(self.holder(*keeper).map(|of| Use { of, what }));
        }
        let objects = found.keepers_of_objects.iter().cloned();
        uses.extend(objects.map(|of| Use { of, what: Usage::Anything }));
        for function in &found.functions {
            let name = || self.unit.tokens.names.text(self.unit.scopes.object(function.object).name);
            let what = Usage::Parameter { is_static: function.is_static };
            for (index, &parameter) in (0..).zip(&function.parameters) {
                let ty = self.unit.scopes.object(parameter).ty;
                let is_void = matches!(*self.unit.types.get(ty), Type::Pointer(Types::VOID));
                let keeper = Keeper::Argument(self.unit.scopes.object(function.object).name, index);
                if is_void || found.uses.contains(&(keeper, FoundUse::Objects)) {
                    uses.push(Use { of: Holder::Argument(name(), index), what: what.clone() });
                }
            }
        }
        uses.sort_unstable();
        uses.dedup();
        uses
    }

    fn holder(&self, keeper: Keeper) -> Option<Holder> {
        let names = &self.unit.tokens.names;
        Some(match keeper {
            Keeper::Field(record, name) => {
                Holder::Field(super::bindings::record_name(self.unit, record)?, names.text(name))
            }
            Keeper::Variable(object) => {
                let object = self.unit.scopes.object(object);
                let name = names.text(object.name);
                if object.storage == Storage::Static { Holder::Static(name) } else { Holder::Global(name) }
            }
            Keeper::Argument(function, index) => Holder::Argument(names.text(function), index),
        })
    }

    fn offset(&mut self, offset: Offset) -> Behind {
        match offset {
            Offset::None => Behind::Nothing,
            Offset::Behind(Distance::Unknown) => Behind::Something,
            Offset::Behind(Distance::Elements(ty, 1)) => {
                Behind::Parts(vec![SizeExpr::Sizeof(self.reference(ty))])
            }
            Offset::Behind(Distance::Elements(ty, count)) => {
                let elements = TypeRef::Array(Box::new(self.reference(ty)), Some(count));
                Behind::Parts(vec![SizeExpr::Sizeof(elements)])
            }
            Offset::Behind(Distance::Bytes(bytes)) => match self.size(bytes) {
                SizeExpr::Opaque => Behind::Something,
                // A header, and what it is padded with.
                SizeExpr::Add(header, padding)
                    if matches!((&*header, &*padding), (SizeExpr::Sizeof(_), SizeExpr::Const(_))) =>
                {
                    Behind::Parts(vec![*header, *padding])
                }
                bytes => Behind::Parts(vec![bytes]),
            },
        }
    }

    fn size(&mut self, id: ValueId) -> SizeExpr {
        match self.values.get(id) {
            Value::Opaque | Value::Block(..) | Value::Inside(..) | Value::Kept(..) => SizeExpr::Opaque,
            Value::Const(value) => SizeExpr::Const(*value),
            Value::Sizeof(ty) => SizeExpr::Sizeof(self.reference(*ty)),
            Value::OffsetOf(ty, path) => {
                if let Some(record) = self.unit.types.as_record(*ty) {
                    self.members.push((record, path.to_string()));
                }
                SizeExpr::OffsetOf(self.reference(*ty), path.to_string())
            }
            Value::Param(index) | Value::PointerParam(index) => SizeExpr::Param(*index),
            Value::Arithmetic(operation, left, right) => {
                let (left, right) = (Box::new(self.size(*left)), Box::new(self.size(*right)));
                match operation {
                    Operation::Mul => SizeExpr::Mul(left, right),
                    Operation::Add => SizeExpr::Add(left, right),
                    Operation::Sub => SizeExpr::Sub(left, right),
                    Operation::Div => SizeExpr::Div(left, right),
                }
            }
            Value::Alt(parts) => SizeExpr::Alt(parts.iter().map(|&part| self.size(part)).collect()),
            Value::Call(name, arguments) => {
                let name = self.unit.tokens.names.text(*name);
                SizeExpr::Call(name, arguments.iter().map(|&argument| self.size(argument)).collect())
            }
            Value::StringLength => SizeExpr::StringLength,
        }
    }

    fn reference(&mut self, ty: TypeId) -> TypeRef {
        let mut nodes = LARGEST_TYPE;
        self.reference_within(ty, &mut nodes)
    }

    fn reference_within(&mut self, ty: TypeId, nodes: &mut u32) -> TypeRef {
        let Some(rest) = nodes.checked_sub(1) else { return TypeRef::Void };
        *nodes = rest;
        match self.unit.types.get(ty) {
            Type::Unknown | Type::Void => TypeRef::Void,
            Type::Base(base) => TypeRef::Base(*base),
            Type::Record(record) => self.record_reference(*record),
            Type::Pointer(to) => TypeRef::Pointer(Box::new(self.reference_within(*to, nodes))),
            Type::Array(element, length) => {
                let length = match length {
                    Length::Known(0) | Length::Open | Length::Variable(_) | Length::Unknown => None,
                    Length::Known(length) => Some(*length),
                };
                TypeRef::Array(Box::new(self.reference_within(*element, nodes)), length)
            }
            Type::Vector(element, size) => {
                let length = self.unit.types.size_of(*element).and_then(|one| size.checked_div(one));
                TypeRef::Array(Box::new(self.reference_within(*element, nodes)), length)
            }
            Type::Function { result, parameters, variadic } => TypeRef::Function {
                result: Box::new(self.reference_within(*result, nodes)),
                parameters: parameters
                    .iter()
                    .map(|&parameter| self.reference_within(parameter, nodes))
                    .collect(),
                variadic: *variadic,
            },
        }
    }

    fn record_reference(&mut self, id: RecordId) -> TypeRef {
        let record = self.unit.types.record(id);
        if record.kind != TagKind::Enum {
            self.records.insert(id);
        }
        let mut place = self.place(record.at);
        if !record.complete {
            place.line = 0;
        }
        let names = &self.unit.tokens.names;
        match record.tag {
            Some(tag) => TypeRef::Tagged { kind: record.kind, tag: names.text(tag), place },
            None => TypeRef::Anonymous {
                kind: record.kind,
                typedef: record.typedef.map(|name| names.text(name)),
                place,
            },
        }
    }

    fn aggregates(&mut self) -> Vec<Aggregate> {
        let mut records: Vec<RecordId> = self.records.iter().copied().collect();
        records.sort_unstable();
        let mut found = Vec::new();
        for record in records {
            let tail = self.tail(record, 16).map(|element| self.reference(element));
            let paths = std::mem::take(&mut self.members);
            let mut members: Vec<(String, TypeRef)> = Vec::new();
            for (of, path) in &paths {
                if *of == record
                    && !members.iter().any(|(known, _)| known == path)
                    && let Some(ty) = self.member(record, path)
                {
                    members.push((path.clone(), self.reference(ty)));
                }
            }
            self.members = paths;
            if tail.is_some() || !members.is_empty() {
                found.push(Aggregate { ty: self.record_reference(record), tail, members });
            }
        }
        found
    }

    /// The element of the array of open length that a struct ends in.
    fn tail(&self, record: RecordId, depth: u32) -> Option<TypeId> {
        let depth = depth.checked_sub(1)?;
        let record = self.unit.types.record(record);
        if record.kind != TagKind::Struct {
            return None;
        }
        let last = record.members.last()?.ty;
        match *self.unit.types.get(last) {
            Type::Array(element, Length::Open | Length::Known(0 | 1)) => Some(element),
            Type::Record(inner) => self.tail(inner, depth),
            _ => None,
        }
    }

    /// The type of what a member path of `offsetof` names.
    fn member(&self, record: RecordId, path: &str) -> Option<TypeId> {
        let mut ty = None;
        let mut holder = Some(record);
        for step in path.split('.') {
            let name = step.trim_end_matches("[]");
            let symbol = self.unit.tokens.names.find(name)?;
            let (mut of, _) = self.unit.types.member(holder?, symbol)?;
            for _ in 0..(step.len() - name.len()) / 2 {
                of = self.unit.types.pointee(of)?;
            }
            ty = Some(of);
            holder = self.unit.types.as_record(of);
        }
        ty
    }
}
