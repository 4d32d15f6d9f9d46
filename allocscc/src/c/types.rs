//! The C types of one file, without typedefs and qualifiers: equal types have one [`TypeId`].

use rustc_hash::FxHashMap;

use super::layout;
use super::syntax::ExprId;
use super::token::{Symbol, TokenIndex};
use crate::sites::facts::{BaseType, TagKind};

/// A type of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TypeId(pub u32);

/// A struct, union or enum of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordId(pub u32);

/// A type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// It could not be told: something undeclared, or a built-in function of the compiler.
    Unknown,
    /// `void`.
    Void,
    /// An arithmetic type that is no enum.
    Base(BaseType),
    /// A struct, union or enum.
    Record(RecordId),
    /// A pointer.
    Pointer(TypeId),
    /// An array.
    Array(TypeId, Length),
    /// A function.
    Function {
        /// What it returns.
        result: TypeId,
        /// Its parameters after adjustment.
        parameters: Box<[TypeId]>,
        /// It ends in `...`, or has no prototype.
        variadic: bool,
    },
    /// A vector of the GNU extension: element and bytes.
    Vector(TypeId, u64),
}

/// The length of an array.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Length {
    /// A constant; 0 for `[0]`.
    Known(u64),
    /// `[]`.
    Open,
    /// An expression of the function around it.
    Variable(ExprId),
    /// A constant that was not computed.
    Unknown,
}

/// A member of a struct or union.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name; none for an anonymous struct or union and for an unnamed bit-field.
    pub name: Option<Symbol>,
    /// Its type.
    pub ty: TypeId,
    /// Width of a bit-field; `Some(None)` where it was not computed.
    pub bits: Option<Option<u64>>,
    /// From `aligned` attributes and `_Alignas`.
    pub aligned: Option<u64>,
    /// From the `packed` attribute.
    pub packed: bool,
    /// Offset in bytes, set when the struct is complete and its layout is known.
    pub offset: Option<u64>,
}

/// A struct, union or enum.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which of the three.
    pub kind: TagKind,
    /// Its tag.
    pub tag: Option<Symbol>,
    /// The typedef of its own declaration, if it has no tag.
    pub typedef: Option<Symbol>,
    /// The tag in the definition, or the keyword where there is no tag.
    pub at: TokenIndex,
    /// Its definition was seen.
    pub complete: bool,
    /// Members of a struct or union.
    pub members: Vec<Member>,
    /// The integer type of an enum.
    pub underlying: BaseType,
    /// Size and alignment, where they could be computed.
    pub layout: Option<layout::Layout>,
}

const fn base(encoding: u8, size: u32) -> BaseType {
    BaseType { encoding, size }
}

/// `DW_ATE_boolean`.
pub const BOOLEAN: u8 = 2;
/// `DW_ATE_complex_float`.
pub const COMPLEX_FLOAT: u8 = 3;
/// `DW_ATE_float`.
pub const FLOAT: u8 = 4;
/// `DW_ATE_signed`.
pub const SIGNED: u8 = 5;
/// `DW_ATE_signed_char`.
pub const SIGNED_CHAR: u8 = 6;
/// `DW_ATE_unsigned`.
pub const UNSIGNED: u8 = 7;
/// `DW_ATE_unsigned_char`.
pub const UNSIGNED_CHAR: u8 = 8;
/// `DW_ATE_decimal_float`.
pub const DECIMAL_FLOAT: u8 = 15;

/// `char`, which counts as signed.
pub const CHAR: BaseType = base(SIGNED_CHAR, 1);
/// `unsigned char`.
pub const UCHAR: BaseType = base(UNSIGNED_CHAR, 1);
/// `_Bool`.
pub const BOOL: BaseType = base(BOOLEAN, 1);
/// `int`.
pub const INT: BaseType = base(SIGNED, 4);
/// `unsigned int`.
pub const UINT: BaseType = base(UNSIGNED, 4);
/// `long`.
pub const LONG: BaseType = base(SIGNED, 8);
/// `unsigned long`, `size_t`.
pub const ULONG: BaseType = base(UNSIGNED, 8);
/// `double`.
pub const DOUBLE: BaseType = base(FLOAT, 8);

/// All types of a file.
pub struct Types {
    types: Vec<Type>,
    ids: FxHashMap<Type, TypeId>,
    records: Vec<Record>,
}

impl Default for Types {
    fn default() -> Self {
        let mut types = Types { types: Vec::new(), ids: FxHashMap::default(), records: Vec::new() };
        types.intern(Type::Unknown);
        types.intern(Type::Void);
        types
    }
}

impl Types {
    /// [`Type::Unknown`].
    pub const UNKNOWN: TypeId = TypeId(0);
    /// [`Type::Void`].
    pub const VOID: TypeId = TypeId(1);

    /// The id of a type.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(&id) = self.ids.get(&ty) {
            return id;
        }
        let id = TypeId(self.types.len() as u32);
        self.types.push(ty.clone());
        self.ids.insert(ty, id);
        id
    }

    /// A type.
    #[must_use]
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// An arithmetic type.
    pub fn base(&mut self, base: BaseType) -> TypeId {
        self.intern(Type::Base(base))
    }

    /// A pointer to a type.
    pub fn pointer(&mut self, to: TypeId) -> TypeId {
        self.intern(Type::Pointer(to))
    }

    /// An array of a type.
    pub fn array(&mut self, element: TypeId, length: Length) -> TypeId {
        self.intern(Type::Array(element, length))
    }

    /// Adds a record that is incomplete yet, and its type.
    pub fn add_record(&mut self, kind: TagKind, tag: Option<Symbol>, at: TokenIndex) -> (RecordId, TypeId) {
        let id = RecordId(self.records.len() as u32);
        self.records.push(Record {
            kind,
            tag,
            typedef: None,
            at,
            complete: false,
            members: Vec::new(),
            underlying: UINT,
            layout: None,
        });
        (id, self.intern(Type::Record(id)))
    }

    /// A record.
    #[must_use]
    pub fn record(&self, id: RecordId) -> &Record {
        &self.records[id.0 as usize]
    }

    /// A record, to complete it.
    pub fn record_mut(&mut self, id: RecordId) -> &mut Record {
        &mut self.records[id.0 as usize]
    }

    /// The record that a type is.
    #[must_use]
    pub fn as_record(&self, id: TypeId) -> Option<RecordId> {
        match *self.get(id) {
            Type::Record(record) => Some(record),
            _ => None,
        }
    }

    /// What a pointer points to, or what an array consists of.
    #[must_use]
    pub fn pointee(&self, id: TypeId) -> Option<TypeId> {
        match *self.get(id) {
            Type::Pointer(to) | Type::Array(to, _) => Some(to),
            _ => None,
        }
    }

    /// What a function, or a pointer to a function, returns.
    #[must_use]
    pub fn result(&self, id: TypeId) -> Option<TypeId> {
        match self.get(self.called(id)) {
            Type::Function { result, .. } => Some(*result),
            _ => None,
        }
    }

    /// The types of the parameters of a function or a pointer to one.
    #[must_use]
    pub fn parameters(&self, id: TypeId) -> &[TypeId] {
        match self.get(self.called(id)) {
            Type::Function { parameters, .. } => parameters,
            _ => &[],
        }
    }

    fn called(&self, id: TypeId) -> TypeId {
        match *self.get(id) {
            Type::Pointer(to) => to,
            _ => id,
        }
    }

    /// What an array, of arrays perhaps, is made of; of anything else, itself.
    #[must_use]
    pub fn innermost_element(&self, mut id: TypeId) -> TypeId {
        while let Type::Array(element, _) = *self.get(id) {
            id = element;
        }
        id
    }

    /// A type that allocations are made of: complete, with a size, and no function.
    #[must_use]
    pub fn is_complete_object(&self, id: TypeId) -> bool {
        match *self.get(self.innermost_element(id)) {
            Type::Unknown | Type::Void | Type::Function { .. } => false,
            Type::Record(record) => self.record(record).complete,
            Type::Array(..) | Type::Base(_) | Type::Pointer(_) | Type::Vector(..) => true,
        }
    }

    /// The arithmetic type that stands for a type in calculations (enums are their integers).
    #[must_use]
    pub fn arithmetic(&self, id: TypeId) -> Option<BaseType> {
        match *self.get(id) {
            Type::Base(base) => Some(base),
            Type::Record(record) if self.record(record).kind == TagKind::Enum => {
                Some(self.record(record).underlying)
            }
            _ => None,
        }
    }

    /// Whether values of the type are integers.
    #[must_use]
    pub fn is_integer(&self, id: TypeId) -> bool {
        self.arithmetic(id).is_some_and(is_integer)
    }

    /// A member by name, also inside anonymous members: its type and the offset where that is known.
    #[must_use]
    pub fn member(&self, record: RecordId, name: Symbol) -> Option<(TypeId, Option<u64>)> {
        self.member_within(record, name, 32)
    }

    fn member_within(&self, record: RecordId, name: Symbol, depth: u32) -> Option<(TypeId, Option<u64>)> {
        let members = &self.record(record).members;
        if let Some(member) = members.iter().find(|member| member.name == Some(name)) {
            return Some((member.ty, member.offset));
        }
        let depth = depth.checked_sub(1)?;
        members.iter().filter(|member| member.name.is_none()).find_map(|member| {
            let (ty, inner) = self.member_within(self.as_record(member.ty)?, name, depth)?;
            Some((ty, member.offset.zip(inner).map(|(outer, inner)| outer.wrapping_add(inner))))
        })
    }

    /// Size in bytes, where it is a known constant.
    #[must_use]
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        layout::size_and_align(self, id).map(|layout| layout.size)
    }
}

/// Whether values of an arithmetic type are integers.
#[must_use]
pub fn is_integer(base: BaseType) -> bool {
    !matches!(base.encoding, FLOAT | COMPLEX_FLOAT | DECIMAL_FLOAT)
}

/// Whether values of an integer type can be negative.
#[must_use]
pub fn is_signed(base: BaseType) -> bool {
    matches!(base.encoding, SIGNED | SIGNED_CHAR)
}
