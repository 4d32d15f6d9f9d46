//! What one preprocessed file says about its allocations: no addresses, types by name.
//!
//! The facts of a file travel in a section of its object file; the link step puts the facts of all files together, solves
//! for the type of each site, and matches sites to call instructions.

/// A C type as the source spells it, typedefs and qualifiers resolved. The link step finds it in the DWARF of the
/// same compilation unit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TypeRef {
    /// `void`.
    Void,
    /// An arithmetic type, by what it is rather than how it is spelt.
    Base(BaseType),
    /// A struct, union or enum with a tag.
    Tagged {
        /// Which of the three.
        kind: TagKind,
        /// The tag.
        tag: String,
        /// Where the definition's tag stands, to tell apart two block-scope types of one tag; line 0 if it is incomplete.
        place: Place,
    },
    /// A struct, union or enum without a tag.
    Anonymous {
        /// Which of the three.
        kind: TagKind,
        /// The typedef of its own declaration, if any.
        typedef: Option<String>,
        /// Where the keyword `struct`, `union` or `enum` stands.
        place: Place,
    },
    /// A pointer.
    Pointer(Box<TypeRef>),
    /// An array; `None` for `[]`, `[0]` and variable length.
    Array(Box<TypeRef>, Option<u64>),
    /// A function.
    Function {
        /// What it returns.
        result: Box<TypeRef>,
        /// Types of the parameters, after adjustment of arrays and functions to pointers.
        parameters: Vec<TypeRef>,
        /// It ends in `...`, or has no prototype.
        variadic: bool,
    },
}

/// An arithmetic type: `DW_ATE_…` encoding and size in bytes (`char` counts as signed, `_Bool` as boolean).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BaseType {
    /// `DW_ATE_…`.
    pub encoding: u8,
    /// Size in bytes.
    pub size: u32,
}

/// The three kinds of types that have tags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TagKind {
    /// `struct`.
    Struct,
    /// `union`.
    Union,
    /// `enum`.
    Enum,
}

/// A place in the source. Lines are those of the `#line` markers, files are as the markers spell them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// File name as the line marker has it.
    pub file: String,
    /// Line, from 1; 0 for none.
    pub line: u32,
}

/// The size argument of an allocation, or the value of a helper function, as far as it says something about types.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SizeExpr {
    /// A constant without type evidence.
    Const(u64),
    /// `sizeof (T)`.
    Sizeof(TypeRef),
    /// `offsetof (T, member)`; the member path as written, dots between.
    OffsetOf(TypeRef, String),
    /// The value of the enclosing function's parameter.
    Param(u32),
    /// Product.
    Mul(Box<SizeExpr>, Box<SizeExpr>),
    /// Sum.
    Add(Box<SizeExpr>, Box<SizeExpr>),
    /// Difference.
    Sub(Box<SizeExpr>, Box<SizeExpr>),
    /// Quotient.
    Div(Box<SizeExpr>, Box<SizeExpr>),
    /// One of several: branches, `?:`, a variable assigned more than once.
    Alt(Vec<SizeExpr>),
    /// What a function returns for these arguments.
    Call(String, Vec<SizeExpr>),
    /// The length of a string (`strlen` and friends): evidence for characters.
    StringLength,
    /// Anything else.
    Opaque,
}

/// What is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Callee {
    /// A function by name.
    Direct(String),
    /// A function pointer in a field of a tagged or typedef-named type: the type's name and where it is defined, and the field.
    Field(String, String),
    /// A function pointer in a global variable.
    Global(String),
    /// A function pointer in a variable that other files do not see: static, or of a function, with its line behind a colon.
    Static(String),
    /// A function pointer that is a parameter of the enclosing function.
    Param(u32),
    /// A function pointer that a function of this name returns.
    Result(String),
    /// Any function: somebody has the address of the function pointer and may change it.
    Any,
}

/// What receives the result of a call.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sink {
    /// The enclosing function returns it, or a pointer to what lies behind something in it.
    Return(Behind),
    /// It is stored through the enclosing function's parameter, or such a pointer.
    Out(u32, Behind),
    /// It becomes a pointer of this type by assignment, initialisation, cast or as an argument (the pointer type); a pointer to void only if a variable of the function keeps it.
    Pointer(TypeRef),
    /// It is passed on as the argument with this index to this function.
    Argument(String, u32),
    /// It is kept in a place that has type pointer to void.
    Kept(Holder),
    /// It becomes a pointer to void out of sight: in an element of an array, behind a function pointer.
    Lost,
    /// It, or a pointer to some place in it, becomes a pointer that is used as one to something else than characters.
    Carved,
    /// A pointer to characters that keeps it becomes, some way behind the start, a pointer of this type to a struct or a pointer.
    Part(TypeRef),
    /// A 0 is written behind as many of its bytes as its size, less one: it ends as text does.
    Ended,
}

/// What lies before the place in a block that a pointer points to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Behind {
    /// It points to the start.
    Nothing,
    /// Parts of these sizes, the outermost first: one wrapper's header in front of another's.
    Parts(Vec<SizeExpr>),
    /// It is not known how much.
    Something,
}

/// A function that the file defines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// `static`.
    pub is_static: bool,
    /// Where its name stands.
    pub place: Place,
    /// Last line of its body.
    pub last_line: u32,
    /// Types of the parameters.
    pub parameters: Vec<TypeRef>,
    /// What it returns.
    pub result: TypeRef,
    /// The size that it computes from its parameters, if it is a size helper (`st_mult`): every `return` in one `Alt`.
    pub value: Option<SizeExpr>,
    /// The parameters that it may return as they are: `p = check (malloc (n))`.
    pub returned: Vec<u32>,
}

/// A call that gives a pointer, so that it may allocate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Index of the enclosing function in [`FileFacts::functions`].
    pub function: u32,
    /// Line and file of the callee's name, and of the end of the call (macros put both on one line).
    pub place: Place,
    /// First line of the casts and calls around it in the same file, and of the parentheses around the callee: gcc moves the call
    /// of an argument to the call that it is an argument of, and a call below a cast to the cast. At most `place.line`.
    pub first_line: u32,
    /// Last line of the call expression.
    pub last_line: u32,
    /// Which of the calls with the same enclosing function, file, line and callee it is, from 0, in order of the source.
    pub ordinal: u32,
    /// What is called.
    pub callee: Callee,
    /// All arguments, seen as sizes.
    pub arguments: Vec<SizeExpr>,
    /// What receives the result; pointer conversions in the order met.
    pub sinks: Vec<Sink>,
    /// What receives the pointers that the callee stores through its arguments (`posix_memalign`): the argument, and as above.
    pub outputs: Vec<(u32, Vec<Sink>)>,
    /// The arguments that are what another call gave: the argument, and the index of that call in [`FileFacts::calls`].
    pub passes: Vec<(u32, u32)>,
}

/// Where a function pointer or a pointer to void is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Holder {
    /// In a field of a type, as [`Callee::Field`] names both.
    Field(String, String),
    /// In a global variable.
    Global(String),
    /// In a variable that other files do not see, as [`Callee::Static`] names it.
    Static(String),
    /// In the parameter with this index of this function.
    Argument(String, u32),
    /// In what a function of this name returns.
    Result(String),
}

/// A function pointer gets a value somewhere in the file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Binding {
    /// What gets it.
    pub holder: Holder,
    /// The function, or the function pointer that it is copied from.
    pub source: Callee,
    /// Index of the enclosing function in [`FileFacts::functions`], which a [`Callee::Param`] is a parameter of.
    pub function: Option<u32>,
}

/// What becomes somewhere in the file of a pointer to void that is kept in a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Use {
    /// Where it is kept. An argument is a parameter of a function that the file defines.
    pub of: Holder,
    /// What becomes of it.
    pub what: Usage,
}

/// What becomes of a pointer to void.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Usage {
    /// Bytes are read or written where it points, or it becomes a pointer to characters.
    Bytes,
    /// A number of this type is read or written where it points, or it becomes a pointer to words of the machine.
    Numbers(BaseType),
    /// Numbers of this type are counted from where it points: it is an array of them.
    Elements(BaseType),
    /// A pointer to numbers of this type is kept there too.
    Given(BaseType),
    /// It becomes a pointer to something else, or goes out of sight.
    Anything,
    /// It is kept in another place too.
    Passed(Holder),
    /// It is passed as the argument with this index to what this function pointer points to.
    Called(Callee, u32),
    /// It is a pointer to characters, and becomes one to structs or pointers.
    Objects,
    /// Nothing: it is a parameter, of a function that only its file sees or not.
    Parameter {
        /// The function is `static`.
        is_static: bool,
    },
}

/// What must be known of a struct or union to tell what an allocation that mentions it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregate {
    /// The struct or union.
    pub ty: TypeRef,
    /// The element of the array that it ends in, if that is `[]`, `[0]` or `[1]`; also that of its last member.
    pub tail: Option<TypeRef>,
    /// The types of the members that `offsetof` names in this file.
    pub members: Vec<(String, TypeRef)>,
}

/// A string literal: adjacent ones in the source are one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StringLiteral {
    /// Bytes a character: 1, 2 or 4.
    pub width: u8,
    /// What it is in memory, the NUL included.
    pub bytes: Vec<u8>,
}

/// What the type of a call is found from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    /// A `sizeof` in the size.
    Sizeof(TypeRef),
    /// An `offsetof` in the size.
    OffsetOf(TypeRef, String),
    /// A variable that keeps the size.
    Variable(String),
    /// A pointer of this type that the block becomes, and in words which; no words for a cast.
    Receiver(TypeRef, String),
}

/// Where that stands. For explanations: nothing is decided by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Index of the call in [`FileFacts::calls`].
    pub call: u32,
    /// What it is.
    pub what: Says,
    /// Where it begins.
    pub place: Place,
}

/// All facts of one preprocessed file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileFacts {
    /// The source as given to the compiler: `DW_AT_name` of its unit.
    pub source: String,
    /// The directory of the compilation: `DW_AT_comp_dir`.
    pub directory: String,
    /// The functions that it defines.
    pub functions: Vec<Function>,
    /// The calls that give pointers.
    pub calls: Vec<Call>,
    /// What function pointers may point to.
    pub bindings: Vec<Binding>,
    /// What becomes of pointers to void.
    pub uses: Vec<Use>,
    /// The structs and unions in sizes and receiving pointers that end in an array of open length, or that an `offsetof` names.
    pub aggregates: Vec<Aggregate>,
    /// What the parser could not read: place and reason, one for each external declaration that was skipped.
    pub skipped: Vec<(Place, String)>,
    /// The string literals, each once, that the compiler does not put into sections of their own.
    pub literals: Vec<StringLiteral>,
    /// Where that stands which the types of the calls are found from, by ascending call.
    pub origins: Vec<Origin>,
}
