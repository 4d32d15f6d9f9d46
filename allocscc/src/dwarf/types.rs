//! Type DIEs to the nodes of a type graph.
//!
//! One pass over the DIEs in file order. A reference to a type that was not met yet reserves its node; typedefs and
//! qualifiers become aliases of what they refer to, and are taken out of all references at the end, as are bit-fields and
//! names that need to see other types first.

use gimli::{AttributeValue, constants as dw};
use rustc_hash::{FxHashMap, FxHashSet};

use super::arrays::{self, Dimension};
use super::error::{Error, Result};
use super::members::{self, BitField};
use super::naming::{Declared, Unnamed};
use super::units::{Die, DieRef, Unit, UnitIndex, Units};
use crate::graph::{Canonical, CompositeKind, Naming, NodeId, Type, TypeGraph};

/// Typedefs of typedefs deeper than this are `void`; in a broken file one may stand for itself.
const LONGEST_ALIAS_CHAIN: usize = 1000;

/// The types of all units.
pub struct Types {
    /// Equal types of different units are still different nodes.
    pub graph: TypeGraph,
    /// The node of each type DIE and each subprogram.
    nodes: FxHashMap<DieRef, NodeId>,
    /// Structs, unions and enums, in the order of their DIEs.
    pub declared: Vec<Declared>,
    /// Units that were given up, and why.
    pub warnings: Vec<Error>,
}

impl Types {
    /// Reads all units. A broken one is left out from the fault on.
    #[must_use]
    pub fn read(units: &Units<'_>) -> Types {
        let mut reader = Reader {
            units,
            unit: UnitIndex(0),
            out: Types {
                graph: TypeGraph::new(),
                nodes: FxHashMap::default(),
                declared: Vec::new(),
                warnings: Vec::new(),
            },
            aliases: FxHashMap::default(),
            bit_fields: Vec::new(),
            unnamed: Unnamed::default(),
            open: Vec::new(),
            is_c: true,
            has_namespaces: false,
            first_index: 0,
        };
        let void = reader.out.graph.add(Type::Void);
        debug_assert_eq!(void, VOID);
        for (index, unit) in units.iter().filter(|(_, unit)| !unit.is_replaced()) {
            reader.unit = index;
            reader.has_namespaces = unit.has_namespaces();
            reader.first_index = unit.first_index();
            if let Err(e) = reader.read_unit(unit) {
                reader.out.warnings.push(e);
            }
            reader.close(0);
        }
        reader.finish()
    }

    /// Merges equal types.
    #[must_use]
    pub fn merge(self) -> MergedTypes {
        let (types, became) = Canonical::of(&self.graph);
        let mut nodes = self.nodes;
        nodes.values_mut().for_each(|node| *node = became[node.0 as usize]);
        let mut declared = self.declared;
        declared.iter_mut().for_each(|d| d.node = became[d.node.0 as usize]);
        MergedTypes { types, nodes, declared }
    }
}

/// The types of all units, each once.
pub struct MergedTypes {
    /// The types.
    pub types: Canonical,
    nodes: FxHashMap<DieRef, NodeId>,
    /// Structs, unions and enums, in the order of their DIEs.
    pub declared: Vec<Declared>,
}

impl MergedTypes {
    /// The structs, unions and enums that the units define, and the base types: what a program may ask for by name. What the headers of
    /// the C++ library define is there only if it is used.
    #[must_use]
    pub fn named(&self) -> Vec<NodeId> {
        let base_types = self.types.graph().ids().filter(|&id| {
            matches!(self.types.get(id), Type::Base { size, bit_size, .. } if u64::from(*bit_size) == 8 * u64::from(*size))
        });
        let declared = self.declared.iter().filter(|d| !d.incomplete).map(|d| d.node);
        let declared = declared.filter(|&node| !is_of_library(self.types.get(node)));
        let mut seen = FxHashSet::default();
        base_types.chain(declared).filter(|&node| seen.insert(node)).collect()
    }

    /// The type DIEs and their nodes, in no order.
    pub(crate) fn dies(&self) -> impl Iterator<Item = (DieRef, NodeId)> {
        self.nodes.iter().map(|(&die, &node)| (die, node))
    }

    /// The node of a type DIE, or of a subprogram's type.
    #[must_use]
    pub fn node(&self, die: DieRef) -> Option<NodeId> {
        self.nodes.get(&die).copied()
    }
}

/// Whether a type is in a namespace of the C++ library.
fn is_of_library(ty: &Type) -> bool {
    let (Type::Composite { naming: Naming::Tag(tag), .. }
    | Type::Enumeration { naming: Naming::Tag(tag), .. }) = ty
    else {
        return false;
    };
    ["std::", "__gnu_cxx::", "__cxxabiv1::", "__pstl::", "__gnu_debug::"]
        .iter()
        .any(|scope| tag.starts_with(scope))
}

/// How deep below the type a member is that is there for one value of the discriminant alone.
const DEPTH_IN_VARIANT: isize = 3;

/// The first node of every graph that is read.
const VOID: NodeId = NodeId(0);

/// What a node stands for.
struct Alias {
    target: NodeId,
    /// By a typedef, as opposed to a qualifier.
    is_typedef: bool,
}

/// A DIE whose children are being read.
struct Open {
    depth: isize,
    what: OpenKind,
}

enum OpenKind {
    /// A struct, union or class: node and type so far. The name is for the types inside it.
    Composite { node: NodeId, ty: Type, name: String },
    /// An enumeration.
    Enumeration { node: NodeId, ty: Type, size: Option<u64>, has_base: bool },
    /// An array.
    Array { node: NodeId, element: NodeId, dimensions: Vec<Dimension> },
    /// A function type or subprogram.
    Function { node: NodeId, ty: Type },
    /// A namespace.
    Namespace(String),
}

struct Reader<'a, 'u> {
    units: &'u Units<'a>,
    unit: UnitIndex,
    out: Types,
    aliases: FxHashMap<NodeId, Alias>,
    bit_fields: Vec<BitField>,
    unnamed: Unnamed,
    open: Vec<Open>,
    /// The language has functions without a prototype.
    is_c: bool,
    /// Names count together with those of the namespaces and types around them.
    has_namespaces: bool,
    /// The lower bound of arrays that say none.
    first_index: i64,
}

impl<'a> Reader<'a, '_> {
    fn read_unit(&mut self, unit: &Unit<'a>) -> Result<()> {
        let root = unit.get().header.root_offset();
        let mut entries = unit.get().unit.entries_raw(None).map_err(unit.error_at(root))?;
        let mut die = Die::default();
        while !entries.is_empty() {
            let offset = entries.next_offset();
            if entries.read_entry(&mut die).map_err(unit.error_at(offset))? {
                self.close(die.depth());
                self.visit(unit, &die)?;
            }
        }
        Ok(())
    }

    fn visit(&mut self, unit: &Unit<'a>, die: &Die<'a>) -> Result<()> {
        match die.tag() {
            dw::DW_TAG_compile_unit | dw::DW_TAG_partial_unit | dw::DW_TAG_type_unit => self.language(die),
            dw::DW_TAG_namespace => {
                let name = self.scoped(unit.name_of(die).unwrap_or_default().into_owned());
                self.push(die, OpenKind::Namespace(name));
            }
            dw::DW_TAG_base_type => self.base(unit, die),
            dw::DW_TAG_structure_type | dw::DW_TAG_interface_type => {
                self.composite(unit, die, CompositeKind::Struct);
            }
            dw::DW_TAG_class_type => self.composite(unit, die, CompositeKind::Class),
            dw::DW_TAG_union_type => self.composite(unit, die, CompositeKind::Union),
            dw::DW_TAG_enumeration_type => self.enumeration(unit, die),
            dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type | dw::DW_TAG_rvalue_reference_type => {
                let target = self.type_of(die);
                self.set(die, Type::Pointer(target));
            }
            dw::DW_TAG_ptr_to_member_type => {
                let target = self.units.follow(self.unit, die, dw::DW_AT_type);
                let target = target.map(|at| self.units.die(at)).transpose()?;
                let is_function = target.is_some_and(|target| target.tag() == dw::DW_TAG_subroutine_type);
                let ty = members::pointer_to_member(&mut self.out.graph, is_function);
                self.set(die, ty);
            }
            // `nullptr_t`. Other types that are not specified are `void`.
            dw::DW_TAG_unspecified_type if unit.name_of(die).is_some_and(|name| name.contains("nullptr")) => {
                self.set(die, Type::Pointer(VOID));
            }
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias => self.typedef(unit, die),
            dw::DW_TAG_const_type
            | dw::DW_TAG_volatile_type
            | dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type
            | dw::DW_TAG_packed_type
            | dw::DW_TAG_immutable_type
            | dw::DW_TAG_shared_type => {
                let target = self.type_of(die);
                self.alias(die, target, false);
            }
            dw::DW_TAG_array_type => {
                let (node, element) = (self.node(die), self.type_of(die));
                self.push(die, OpenKind::Array { node, element, dimensions: Vec::new() });
            }
            dw::DW_TAG_subroutine_type => self.function(die, None)?,
            dw::DW_TAG_subprogram => self.subprogram(die)?,
            dw::DW_TAG_subrange_type => self.subrange(die),
            dw::DW_TAG_member | dw::DW_TAG_inheritance => self.member(unit, die),
            dw::DW_TAG_enumerator => self.enumerator(unit, die),
            dw::DW_TAG_formal_parameter => {
                let ty = self.type_of(die);
                if let Some(Type::Function { parameters, .. }) = self.open_function(die) {
                    parameters.push(ty);
                }
            }
            dw::DW_TAG_unspecified_parameters => {
                if let Some(Type::Function { variadic, .. }) = self.open_function(die) {
                    *variadic = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn language(&mut self, die: &Die<'a>) {
        let language = match die.attr_value(dw::DW_AT_language) {
            Some(AttributeValue::Language(language)) => language,
            _ => return,
        };
        self.is_c = matches!(
            language,
            dw::DW_LANG_C89 | dw::DW_LANG_C | dw::DW_LANG_C99 | dw::DW_LANG_C11 | dw::DW_LANG_C17
        );
    }

    fn node_of(&mut self, die: DieRef) -> NodeId {
        let graph = &mut self.out.graph;
        *self.out.nodes.entry(die).or_insert_with(|| graph.reserve())
    }

    fn node(&mut self, die: &Die<'a>) -> NodeId {
        self.node_of(DieRef { unit: self.unit, offset: die.offset() })
    }

    /// The node that `DW_AT_type` refers to; `void` if there is none.
    fn type_of(&mut self, die: &Die<'a>) -> NodeId {
        match self.units.follow(self.unit, die, dw::DW_AT_type) {
            Some(target) => self.node_of(target),
            None => VOID,
        }
    }

    fn set(&mut self, die: &Die<'a>, ty: Type) {
        let node = self.node(die);
        self.out.graph.set(node, ty);
    }

    fn alias(&mut self, die: &Die<'a>, target: NodeId, is_typedef: bool) {
        let node = self.node(die);
        self.aliases.insert(node, Alias { target, is_typedef });
    }

    fn push(&mut self, die: &Die<'a>, what: OpenKind) {
        self.open.push(Open { depth: die.depth(), what });
    }

    /// The DIE whose child this is, if its children are being read.
    fn parent(&mut self, die: &Die<'a>) -> Option<&mut OpenKind> {
        self.open.last_mut().filter(|o| o.depth == die.depth() - 1).map(|o| &mut o.what)
    }

    fn open_function(&mut self, die: &Die<'a>) -> Option<&mut Type> {
        match self.parent(die) {
            Some(OpenKind::Function { ty, .. }) => Some(ty),
            _ => None,
        }
    }

    /// The name with those of the namespaces and types around it, in a language that has them.
    fn scoped(&self, name: String) -> String {
        let around = self.open.last().map(|o| &o.what);
        match around {
            Some(OpenKind::Composite { name: outer, .. } | OpenKind::Namespace(outer))
                if self.has_namespaces && !outer.is_empty() =>
            {
                format!("{outer}::{name}")
            }
            _ => name,
        }
    }

    fn base(&mut self, unit: &Unit<'a>, die: &Die<'a>) {
        let spelling = unit.name_of(die).unwrap_or_default().into_owned();
        let encoding = match die.attr_value(dw::DW_AT_encoding) {
            Some(AttributeValue::Encoding(encoding)) => encoding,
            _ => dw::DwAte(0),
        };
        let bits = Unit::number(die, dw::DW_AT_bit_size);
        let size = Unit::number(die, dw::DW_AT_byte_size).or(bits.map(|b| b.div_ceil(8))).unwrap_or(0);
        // Plain char is one type whatever -funsigned-char says.
        let encoding = if spelling == "char" { dw::DW_ATE_signed_char } else { encoding };
        let size = u32::try_from(size).unwrap_or(0);
        let bit_size = size.saturating_mul(8);
        self.set(die, Type::Base { encoding: encoding.0, size, bit_size, bit_offset: 0, spelling });
    }

    /// Handles the stub that stands for a type of a type unit.
    fn is_stub(&mut self, die: &Die<'a>) -> bool {
        let Some(target) = self.units.follow(self.unit, die, dw::DW_AT_signature) else { return false };
        let target = self.node_of(target);
        self.alias(die, target, false);
        true
    }

    fn composite(&mut self, unit: &Unit<'a>, die: &Die<'a>, kind: CompositeKind) {
        if self.is_stub(die) {
            return;
        }
        let node = self.node(die);
        let incomplete = die.has_attr(dw::DW_AT_declaration);
        let naming = self.naming(unit, die, node, kind.into(), incomplete);
        let name = match &naming {
            Naming::Tag(name) => name.clone(),
            _ => String::new(),
        };
        let size = Some(Unit::number(die, dw::DW_AT_byte_size).unwrap_or(0));
        let ty = Type::Composite { kind, naming, size, members: Vec::new(), incomplete };
        self.push(die, OpenKind::Composite { node, ty, name });
    }

    fn enumeration(&mut self, unit: &Unit<'a>, die: &Die<'a>) {
        if self.is_stub(die) {
            return;
        }
        let node = self.node(die);
        let incomplete = die.has_attr(dw::DW_AT_declaration);
        let naming = self.naming(unit, die, node, super::naming::Kind::Enum, incomplete);
        let base = self.type_of(die);
        let ty = Type::Enumeration { naming, base, enumerators: Vec::new(), incomplete };
        let size = Unit::number(die, dw::DW_AT_byte_size);
        self.push(die, OpenKind::Enumeration { node, ty, size, has_base: base != VOID });
    }

    /// The tag, or a place that a typedef may replace in the end.
    fn naming(
        &mut self,
        unit: &Unit<'a>,
        die: &Die<'a>,
        node: NodeId,
        kind: super::naming::Kind,
        incomplete: bool,
    ) -> Naming {
        let file = unit.file_of(die, dw::DW_AT_decl_file);
        let line = Unit::number(die, dw::DW_AT_decl_line).unwrap_or(0);
        let column = Unit::number(die, dw::DW_AT_decl_column).unwrap_or(0);
        self.out.declared.push(Declared { unit: self.unit, node, kind, file, line, column, incomplete });
        if let Some(naming) = self.declared_naming(die) {
            return naming;
        }
        match unit.name_of(die) {
            Some(tag) => Naming::Tag(self.scoped(tag.into_owned())),
            None => self.unnamed.add(self.out.declared.len() - 1),
        }
    }

    /// The name of the declaration that a definition stands apart from: that is where the namespace is known.
    fn declared_naming(&mut self, die: &Die<'a>) -> Option<Naming> {
        let declaration = self.units.follow(self.unit, die, dw::DW_AT_specification)?;
        let declaration = self.node_of(declaration);
        match self.out.graph.get(declaration) {
            Type::Composite { naming: naming @ Naming::Tag(_), .. }
            | Type::Enumeration { naming: naming @ Naming::Tag(_), .. } => Some(naming.clone()),
            _ => None,
        }
    }

    fn typedef(&mut self, unit: &Unit<'a>, die: &Die<'a>) {
        let target = self.type_of(die);
        self.alias(die, target, true);
        // In C++ a member `type` of a template stands for its argument, which may be a lambda.
        let is_member = self.has_namespaces && matches!(self.parent(die), Some(OpenKind::Composite { .. }));
        if let Some(name) = unit.name_of(die).filter(|name| !is_member && !name.contains('<')) {
            self.unnamed.typedef(target, name.into_owned());
        }
    }

    fn function(&mut self, die: &Die<'a>, specification: Option<&Die<'a>>) -> Result<()> {
        let node = self.node(die);
        let result = self.type_of(die);
        let has_prototype = die.has_attr(dw::DW_AT_prototyped)
            || specification.is_some_and(|s| s.has_attr(dw::DW_AT_prototyped));
        let variadic = self.is_c && !has_prototype;
        self.push(
            die,
            OpenKind::Function { node, ty: Type::Function { result, parameters: Vec::new(), variadic } },
        );
        Ok(())
    }

    /// The type of a function is that of its abstract origin. A definition apart from its declaration has its own parameters,
    /// and the result may stand at the declaration only.
    fn subprogram(&mut self, die: &Die<'a>) -> Result<()> {
        if let Some(origin) = self.units.follow(self.unit, die, dw::DW_AT_abstract_origin) {
            let target = self.node_of(origin);
            self.alias(die, target, false);
            return Ok(());
        }
        let Some(at) = self.units.follow(self.unit, die, dw::DW_AT_specification) else {
            return self.function(die, None);
        };
        let specification = self.units.die(at)?;
        self.function(die, Some(&specification))?;
        if !die.has_attr(dw::DW_AT_type)
            && let Some(result) = self.units.follow(at.unit, &specification, dw::DW_AT_type)
        {
            let declared = self.node_of(result);
            if let Some(Open { what: OpenKind::Function { ty: Type::Function { result, .. }, .. }, .. }) =
                self.open.last_mut()
            {
                *result = declared;
            }
        }
        Ok(())
    }

    fn subrange(&mut self, die: &Die<'a>) {
        let dimension = arrays::dimension(die, self.first_index);
        if let Some(OpenKind::Array { dimensions, .. }) = self.parent(die) {
            dimensions.push(dimension);
            return;
        }
        let host = self.type_of(die);
        let (min, max) = arrays::bounds(die, self.first_index);
        self.set(die, Type::Subrange { host, min, max });
    }

    fn member(&mut self, unit: &Unit<'a>, die: &Die<'a>) {
        // A static data member of a class is a variable elsewhere.
        if die.has_attr(dw::DW_AT_declaration) || die.has_attr(dw::DW_AT_external) {
            return;
        }
        let ty = self.type_of(die);
        let name = members::name(unit.name_of(die).unwrap_or_default());
        // Between a Rust enum and what it holds stand a variant part, which has the discriminant, and a variant.
        let Some(Open { depth, what }) = self.open.last_mut() else { return };
        let OpenKind::Composite { node, ty: Type::Composite { kind, members, .. }, .. } = what else {
            return;
        };
        let may_be_invalid = *kind == CompositeKind::Union || die.depth() - *depth == DEPTH_IN_VARIANT;
        let (node, index) = (*node, members.len());
        let Some(member) = members::member(unit, die, name, ty, may_be_invalid) else { return };
        members.push(member);
        if let Some(position) = members::bit_position(unit, die) {
            self.bit_fields.push(BitField { composite: node, member: index, position });
        }
    }

    fn enumerator(&mut self, unit: &Unit<'a>, die: &Die<'a>) {
        let name = unit.name_of(die).unwrap_or_default().into_owned();
        let value = die.attr_value(dw::DW_AT_const_value);
        let value = match value {
            Some(AttributeValue::Sdata(n)) => n,
            Some(other) => other.udata_value().unwrap_or(0) as i64,
            None => 0,
        };
        if let Some(OpenKind::Enumeration { ty: Type::Enumeration { enumerators, .. }, .. }) =
            self.parent(die)
        {
            enumerators.push((name, value));
        }
    }

    /// Finishes the DIEs that the next one, at `depth`, is not inside of.
    fn close(&mut self, depth: isize) {
        while self.open.last().is_some_and(|o| o.depth >= depth) {
            let Some(Open { what, .. }) = self.open.pop() else { return };
            match what {
                OpenKind::Composite { node, mut ty, .. } => {
                    // Rust lays fields out in another order than that of the source.
                    if let Type::Composite { members, .. } = &mut ty
                        && !self.is_c
                    {
                        members.sort_by_key(|member| member.offset);
                    }
                    self.out.graph.set(node, ty);
                }
                OpenKind::Function { node, ty } => self.out.graph.set(node, ty),
                OpenKind::Enumeration { node, mut ty, size, has_base } => {
                    if let Type::Enumeration { base, enumerators, .. } = &mut ty
                        && !has_base
                    {
                        *base = self.out.graph.add(members::enumeration_base(size, enumerators));
                    }
                    self.out.graph.set(node, ty);
                }
                OpenKind::Array { node, element, dimensions } => {
                    arrays::build(&mut self.out.graph, node, element, &dimensions);
                }
                OpenKind::Namespace(_) => {}
            }
        }
    }

    fn finish(mut self) -> Types {
        let graph_len = self.out.graph.len();
        let mut targets: Vec<NodeId> = self.out.graph.ids().collect();
        for &node in self.aliases.keys() {
            targets[node.0 as usize] = self.target(node, |_| true);
        }
        let unnamed = std::mem::take(&mut self.unnamed);
        let unqualified = |node| self.target(node, |alias| !alias.is_typedef);
        let names = unnamed.resolve(&self.out.declared, unqualified);
        for (node, name) in names {
            self.out.graph.rename(node, name);
        }
        self.out.graph.redirect(&targets);
        for node in self.out.nodes.values_mut() {
            *node = targets[node.0 as usize];
        }
        debug_assert_eq!(graph_len, targets.len());
        members::apply_bit_fields(&mut self.out.graph, &self.bit_fields);
        self.out
    }

    /// What a node stands for, as far as the aliases on the way are to be followed.
    fn target(&self, node: NodeId, follows: impl Fn(&Alias) -> bool) -> NodeId {
        let mut node = node;
        for _ in 0..LONGEST_ALIAS_CHAIN {
            match self.aliases.get(&node) {
                Some(alias) if follows(alias) => node = alias.target,
                _ => return node,
            }
        }
        VOID
    }
}
