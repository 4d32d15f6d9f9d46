//! Facts to bytes.

use rustc_hash::FxHashMap;

use super::{MAGIC, VERSION};
use crate::leb128;
use crate::sites::facts::{
    Behind, Callee, FileFacts, Holder, Origin, Place, Says, Sink, SizeExpr, TypeRef, Usage,
};

/// The bytes of the facts of one file.
#[must_use]
pub fn encode(facts: &FileFacts) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.facts(facts);
    let mut payload = Encoder::default();
    payload.number(encoder.strings.len() as u64);
    let mut strings: Vec<(&String, &u64)> = encoder.strings.iter().collect();
    strings.sort_by_key(|entry| entry.1);
    for (text, _) in strings {
        payload.number(text.len() as u64);
        payload.bytes.extend_from_slice(text.as_bytes());
    }
    payload.number(encoder.types.len() as u64);
    payload.bytes.extend_from_slice(&encoder.type_bytes);
    payload.bytes.extend_from_slice(&encoder.bytes);
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend_from_slice(&(payload.bytes.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&payload.bytes);
    bytes
}

#[derive(Default)]
struct Encoder {
    bytes: Vec<u8>,
    strings: FxHashMap<String, u64>,
    types: FxHashMap<TypeRef, u64>,
    type_bytes: Vec<u8>,
}

impl Encoder {
    fn number(&mut self, value: u64) {
        leb128::push(&mut self.bytes, value);
    }

    fn string_index(&mut self, text: &str) -> u64 {
        if let Some(&index) = self.strings.get(text) {
            return index;
        }
        let index = self.strings.len() as u64;
        self.strings.insert(text.to_owned(), index);
        index
    }

    fn string(&mut self, text: &str) {
        let index = self.string_index(text);
        self.number(index);
    }

    fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            one(self, item);
        }
    }

    fn place(&mut self, place: &Place) {
        self.string(&place.file);
        self.number(place.line.into());
    }

    fn ty(&mut self, ty: &TypeRef) {
        let index = self.type_index(ty);
        self.number(index);
    }

    fn type_index(&mut self, ty: &TypeRef) -> u64 {
        if let Some(&index) = self.types.get(ty) {
            return index;
        }
        let fields: Vec<u64> = match ty {
            TypeRef::Void => vec![0],
            TypeRef::Base(base) => vec![1, base.encoding.into(), base.size.into()],
            TypeRef::Tagged { kind, tag, place } => {
                let (tag, file) = (self.string_index(tag), self.string_index(&place.file));
                vec![2, *kind as u64, tag, file, place.line.into()]
            }
            TypeRef::Anonymous { kind, typedef, place } => {
                let typedef = typedef.as_ref().map_or(0, |typedef| 1 + self.string_index(typedef));
                let file = self.string_index(&place.file);
                vec![3, *kind as u64, typedef, file, place.line.into()]
            }
            TypeRef::Pointer(to) => vec![4, self.type_index(to)],
            TypeRef::Array(element, None) => vec![5, self.type_index(element)],
            TypeRef::Array(element, Some(length)) => vec![6, self.type_index(element), *length],
            TypeRef::Function { result, parameters, variadic } => {
                let result = self.type_index(result);
                let parameters: Vec<u64> =
                    parameters.iter().map(|parameter| self.type_index(parameter)).collect();
                let mut fields = vec![7, result, u64::from(*variadic), parameters.len() as u64];
                fields.extend(parameters);
                fields
            }
        };
        fields.into_iter().for_each(|field| leb128::push(&mut self.type_bytes, field));
        let index = self.types.len() as u64;
        self.types.insert(ty.clone(), index);
        index
    }

    fn size(&mut self, size: &SizeExpr) {
        match size {
            SizeExpr::Opaque => self.number(0),
            SizeExpr::Const(value) => {
                self.number(1);
                self.number(*value);
            }
            SizeExpr::Sizeof(ty) => {
                self.number(2);
                self.ty(ty);
            }
            SizeExpr::OffsetOf(ty, path) => {
                self.number(3);
                self.ty(ty);
                self.string(path);
            }
            SizeExpr::Param(index) => {
                self.number(4);
                self.number((*index).into());
            }
            SizeExpr::Mul(left, right) => self.pair(5, left, right),
            SizeExpr::Add(left, right) => self.pair(6, left, right),
            SizeExpr::Sub(left, right) => self.pair(7, left, right),
            SizeExpr::Div(left, right) => self.pair(8, left, right),
            SizeExpr::Alt(parts) => {
                self.number(9);
                self.list(parts, Self::size);
            }
            SizeExpr::Call(name, arguments) => {
                self.number(10);
                self.string(name);
                self.list(arguments, Self::size);
            }
            SizeExpr::StringLength => self.number(11),
        }
    }

    fn pair(&mut self, tag: u64, left: &SizeExpr, right: &SizeExpr) {
        self.number(tag);
        self.size(left);
        self.size(right);
    }

    fn callee(&mut self, callee: &Callee) {
        match callee {
            Callee::Direct(name) => {
                self.number(0);
                self.string(name);
            }
            Callee::Field(holder, field) => {
                self.number(1);
                self.string(holder);
                self.string(field);
            }
            Callee::Global(name) => {
                self.number(2);
                self.string(name);
            }
            Callee::Param(index) => {
                self.number(3);
                self.number((*index).into());
            }
            Callee::Result(name) => {
                self.number(5);
                self.string(name);
            }
            Callee::Static(name) => {
                self.number(4);
                self.string(name);
            }
            Callee::Any => self.number(6),
        }
    }

    fn holder(&mut self, holder: &Holder) {
        match holder {
            Holder::Field(ty, field) => {
                self.number(0);
                self.string(ty);
                self.string(field);
            }
            Holder::Global(name) => {
                self.number(1);
                self.string(name);
            }
            Holder::Argument(function, index) => {
                self.number(2);
                self.string(function);
                self.number((*index).into());
            }
            Holder::Result(name) => {
                self.number(4);
                self.string(name);
            }
            Holder::Static(name) => {
                self.number(3);
                self.string(name);
            }
        }
    }

    fn behind(&mut self, behind: &Behind) {
        match behind {
            Behind::Nothing => self.number(0),
            Behind::Parts(sizes) => {
                self.number(1);
                self.list(sizes, Self::size);
            }
            Behind::Something => self.number(2),
        }
    }

    fn sink(&mut self, sink: &Sink) {
        match sink {
            Sink::Return(behind) => {
                self.number(0);
                self.behind(behind);
            }
            Sink::Out(index, behind) => {
                self.number(1);
                self.number((*index).into());
                self.behind(behind);
            }
            Sink::Pointer(ty) => {
                self.number(2);
                self.ty(ty);
            }
            Sink::Argument(name, index) => {
                self.number(3);
                self.string(name);
                self.number((*index).into());
            }
            Sink::Kept(holder) => {
                self.number(4);
                self.holder(holder);
            }
            Sink::Carved => self.number(5),
            Sink::Lost => self.number(6),
            Sink::Part(ty) => {
                self.number(7);
                self.ty(ty);
            }
            Sink::Ended => self.number(8),
        }
    }

    fn usage(&mut self, usage: &Usage) {
        match usage {
            Usage::Bytes => self.number(0),
            Usage::Numbers(base) => {
                self.number(1);
                self.ty(&TypeRef::Base(*base));
            }
            Usage::Elements(base) => {
                self.number(8);
                self.ty(&TypeRef::Base(*base));
            }
            Usage::Given(base) => {
                self.number(9);
                self.ty(&TypeRef::Base(*base));
            }
            Usage::Anything => self.number(2),
            Usage::Passed(holder) => {
                self.number(3);
                self.holder(holder);
            }
            Usage::Objects => self.number(6),
            Usage::Called(pointer, index) => {
                self.number(7);
                self.callee(pointer);
                self.number((*index).into());
            }
            Usage::Parameter { is_static } => self.number(4 + u64::from(*is_static)),
        }
    }

    fn facts(&mut self, facts: &FileFacts) {
        self.string(&facts.source);
        self.string(&facts.directory);
        self.list(&facts.functions, |to, function| {
            to.string(&function.name);
            to.number(function.is_static.into());
            to.place(&function.place);
            to.number(function.last_line.into());
            to.list(&function.parameters, Self::ty);
            to.ty(&function.result);
            to.number(function.value.is_some().into());
            function.value.iter().for_each(|value| to.size(value));
            to.list(&function.returned, |to, parameter| to.number((*parameter).into()));
        });
        self.list(&facts.calls, |to, call| {
            to.number(call.function.into());
            to.place(&call.place);
            to.number(call.first_line.into());
            to.number(call.last_line.into());
            to.number(call.ordinal.into());
            to.callee(&call.callee);
            to.list(&call.arguments, Self::size);
            to.list(&call.sinks, Self::sink);
            to.list(&call.outputs, |to, (argument, sinks)| {
                to.number((*argument).into());
                to.list(sinks, Self::sink);
            });
            to.list(&call.passes, |to, (argument, call)| {
                to.number((*argument).into());
                to.number((*call).into());
            });
        });
        self.list(&facts.bindings, |to, binding| {
            to.holder(&binding.holder);
            to.callee(&binding.source);
            to.number(binding.function.map_or(0, |function| 1 + u64::from(function)));
        });
        self.list(&facts.uses, |to, one| {
            to.holder(&one.of);
            to.usage(&one.what);
        });
        self.list(&facts.aggregates, |to, aggregate| {
            to.ty(&aggregate.ty);
            to.number(aggregate.tail.is_some().into());
            aggregate.tail.iter().for_each(|tail| to.ty(tail));
            to.list(&aggregate.members, |to, (path, ty)| {
                to.string(path);
                to.ty(ty);
            });
        });
        self.list(&facts.skipped, |to, (place, reason)| {
            to.place(place);
            to.string(reason);
        });
        self.list(&facts.literals, |to, literal| {
            to.number(literal.width.into());
            to.number(literal.bytes.len() as u64);
            to.bytes.extend_from_slice(&literal.bytes);
        });
        self.list(&facts.origins, Self::origin);
    }

    fn origin(&mut self, origin: &Origin) {
        self.number(origin.call.into());
        match &origin.what {
            Says::Sizeof(ty) => {
                self.number(0);
                self.ty(ty);
            }
            Says::OffsetOf(ty, path) => {
                self.number(1);
                self.ty(ty);
                self.string(path);
            }
            Says::Variable(name) => {
                self.number(2);
                self.string(name);
            }
            Says::Receiver(ty, words) => {
                self.number(3);
                self.ty(ty);
                self.string(words);
            }
        }
        self.place(&origin.place);
    }
}
