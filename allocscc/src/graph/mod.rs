//! The types of one link unit as a graph, before they are made canonical and written.
//!
//! Qualifiers and typedefs are already gone: what refers to `const foo_t *` refers to the pointer to what `foo_t` stands
//! for. Equal types may still stand in the graph many times (once for each compilation unit).

//!
//! [`incomplete`] finds the definitions of declared types, [`partition`] finds which types are equal, [`digest`] gives each
//! its identity in the world, [`canonical`] puts these together, [`names`] spells them, [`precise`] makes the types that
//! allocation sites need and DWARF does not have.

pub mod canonical;
pub mod digest;
mod incomplete;
pub mod names;
mod partition;
pub mod precise;

pub use canonical::Canonical;

/// Index of a type in a [`TypeGraph`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u32);

/// Whether a composite's members lie behind each other or on top of each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CompositeKind {
    /// `struct`.
    Struct,
    /// `class` (C++).
    Class,
    /// `union`.
    Union,
    /// A header and what follows it in one allocation (`__SYNTH_…`).
    Synthetic,
    /// One of several types (`__SYNTHUNION_…`).
    SyntheticUnion,
}

/// How a struct, union or enum got its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Naming {
    /// Its tag.
    Tag(String),
    /// It has no tag: the typedef of its own declaration.
    Typedef(String),
    /// It has neither: the basename of its file, the line, and which one on this line it is (from 1).
    Place {
        /// Basename of the source file.
        file: String,
        /// Line of the declaration.
        line: u64,
        /// 1 for the first on the line.
        ordinal: u32,
    },
    /// A name that the analysis made up, whole.
    Made(String),
}

/// A member of a composite.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// Empty for an anonymous member.
    pub name: String,
    /// Its type.
    pub ty: NodeId,
    /// Bytes from the start; for a bit-field that of its storage unit.
    pub offset: u64,
    /// It is not there all the time (a union's member).
    pub may_be_invalid: bool,
}

/// One type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `void`.
    Void,
    /// An integer, float, character or boolean, or one seen through a bit-field.
    Base {
        /// `DW_ATE_…`.
        encoding: u8,
        /// Size in bytes (of the storage unit for a bit-field).
        size: u32,
        /// Size in bits; `8 * size` unless it is a bit-field.
        bit_size: u32,
        /// First bit, counted from the low bit of the storage unit.
        bit_offset: u32,
        /// The spelling in DWARF (`long unsigned int`), for symbol aliases only: not part of the identity.
        spelling: String,
    },
    /// An enumeration.
    Enumeration {
        /// Its name.
        naming: Naming,
        /// The integer type that holds it.
        base: NodeId,
        /// Names and values in the order of declaration.
        enumerators: Vec<(String, i64)>,
        /// Declared and not defined.
        incomplete: bool,
    },
    /// A struct, union, class or synthetic type.
    Composite {
        /// What it is.
        kind: CompositeKind,
        /// Its name.
        naming: Naming,
        /// Size in bytes; `None` for unbounded.
        size: Option<u64>,
        /// Members by offset.
        members: Vec<Member>,
        /// Declared and not defined.
        incomplete: bool,
    },
    /// An array.
    Array {
        /// Type of the elements.
        element: NodeId,
        /// Number of elements; `None` for `[]`, `[0]`, variable-length.
        length: Option<u64>,
        /// A bound of exactly zero that was found by making an array precise (`__ARRZ_T`).
        precise_empty: bool,
    },
    /// A pointer or reference.
    Pointer(
        /// What it points to.
        NodeId,
    ),
    /// A function type.
    Function {
        /// What it returns (`void` included).
        result: NodeId,
        /// Types of the parameters.
        parameters: Vec<NodeId>,
        /// It ends in `...`, or has no prototype.
        variadic: bool,
    },
    /// A subrange type that stands on its own (not that of an array).
    Subrange {
        /// The type that it restricts.
        host: NodeId,
        /// Lowest value.
        min: i64,
        /// Highest value.
        max: i64,
    },
}

impl Type {
    /// Calls `f` with every type that this one refers to, in a fixed order.
    pub fn for_each_child(&self, mut f: impl FnMut(NodeId)) {
        match self {
            Type::Void | Type::Base { .. } => {}
            Type::Enumeration { base, .. } => f(*base),
            Type::Composite { members, .. } => members.iter().for_each(|m| f(m.ty)),
            Type::Array { element: child, .. }
            | Type::Pointer(child)
            | Type::Subrange { host: child, .. } => f(*child),
            Type::Function { result, parameters, .. } => {
                f(*result);
                parameters.iter().copied().for_each(f);
            }
        }
    }

    /// The same with the references open to change.
    pub fn for_each_child_mut(&mut self, mut f: impl FnMut(&mut NodeId)) {
        match self {
            Type::Void | Type::Base { .. } => {}
            Type::Enumeration { base, .. } => f(base),
            Type::Composite { members, .. } => members.iter_mut().for_each(|m| f(&mut m.ty)),
            Type::Array { element: child, .. }
            | Type::Pointer(child)
            | Type::Subrange { host: child, .. } => f(child),
            Type::Function { result, parameters, .. } => {
                f(result);
                parameters.iter_mut().for_each(f);
            }
        }
    }

    /// Whether it was declared and not defined.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Type::Enumeration { incomplete: true, .. } | Type::Composite { incomplete: true, .. })
    }
}

/// The types of one link unit.
#[derive(Clone, Default, Debug)]
pub struct TypeGraph {
    nodes: Vec<Type>,
}

impl TypeGraph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        TypeGraph::default()
    }

    /// Adds a type.
    pub fn add(&mut self, ty: Type) -> NodeId {
        self.nodes.push(ty);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds a place for a type that is set later, so that cycles can be built. Until then it is `void`.
    pub fn reserve(&mut self) -> NodeId {
        self.add(Type::Void)
    }

    /// Sets a type reserved before.
    pub fn set(&mut self, id: NodeId, ty: Type) {
        self.nodes[id.0 as usize] = ty;
    }

    /// A type.
    #[must_use]
    pub fn get(&self, id: NodeId) -> &Type {
        &self.nodes[id.0 as usize]
    }

    /// Gives a struct, union or enum another name.
    pub(crate) fn rename(&mut self, id: NodeId, name: Naming) {
        if let Type::Composite { naming, .. } | Type::Enumeration { naming, .. } =
            &mut self.nodes[id.0 as usize]
        {
            *naming = name;
        }
    }

    /// Changes a member of a composite.
    pub(crate) fn update_member(&mut self, id: NodeId, index: usize, change: impl FnOnce(&mut Member)) {
        if let Type::Composite { members, .. } = &mut self.nodes[id.0 as usize]
            && let Some(member) = members.get_mut(index)
        {
            change(member);
        }
    }

    /// Replaces every reference by what `targets` has for it.
    pub(crate) fn redirect(&mut self, targets: &[NodeId]) {
        for ty in &mut self.nodes {
            ty.for_each_child_mut(|child| *child = targets[child.0 as usize]);
        }
    }

    /// Number of types.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no types.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All ids, in the order of addition.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
}
