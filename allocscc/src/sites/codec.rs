//! Facts as bytes, for a section of the object file.
//!
//! A block is [`MAGIC`], the version, the length of what follows, then a table of strings, a table of types that refer to
//! strings and earlier types, and the facts that refer to both. Numbers are LEB128. A linker puts the sections of many
//! objects behind each other, with zeros between; [`decode`] reads all blocks. It never panics on hostile bytes.

use rustc_hash::FxHashMap;

use super::facts::{
    Aggregate, BaseType, Call, Callee, FileFacts, Function, Place, Sink, SizeExpr, TagKind, TypeRef,
};

/// What each block begins with.
pub const MAGIC: [u8; 4] = *b"AlFa";
/// The version of the format; others are not read.
pub const VERSION: u8 = 1;

/// The deepest size expression that is read; far more than the extraction makes.
const DEEPEST: u32 = 256;
/// The largest type that is read, in nodes.
const LARGEST_TYPE: u32 = 1024;

/// Why facts cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// A block does not begin as it should, at this offset.
    Magic(usize),
    /// A block was made by another version of allocscc.
    Version(u8),
    /// A block ends too early.
    Truncated,
    /// A number is out of its range, at this offset of its block.
    Value(usize),
}

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CodecError::Magic(offset) => write!(f, "no allocation facts at offset {offset:#x}"),
            CodecError::Version(version) => {
                write!(
                    f,
                    "allocation facts of version {version}, this is version {VERSION}: compile the file again"
                )
            }
            CodecError::Truncated => write!(f, "the allocation facts end too early"),
            CodecError::Value(offset) => {
                write!(f, "a bad number at offset {offset:#x} of the allocation facts")
            }
        }
    }
}

impl std::error::Error for CodecError {}

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

/// The facts in a section, block by block.
///
/// # Errors
/// If any block cannot be read.
pub fn decode(section: &[u8]) -> Result<Vec<FileFacts>, CodecError> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < section.len() {
        if section[at] == 0 {
            at += 1;
            continue;
        }
        let block = &section[at..];
        if block.len() < 9 {
            return Err(CodecError::Truncated);
        }
        if block[..4] != MAGIC {
            return Err(CodecError::Magic(at));
        }
        if block[4] != VERSION {
            return Err(CodecError::Version(block[4]));
        }
        let length = u32::from_le_bytes([block[5], block[6], block[7], block[8]]) as usize;
        let payload = block[9..].get(..length).ok_or(CodecError::Truncated)?;
        found.push(Decoder::new(payload)?.facts()?);
        at += 9 + length;
    }
    Ok(found)
}

#[derive(Default)]
struct Encoder {
    bytes: Vec<u8>,
    strings: FxHashMap<String, u64>,
    types: FxHashMap<TypeRef, u64>,
    type_bytes: Vec<u8>,
}

fn push_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

impl Encoder {
    fn number(&mut self, value: u64) {
        push_number(&mut self.bytes, value);
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
        fields.into_iter().for_each(|field| push_number(&mut self.type_bytes, field));
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
        }
    }

    fn sink(&mut self, sink: &Sink) {
        match sink {
            Sink::Return => self.number(0),
            Sink::Out(index) => {
                self.number(1);
                self.number((*index).into());
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
    }
}

type Decode<T> = Result<T, CodecError>;

struct Decoder<'b> {
    bytes: &'b [u8],
    at: usize,
    strings: Vec<&'b str>,
    /// Types, and how many nodes each has.
    types: Vec<(TypeRef, u32)>,
}

impl<'b> Decoder<'b> {
    fn new(bytes: &'b [u8]) -> Decode<Self> {
        let mut decoder = Decoder { bytes, at: 0, strings: Vec::new(), types: Vec::new() };
        for _ in 0..decoder.number()? {
            let length = decoder.number()?;
            let text =
                usize::try_from(length).ok().and_then(|length| decoder.bytes[decoder.at..].get(..length));
            let text = text.ok_or(CodecError::Truncated)?;
            decoder.strings.push(std::str::from_utf8(text).map_err(|_| CodecError::Value(decoder.at))?);
            decoder.at += text.len();
        }
        for _ in 0..decoder.number()? {
            let ty = decoder.type_entry()?;
            decoder.types.push(ty);
        }
        Ok(decoder)
    }

    fn bad<T>(&self) -> Decode<T> {
        Err(CodecError::Value(self.at))
    }

    fn number(&mut self) -> Decode<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(CodecError::Truncated)?;
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return self.bad();
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        self.bad()
    }

    fn small(&mut self) -> Decode<u32> {
        let value = self.number()?;
        u32::try_from(value).or_else(|_| self.bad())
    }

    fn flag(&mut self) -> Decode<bool> {
        match self.number()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.bad(),
        }
    }

    fn string(&mut self) -> Decode<String> {
        let index = self.number()?;
        self.string_at(index)
    }

    fn string_at(&self, index: u64) -> Decode<String> {
        let text = usize::try_from(index).ok().and_then(|index| self.strings.get(index));
        text.map_or_else(|| self.bad(), |text| Ok((*text).to_owned()))
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Decode<T>) -> Decode<Vec<T>> {
        let count = self.number()?;
        // Each item takes a byte at least.
        if count > (self.bytes.len() - self.at) as u64 {
            return Err(CodecError::Truncated);
        }
        (0..count).map(|_| one(self)).collect()
    }

    fn place(&mut self) -> Decode<Place> {
        Ok(Place { file: self.string()?, line: self.small()? })
    }

    fn ty(&mut self) -> Decode<TypeRef> {
        Ok(self.counted_type()?.0)
    }

    fn counted_type(&mut self) -> Decode<(TypeRef, u32)> {
        let index = self.number()?;
        let found = usize::try_from(index).ok().and_then(|index| self.types.get(index));
        found.map_or_else(|| self.bad(), |found| Ok(found.clone()))
    }

    fn tag_kind(&mut self) -> Decode<TagKind> {
        match self.number()? {
            0 => Ok(TagKind::Struct),
            1 => Ok(TagKind::Union),
            2 => Ok(TagKind::Enum),
            _ => self.bad(),
        }
    }

    fn type_entry(&mut self) -> Decode<(TypeRef, u32)> {
        let mut nodes = 1u32;
        let ty = match self.number()? {
            0 => TypeRef::Void,
            1 => {
                let encoding = self.small()?;
                let encoding = u8::try_from(encoding).or_else(|_| self.bad())?;
                TypeRef::Base(BaseType { encoding, size: self.small()? })
            }
            2 => TypeRef::Tagged { kind: self.tag_kind()?, tag: self.string()?, place: self.place()? },
            3 => {
                let kind = self.tag_kind()?;
                let typedef = self.number()?;
                let typedef = typedef.checked_sub(1).map(|index| self.string_at(index)).transpose()?;
                TypeRef::Anonymous { kind, typedef, place: self.place()? }
            }
            tag @ 4..=6 => {
                let (inner, count) = self.counted_type()?;
                nodes += count;
                let inner = Box::new(inner);
                match tag {
                    4 => TypeRef::Pointer(inner),
                    5 => TypeRef::Array(inner, None),
                    _ => TypeRef::Array(inner, Some(self.number()?)),
                }
            }
            7 => {
                let (result, count) = self.counted_type()?;
                nodes += count;
                let variadic = self.flag()?;
                let parameters = self.list(Self::counted_type)?;
                nodes = parameters.iter().fold(nodes, |nodes, parameter| nodes.saturating_add(parameter.1));
                let parameters = parameters.into_iter().map(|parameter| parameter.0).collect();
                TypeRef::Function { result: Box::new(result), parameters, variadic }
            }
            _ => return self.bad(),
        };
        if nodes > LARGEST_TYPE { self.bad() } else { Ok((ty, nodes)) }
    }

    fn size(&mut self) -> Decode<SizeExpr> {
        self.size_within(DEEPEST)
    }

    fn size_within(&mut self, depth: u32) -> Decode<SizeExpr> {
        let Some(depth) = depth.checked_sub(1) else { return self.bad() };
        let tag = self.number()?;
        Ok(match tag {
            0 => SizeExpr::Opaque,
            1 => SizeExpr::Const(self.number()?),
            2 => SizeExpr::Sizeof(self.ty()?),
            3 => SizeExpr::OffsetOf(self.ty()?, self.string()?),
            4 => SizeExpr::Param(self.small()?),
            5..=8 => {
                let left = Box::new(self.size_within(depth)?);
                let right = Box::new(self.size_within(depth)?);
                match tag {
                    5 => SizeExpr::Mul(left, right),
                    6 => SizeExpr::Add(left, right),
                    7 => SizeExpr::Sub(left, right),
                    _ => SizeExpr::Div(left, right),
                }
            }
            9 => SizeExpr::Alt(self.list(|from| from.size_within(depth))?),
            10 => SizeExpr::Call(self.string()?, self.list(|from| from.size_within(depth))?),
            11 => SizeExpr::StringLength,
            _ => return self.bad(),
        })
    }

    fn callee(&mut self) -> Decode<Callee> {
        Ok(match self.number()? {
            0 => Callee::Direct(self.string()?),
            1 => Callee::Field(self.string()?, self.string()?),
            2 => Callee::Global(self.string()?),
            3 => Callee::Param(self.small()?),
            _ => return self.bad(),
        })
    }

    fn sink(&mut self) -> Decode<Sink> {
        Ok(match self.number()? {
            0 => Sink::Return,
            1 => Sink::Out(self.small()?),
            2 => Sink::Pointer(self.ty()?),
            3 => Sink::Argument(self.string()?, self.small()?),
            _ => return self.bad(),
        })
    }

    fn function(&mut self) -> Decode<Function> {
        Ok(Function {
            name: self.string()?,
            is_static: self.flag()?,
            place: self.place()?,
            last_line: self.small()?,
            parameters: self.list(Self::ty)?,
            result: self.ty()?,
            value: if self.flag()? { Some(self.size()?) } else { None },
        })
    }

    fn call(&mut self, functions: usize) -> Decode<Call> {
        let function = self.small()?;
        if function as usize >= functions {
            return self.bad();
        }
        Ok(Call {
            function,
            place: self.place()?,
            first_line: self.small()?,
            last_line: self.small()?,
            ordinal: self.small()?,
            callee: self.callee()?,
            arguments: self.list(Self::size)?,
            sinks: self.list(Self::sink)?,
            outputs: self.list(|from| Ok((from.small()?, from.list(Self::sink)?)))?,
        })
    }

    fn aggregate(&mut self) -> Decode<Aggregate> {
        Ok(Aggregate {
            ty: self.ty()?,
            tail: if self.flag()? { Some(self.ty()?) } else { None },
            members: self.list(|from| Ok((from.string()?, from.ty()?)))?,
        })
    }

    fn facts(mut self) -> Decode<FileFacts> {
        let source = self.string()?;
        let directory = self.string()?;
        let functions = self.list(Self::function)?;
        let calls = self.list(|from| from.call(functions.len()))?;
        let aggregates = self.list(Self::aggregate)?;
        let skipped = self.list(|from| Ok((from.place()?, from.string()?)))?;
        if self.at != self.bytes.len() {
            return self.bad();
        }
        Ok(FileFacts { source, directory, functions, calls, aggregates, skipped })
    }
}
