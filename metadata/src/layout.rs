//! What the bytes of the metadata section are.

/// Name of the section that holds the metadata of a linked file. It has no `SHF_ALLOC`, so no address and no cost at
/// load, and `strip -s` keeps it.
pub const SECTION_NAME: &str = ".allocs";

/// First bytes of the section.
pub const MAGIC: [u8; 8] = *b"\x7fALLOCS\n";

/// Version of this layout. A reader takes exactly its own.
pub const VERSION: u32 = 7;

/// Alignment of the section and of every table in it.
pub const ALIGN: u64 = 8;

/// Index of a type in the type table of one file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct TypeId(pub u32);

impl TypeId {
    /// "No type": what a related slot holds that refers to none, and a static of unknown type.
    pub const NONE: TypeId = TypeId(u32::MAX);
}

/// Offset of a NUL-terminated UTF-8 string in the string table; offset 0 is the empty string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct StrRef(pub u32);

/// Where a table lies: `offset` in bytes from the start of the section, `count` in records (in bytes for strings).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Table {
    /// Bytes from the start of the section.
    pub offset: u32,
    /// Number of records; for the string table number of bytes.
    pub count: u32,
}

/// Start of the section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// Number of valid bytes in `build_id`; 0 when the file has none.
    pub build_id_len: u32,
    /// The build-id of the file, so that metadata is never taken for that of another file of the same name.
    pub build_id: [u8; 32],
    /// Size of the whole metadata in bytes.
    pub size: u64,
    /// [`TypeRecord`]s, in no particular order.
    pub types: Table,
    /// [`RelatedRecord`]s, each type's in one run. Types with equal slots may share theirs.
    pub related: Table,
    /// [`StaticRecord`]s by ascending address, not overlapping.
    pub statics: Table,
    /// [`FrameRecord`]s by ascending address, not overlapping.
    pub frames: Table,
    /// [`SiteRecord`]s by ascending return address.
    pub sites: Table,
    /// [`HopRecord`]s by ascending return address.
    pub hops: Table,
    /// [`SlotRecord`]s, each frame's in one run.
    pub slots: Table,
    /// [`StepRecord`]s, each site's in one run. Sites with equal steps may share theirs.
    pub steps: Table,
    /// [`WrapperRecord`]s by ascending address.
    pub wrappers: Table,
    /// [`ConditionRecord`]s by ascending return address.
    pub conditions: Table,
    /// [`VlaRecord`]s by ascending address of their frames.
    pub vlas: Table,
    /// [`AllocaRecord`]s by ascending address, not overlapping.
    pub allocas: Table,
    /// [`HookRecord`]s by ascending address.
    pub hooks: Table,
    /// NUL-terminated strings; starts with one NUL.
    pub strings: Table,
}

/// The kind of a type: the low four bits of [`TypeRecord::word`], or bit 0 alone for an array.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// `void`.
    Void = 0,
    /// An array; the other 31 bits of the word are its length.
    Array = 1,
    /// An integer, a float, a boolean, a bit-field.
    Base = 2,
    /// An enumeration.
    Enumeration = 4,
    /// A struct, a union, a class or a stack frame.
    Composite = 6,
    /// A pointer or reference.
    Address = 8,
    /// A function type.
    Subprogram = 10,
    /// A subrange.
    Subrange = 12,
}

impl Kind {
    /// The kind that a `un` word says, or `None` for a word that no kind has.
    #[must_use]
    pub const fn of_word(word: u32) -> Option<Kind> {
        if word & 1 != 0 {
            return Some(Kind::Array);
        }
        Some(match word & 15 {
            0 => Kind::Void,
            2 => Kind::Base,
            4 => Kind::Enumeration,
            6 => Kind::Composite,
            8 => Kind::Address,
            10 => Kind::Subprogram,
            12 => Kind::Subrange,
            _ => return None,
        })
    }
}

/// Value of the 31-bit length of an array whose length is not known.
pub const UNBOUNDED_LENGTH: u32 = 0x7fff_ffff;
/// Value of [`TypeRecord::size`] for a type without a bound on its size.
pub const UNBOUNDED_SIZE: u32 = u32::MAX;

/// The type has a `make_precise`: its length follows from the allocation that it types.
pub const TYPE_MAKES_PRECISE: u32 = 1;
/// A struct, union or enum that was declared and not defined in this file.
pub const TYPE_INCOMPLETE: u32 = 2;
/// A union, as opposed to a struct (for the C spelling; both are composites).
pub const TYPE_IS_UNION: u32 = 4;
/// The name is the tag of its declaration (for the C spelling), as opposed to a typedef or a made-up name.
pub const TYPE_NAME_IS_TAG: u32 = 8;
/// The composite is a stack frame. Files have no such types: the reader makes them of a [`crate::FrameLayout`].
pub const TYPE_IS_FRAME: u32 = 16;
/// The composite was put together by the analysis (`__SYNTH_…`, `__SYNTHUNION_…`).
pub const TYPE_IS_SYNTHETIC: u32 = 32;

/// A type, as near to the run-time `struct uniqtype` as a file can hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct TypeRecord {
    /// Identifies the type in the whole world: equal digests, equal types. Depends on the type's structure and names
    /// alone, not on the file or the compiler.
    pub digest: [u64; 2],
    /// The name that `UNIQTYPE_NAME` gives.
    pub name: StrRef,
    /// `pos_maxoff`: size in bytes, or [`UNBOUNDED_SIZE`].
    pub size: u32,
    /// The bits of the union `un`, kind included.
    pub word: u32,
    /// Index of the first of this type's [`RelatedRecord`]s.
    pub first_related: u32,
    /// Number of its [`RelatedRecord`]s. For a composite these are the members; the run-time adds the slot for their names.
    pub related_count: u32,
    /// `TYPE_…` flags.
    pub flags: u32,
}

/// One slot of a type's `related[]`.
///
/// | kind of the type | `ty` | `name` | `value` |
/// |---|---|---|---|
/// | array, address, base, subprogram, subrange | the related type | | |
/// | enumeration, first slot | the underlying base type | | |
/// | enumeration, other slots | `NONE` | the enumerator | its value |
/// | composite | the member's type | the member, empty if anonymous | its offset in bytes, in the low 56 bits; [`MEMBER_MAY_BE_INVALID`] |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct RelatedRecord {
    /// The related type.
    pub ty: TypeId,
    /// Name of the member or enumerator.
    pub name: StrRef,
    /// Offset of the member, or value of the enumerator.
    pub value: u64,
}

/// Bit of [`RelatedRecord::value`] of a member: `is_absolute_address`.
pub const MEMBER_IS_ABSOLUTE: u64 = 1 << 56;
/// Bit of [`RelatedRecord::value`] of a member: `may_be_invalid` (a union's member, a variable of a frame that may lie in
/// a register).
pub const MEMBER_MAY_BE_INVALID: u64 = 1 << 57;

/// A function, a variable with static storage, or a string literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct StaticRecord {
    /// Address in the file.
    pub svma: u64,
    /// Size in bytes; code size for a function.
    pub size: u64,
    /// Its type, or [`TypeId::NONE`] (a symbol without debug information).
    pub ty: TypeId,
    /// Symbol, variable, or `function.variable` for a static local; empty for a literal.
    pub name: StrRef,
}

/// A function's stack frame over a range of its code. Which variables are in it differs from instruction to instruction:
/// [`crate::FrameLayout`] is what holds at one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct FrameRecord {
    /// First address in the file.
    pub svma: u64,
    /// Length of the range in bytes.
    pub length: u32,
    /// File and function (`test_c_main`): what the names of the frame's types begin with.
    pub name: StrRef,
    /// Index of the first of the frame's [`SlotRecord`]s.
    pub first_slot: u32,
    /// Number of its [`SlotRecord`]s, which are by descending `below_cfa`.
    pub slot_count: u32,
}

/// A variable in a stack frame, and the code over which it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct SlotRecord {
    /// First byte of the code, from the start of the frame's range.
    pub start: u32,
    /// Length of the code in bytes.
    pub length: u32,
    /// Distance in bytes from the variable's first byte up to the CFA.
    pub below_cfa: u32,
    /// Its name.
    pub name: StrRef,
    /// Its type.
    pub ty: TypeId,
}

/// An array of variable length, which lies below the variables of its frame, and the code over which it is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct VlaRecord {
    /// [`FrameRecord::svma`] of its frame.
    pub frame: u64,
    /// First byte of the code, from the start of the frame's range.
    pub start: u32,
    /// Length of the code in bytes.
    pub length: u32,
    /// Distance up to the CFA from the word that holds its address.
    pub address_below_cfa: u32,
    /// Distance up to the CFA from the word that says how many elements it has.
    pub count_below_cfa: u32,
    /// What to add to that word: 1 for the index of the last element.
    pub count_bias: u32,
    /// Size of an element in bytes.
    pub element_size: u32,
    /// Its name.
    pub name: StrRef,
    /// Its type, the unbounded array.
    pub ty: TypeId,
}

/// A piece of the code of a function that calls `alloca`. Below the fixed part of such a frame lie blocks with headers, of which the
/// reader must know where to look for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct AllocaRecord {
    /// First address in the file.
    pub svma: u64,
    /// Length of the piece in bytes.
    pub length: u32,
    /// The number of the function, and [`ALLOCA_HIDES`].
    pub function: u32,
}

/// Bit of [`AllocaRecord::function`]: while this code runs, there may be arrays of variable length that no [`VlaRecord`]
/// describes, so that nothing can be said of what lies beside them.
pub const ALLOCA_HIDES: u32 = 1 << 31;

impl AllocaRecord {
    /// The number of the function: pieces of one function have the same.
    #[must_use]
    pub const fn function(&self) -> u32 {
        self.function & !ALLOCA_HIDES
    }

    /// Whether [`ALLOCA_HIDES`] is set.
    #[must_use]
    pub const fn hides(&self) -> bool {
        self.function & ALLOCA_HIDES != 0
    }
}

/// Where a heap allocation's type was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Evidence {
    /// Nothing is known: the type is the fall-back to bytes.
    None = 0,
    /// A `sizeof` or `offsetof` in the size.
    Sizeof = 1,
    /// The pointer that receives the result.
    Receiver = 2,
    /// `sizeof` and receiver say the same.
    Both = 3,
    /// Declared by hand.
    Declared = 4,
    /// The DWARF variable that receives the result.
    Dwarf = 5,
}

impl Evidence {
    /// The evidence of a [`SiteRecord`]; what no version of the format has counts as none.
    #[must_use]
    pub const fn from_u8(value: u8) -> Evidence {
        match value {
            1 => Evidence::Sizeof,
            2 => Evidence::Receiver,
            3 => Evidence::Both,
            4 => Evidence::Declared,
            5 => Evidence::Dwarf,
            _ => Evidence::None,
        }
    }

    /// The word that the census and the tools print.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Evidence::None => "none",
            Evidence::Sizeof => "sizeof",
            Evidence::Receiver => "receiver",
            Evidence::Both => "both",
            Evidence::Declared => "declared",
            Evidence::Dwarf => "dwarf",
        }
    }

    /// The evidence for something that has this one for a part of it and another for the rest: the less sure one.
    #[must_use]
    pub fn least(self, other: Evidence) -> Evidence {
        if other.confidence() < self.confidence() { other } else { self }
    }

    /// How sure the type is.
    #[must_use]
    pub const fn confidence(self) -> Confidence {
        match self {
            Evidence::None => Confidence::None,
            Evidence::Dwarf => Confidence::Low,
            Evidence::Receiver => Confidence::Medium,
            Evidence::Sizeof => Confidence::High,
            Evidence::Both | Evidence::Declared => Confidence::Certain,
        }
    }
}

/// How sure the type of a heap allocation is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// Nothing is known.
    None,
    /// A pointer that the compiler, not the source, says to receive the result.
    Low,
    /// A pointer in the source.
    Medium,
    /// The size.
    High,
    /// Size and pointer, or a declaration.
    Certain,
}

impl Confidence {
    /// The word that the tools print.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Confidence::None => "none",
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
            Confidence::Certain => "certain",
        }
    }
}

/// The type was proved to be a buffer of bytes or characters ([`SiteRecord::flags`]).
pub const SITE_IS_BUFFER: u8 = 1;
/// Only `sizeof` or `offsetof` evidence changes the type of a reallocated block: this site has it.
pub const SITE_RETYPES: u8 = 2;

/// An allocation site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct SiteRecord {
    /// Return address of the call, in the file.
    pub return_svma: u64,
    /// What it allocates.
    pub ty: TypeId,
    /// Source file, basename.
    pub file: StrRef,
    /// Source line.
    pub line: u32,
    /// Function that holds the call.
    pub function: StrRef,
    /// Function that is called.
    pub callee: StrRef,
    /// An [`Evidence`].
    pub evidence: u8,
    /// `SITE_…` flags.
    pub flags: u8,
    /// A [`crate::Reason`], if the evidence is none.
    pub reason: u8,
    /// Number of its [`StepRecord`]s.
    pub step_count: u8,
    /// What more there is to say of the reason: a name, a type.
    pub detail: StrRef,
    /// Index of the first of the [`StepRecord`]s that explain the type, in the order of a proof.
    pub first_step: u32,
}

/// A step of the explanation of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct StepRecord {
    /// Source file, basename; empty if it has no place.
    pub file: StrRef,
    /// Source line.
    pub line: u32,
    /// What it is about: a type, a variable, a function.
    pub text: StrRef,
    /// A [`crate::StepKind`].
    pub kind: u8,
    /// The number of an argument, for the kinds that have one.
    pub number: u8,
    /// Zero.
    pub reserved: u16,
}

/// A call in a wrapper, a function that allocates for its caller: the block's site is found by looking up the caller's
/// return address in the same way. A call may have a [`SiteRecord`] too, for when the caller is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct HopRecord {
    /// Return address of the call, in the file.
    pub return_svma: u64,
    /// The canonical frame address (CFA) of the wrapper is [`HopRecord::cfa_register`], as it is when the call has returned,
    /// plus this. The wrapper's own return address lies in the eight bytes below it.
    pub cfa_offset: i32,
    /// A [`CfaRegister`].
    pub cfa_register: u8,
    /// A [`SavedRbp`].
    pub saved_rbp: u8,
    /// For [`SavedRbp::AtCfa`]: where the caller's rbp is kept, from the CFA.
    pub rbp_offset: i16,
}

/// What the CFA is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CfaRegister {
    /// The stack pointer.
    Rsp = 0,
    /// The frame pointer.
    Rbp = 1,
}

impl CfaRegister {
    /// What a [`HopRecord`] says; `None` for what no version of the format has.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<CfaRegister> {
        match value {
            0 => Some(CfaRegister::Rsp),
            1 => Some(CfaRegister::Rbp),
            _ => None,
        }
    }
}

/// What became of the caller's rbp, which its caller's frame may be counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SavedRbp {
    /// The wrapper did not change it.
    Same = 0,
    /// It is kept at [`HopRecord::rbp_offset`] from the CFA.
    AtCfa = 1,
    /// It cannot be told.
    Unknown = 2,
}

impl SavedRbp {
    /// What a [`HopRecord`] says; what no version of the format has counts as unknown.
    #[must_use]
    pub const fn from_u8(value: u8) -> SavedRbp {
        match value {
            0 => SavedRbp::Same,
            1 => SavedRbp::AtCfa,
            _ => SavedRbp::Unknown,
        }
    }
}

/// A function that other files can call and that allocates for its callers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct WrapperRecord {
    /// Address of the function, in the file.
    pub svma: u64,
    /// Digest of `text`: what two functions must agree in to stand for each other.
    pub signature: u64,
    /// If the function returns a plain block whose size is a product of parameters: a bit for each of these. Else 0.
    pub sizes: u32,
    /// What it does, as allocscc spells it: `returns p0*p1`.
    pub text: StrRef,
}

/// What is said of a call holds only if the function that it reaches, which may be in another file, does what was expected of
/// it. A call may have several conditions, and all must hold. Otherwise nothing is known of the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct ConditionRecord {
    /// Return address of the call, in the file.
    pub return_svma: u64,
    /// Where the file keeps the address of the function, which the dynamic linker fills in.
    pub slot_svma: u64,
    /// For [`Expectation::Signature`]: the [`WrapperRecord::signature`].
    pub signature: u64,
    /// For [`Expectation::SizeIs`] and [`Expectation::SizeHas`]: the parameter.
    pub parameter: u32,
    /// An [`Expectation`].
    pub expectation: u32,
}

/// What is expected of a function in another file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Expectation {
    /// It has this signature.
    Signature = 0,
    /// It returns a plain block whose size is this parameter.
    SizeIs = 1,
    /// It returns a plain block whose size is a product with this parameter in it.
    SizeHas = 2,
    /// It returns a plain block, whichever parameters its size depends on.
    Plain = 3,
}

impl Expectation {
    /// What a [`ConditionRecord`] says; `None` for what no version of the format has.
    #[must_use]
    pub const fn from_u32(value: u32) -> Option<Expectation> {
        match value {
            0 => Some(Expectation::Signature),
            1 => Some(Expectation::SizeIs),
            2 => Some(Expectation::SizeHas),
            3 => Some(Expectation::Plain),
            _ => None,
        }
    }
}

impl ConditionRecord {
    /// Whether a function is as expected. No function is what no version of the format can expect.
    #[must_use]
    pub const fn holds_for(&self, wrapper: &WrapperRecord) -> bool {
        let bit = if self.parameter < u32::BITS { 1 << self.parameter } else { 0 };
        match Expectation::from_u32(self.expectation) {
            Some(Expectation::Signature) => wrapper.signature == self.signature,
            Some(Expectation::SizeIs) => bit != 0 && wrapper.sizes == bit,
            Some(Expectation::SizeHas) => wrapper.sizes & bit != 0,
            Some(Expectation::Plain) => wrapper.sizes != 0,
            None => false,
        }
    }
}

/// Most bytes that a [`HookRecord`] displaces.
pub const MOST_DISPLACED: usize = 24;
/// Bytes of the jump that takes their place.
pub const JUMP_SIZE: usize = 5;
/// Number of arguments that a function gets in registers.
pub const REGISTER_ARGUMENTS: u8 = 6;
/// Bit of `e_flags` in the header of a linked file that has hooks. Nothing else uses that word on x86-64, and it is in memory, so
/// that a file without hooks need not be opened to see that.
pub const FILE_HAS_HOOKS: u32 = 1;

/// A function of the file that is a heap's, and calls of which nobody else can come by: where its first instructions are, which a
/// jump takes the place of in memory, and what it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct HookRecord {
    /// Address in the file of the first instruction that is displaced.
    pub svma: u64,
    /// The bytes that are there, `length` of them; then zeros.
    pub bytes: [u8; MOST_DISPLACED],
    /// A bit for each of the bytes: four bytes from there on are a distance from the instruction behind.
    pub relative: u32,
    /// A bit for each of the bytes: a short jump of two bytes begins there.
    pub short: u32,
    /// The function.
    pub name: StrRef,
    /// Number of bytes displaced: whole instructions, at least [`JUMP_SIZE`].
    pub length: u8,
    /// A [`HookAction`].
    pub action: u8,
    /// A [`Heap`].
    pub heap: u8,
    /// A bit for each argument of which the product is the size.
    pub sizes: u8,
    /// For all but [`HookAction::Allocate`]: the argument that is the block.
    pub block: u8,
    /// The argument through which the new block is stored, or [`HookRecord::RETURNS`].
    pub output: u8,
    /// Zero.
    pub reserved: [u8; 6],
}

impl HookRecord {
    /// Value of [`HookRecord::output`]: the new block is returned.
    pub const RETURNS: u8 = u8::MAX;
}

/// What a function of a heap does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum HookAction {
    /// It makes a block.
    Allocate = 0,
    /// It makes a block of another, which ends if it succeeds.
    Reallocate = 1,
    /// It ends a block.
    Free = 2,
}

impl HookAction {
    /// What a [`HookRecord`] says; `None` for what no version of the format has.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<HookAction> {
        match value {
            0 => Some(HookAction::Allocate),
            1 => Some(HookAction::Reallocate),
            2 => Some(HookAction::Free),
            _ => None,
        }
    }
}

/// The kind of a heap that is not the C library's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Heap {
    /// A `malloc` of the file's own.
    Malloc = 0,
    /// A pool that divides what another allocator gave.
    Small = 1,
}

impl Heap {
    /// What a [`HookRecord`] says; `None` for what no version of the format has.
    #[must_use]
    pub const fn from_u8(value: u8) -> Option<Heap> {
        match value {
            0 => Some(Heap::Malloc),
            1 => Some(Heap::Small),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Header>() == 168);
const _: () = assert!(size_of::<TypeRecord>() == 40);
const _: () = assert!(size_of::<RelatedRecord>() == 16);
const _: () = assert!(size_of::<StaticRecord>() == 24);
const _: () = assert!(size_of::<FrameRecord>() == 24);
const _: () = assert!(size_of::<SlotRecord>() == 20);
const _: () = assert!(size_of::<VlaRecord>() == 40);
const _: () = assert!(size_of::<AllocaRecord>() == 16);
const _: () = assert!(size_of::<SiteRecord>() == 40);
const _: () = assert!(size_of::<StepRecord>() == 16);
const _: () = assert!(size_of::<HopRecord>() == 16);
const _: () = assert!(size_of::<WrapperRecord>() == 24);
const _: () = assert!(size_of::<ConditionRecord>() == 32);
const _: () = assert!(size_of::<HookRecord>() == 56);
