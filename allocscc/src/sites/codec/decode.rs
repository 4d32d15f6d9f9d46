//! Bytes to facts.

use super::{CodecError, MAGIC, VERSION};
use crate::sites::facts::{
    Aggregate, BaseType, Behind, Binding, Call, Callee, FileFacts, Function, Holder, Origin, Place, Says,
    Sink, SizeExpr, StringLiteral, TagKind, TypeRef, Usage, Use,
};

/// The deepest size expression that is read; far more than the extraction makes.
const DEEPEST: u32 = 256;
/// The largest type that is read, in nodes.
const LARGEST_TYPE: u32 = 1024;

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
            let at = decoder.at;
            let text = std::str::from_utf8(decoder.counted_bytes()?).map_err(|_| CodecError::Value(at))?;
            decoder.strings.push(text);
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

    fn counted_bytes(&mut self) -> Decode<&'b [u8]> {
        let length = self.number()?;
        let bytes = usize::try_from(length).ok().and_then(|length| self.bytes[self.at..].get(..length));
        let bytes = bytes.ok_or(CodecError::Truncated)?;
        self.at += bytes.len();
        Ok(bytes)
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
            4 => Callee::Static(self.string()?),
            5 => Callee::Result(self.string()?),
            6 => Callee::Any,
            _ => return self.bad(),
        })
    }

    fn behind(&mut self) -> Decode<Behind> {
        Ok(match self.number()? {
            0 => Behind::Nothing,
            1 => Behind::Parts(self.list(Self::size)?),
            2 => Behind::Something,
            _ => return self.bad(),
        })
    }

    fn sink(&mut self) -> Decode<Sink> {
        Ok(match self.number()? {
            0 => Sink::Return(self.behind()?),
            1 => Sink::Out(self.small()?, self.behind()?),
            2 => Sink::Pointer(self.ty()?),
            3 => Sink::Argument(self.string()?, self.small()?),
            4 => Sink::Kept(self.holder()?),
            5 => Sink::Carved,
            6 => Sink::Lost,
            7 => Sink::Part(self.ty()?),
            8 => Sink::Ended,
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
            returned: self.list(Self::small)?,
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
            passes: self.list(|from| Ok((from.small()?, from.small()?)))?,
        })
    }

    fn holder(&mut self) -> Decode<Holder> {
        Ok(match self.number()? {
            0 => Holder::Field(self.string()?, self.string()?),
            1 => Holder::Global(self.string()?),
            2 => Holder::Argument(self.string()?, self.small()?),
            3 => Holder::Static(self.string()?),
            4 => Holder::Result(self.string()?),
            _ => return self.bad(),
        })
    }

    fn binding(&mut self, functions: usize) -> Decode<Binding> {
        let (holder, source) = (self.holder()?, self.callee()?);
        let function = self.small()?.checked_sub(1);
        if function.is_some_and(|function| function as usize >= functions) {
            return self.bad();
        }
        Ok(Binding { holder, source, function })
    }

    fn base(&mut self) -> Decode<BaseType> {
        match self.ty()? {
            TypeRef::Base(base) => Ok(base),
            _ => self.bad(),
        }
    }

    fn usage(&mut self) -> Decode<Usage> {
        Ok(match self.number()? {
            0 => Usage::Bytes,
            1 => Usage::Numbers(self.base()?),
            2 => Usage::Anything,
            3 => Usage::Passed(self.holder()?),
            4 => Usage::Parameter { is_static: false },
            5 => Usage::Parameter { is_static: true },
            6 => Usage::Objects,
            7 => Usage::Called(self.callee()?, self.small()?),
            8 => Usage::Elements(self.base()?),
            9 => Usage::Given(self.base()?),
            _ => return self.bad(),
        })
    }

    fn aggregate(&mut self) -> Decode<Aggregate> {
        Ok(Aggregate {
            ty: self.ty()?,
            tail: if self.flag()? { Some(self.ty()?) } else { None },
            members: self.list(|from| Ok((from.string()?, from.ty()?)))?,
        })
    }

    fn literal(&mut self) -> Decode<StringLiteral> {
        let width = match self.number()? {
            width @ (1 | 2 | 4) => width as u8,
            _ => return self.bad(),
        };
        Ok(StringLiteral { width, bytes: self.counted_bytes()?.to_vec() })
    }

    fn origin(&mut self, calls: usize) -> Decode<Origin> {
        let call = self.small()?;
        if call as usize >= calls {
            return self.bad();
        }
        let what = match self.number()? {
            0 => Says::Sizeof(self.ty()?),
            1 => Says::OffsetOf(self.ty()?, self.string()?),
            2 => Says::Variable(self.string()?),
            3 => Says::Receiver(self.ty()?, self.string()?),
            _ => return self.bad(),
        };
        Ok(Origin { call, what, place: self.place()? })
    }

    fn facts(mut self) -> Decode<FileFacts> {
        let source = self.string()?;
        let directory = self.string()?;
        let functions = self.list(Self::function)?;
        let calls = self.list(|from| from.call(functions.len()))?;
        if calls.iter().flat_map(|call| &call.passes).any(|pass| pass.1 as usize >= calls.len()) {
            return self.bad();
        }
        let bindings = self.list(|from| from.binding(functions.len()))?;
        let uses = self.list(|from| Ok(Use { of: from.holder()?, what: from.usage()? }))?;
        let aggregates = self.list(Self::aggregate)?;
        let skipped = self.list(|from| Ok((from.place()?, from.string()?)))?;
        let literals = self.list(Self::literal)?;
        let origins = self.list(|from| from.origin(calls.len()))?;
        if self.at != self.bytes.len() {
            return self.bad();
        }
        Ok(FileFacts {
            source,
            directory,
            functions,
            calls,
            bindings,
            uses,
            aggregates,
            skipped,
            literals,
            origins,
        })
    }
}
