//! Types that allocation sites and queries need, made from those that DWARF has.

use allocs_metadata::UNBOUNDED_LENGTH;
use gimli::constants as dw;

use super::names::Names;
use super::{Canonical, CompositeKind, Member, Naming, NodeId, Type};

/// Arrays of arrays deeper than this have no size; in a broken file an array may be its own element.
const DEEPEST_NESTING: usize = 1000;

/// An allocation of more different types than this is bytes.
const LARGEST_UNION: usize = 4;

impl Canonical {
    /// An integer, float, character or boolean that is no bit-field.
    pub fn base(&mut self, encoding: gimli::DwAte, size: u32) -> NodeId {
        let bit_size = size.saturating_mul(8);
        self.intern(Type::Base {
            encoding: encoding.0,
            size,
            bit_size,
            bit_offset: 0,
            spelling: String::new(),
        })
    }

    /// `void`.
    pub fn void(&mut self) -> NodeId {
        self.intern(Type::Void)
    }

    /// A pointer.
    pub fn pointer_to(&mut self, pointee: NodeId) -> NodeId {
        self.intern(Type::Pointer(pointee))
    }

    /// The one unbounded array of a type.
    pub fn unbounded_array_of(&mut self, element: NodeId) -> NodeId {
        self.intern(Type::Array { element, length: None, precise_empty: false })
    }

    /// An array; of length 0 it is the precise empty one (`__ARRZ_T`), of a length that 31 bits do not hold the unbounded one.
    pub fn array_of(&mut self, element: NodeId, length: u64) -> NodeId {
        if length >= u64::from(UNBOUNDED_LENGTH) {
            return self.unbounded_array_of(element);
        }
        self.intern(Type::Array { element, length: Some(length), precise_empty: length == 0 })
    }

    /// The unbounded array of `unsigned char`: an allocation of which nothing is known.
    pub fn bytes(&mut self) -> NodeId {
        let byte = self.base(dw::DW_ATE_unsigned_char, 1);
        self.unbounded_array_of(byte)
    }

    /// The unbounded array of `char`: a string.
    pub fn characters(&mut self) -> NodeId {
        let character = self.base(dw::DW_ATE_signed_char, 1);
        self.unbounded_array_of(character)
    }

    /// The integer, or bit-field, of the same size and the other signedness.
    pub fn complement(&mut self, id: NodeId) -> Option<NodeId> {
        let Type::Base { encoding, size, bit_size, bit_offset, .. } = *self.get(id) else { return None };
        let other = match gimli::DwAte(encoding) {
            dw::DW_ATE_signed => dw::DW_ATE_unsigned,
            dw::DW_ATE_unsigned => dw::DW_ATE_signed,
            dw::DW_ATE_signed_char => dw::DW_ATE_unsigned_char,
            dw::DW_ATE_unsigned_char => dw::DW_ATE_signed_char,
            _ => return None,
        };
        let (encoding, spelling) = (other.0, String::new());
        Some(self.intern(Type::Base { encoding, size, bit_size, bit_offset, spelling }))
    }

    /// Headers at their offsets, the first at 0, and an unbounded array of elements behind them, from `offset` on, in one allocation.
    pub fn synthetic(
        &mut self,
        names: &mut Names,
        heads: &[(NodeId, u64)],
        offset: u64,
        element: NodeId,
    ) -> NodeId {
        let tail = self.unbounded_array_of(element);
        let spelled: Vec<String> = heads.iter().map(|&(head, _)| names.of(self, head).to_string()).collect();
        let name = format!("__SYNTH_{}{}", spelled.join("_"), names.of(self, tail));
        let member = |ty, offset| Member { name: String::new(), ty, offset, may_be_invalid: false };
        self.intern(Type::Composite {
            kind: CompositeKind::Synthetic,
            naming: Naming::Made(name),
            size: None,
            members: heads.iter().map(|&(head, at)| member(head, at)).chain([member(tail, offset)]).collect(),
            incomplete: false,
        })
    }

    /// One of several types. One alone is itself, more than four are bytes.
    pub fn synthetic_union(&mut self, names: &mut Names, alternatives: &[NodeId]) -> NodeId {
        let mut named: Vec<(String, NodeId)> =
            alternatives.iter().map(|&id| (names.of(self, id).to_string(), id)).collect();
        named.sort();
        named.dedup();
        match *named {
            [] => return self.bytes(),
            [(_, only)] => return only,
            _ if named.len() > LARGEST_UNION => return self.bytes(),
            _ => {}
        }
        let size = named.iter().map(|&(_, id)| self.size_of(id)).try_fold(0, |a, b| Some(a.max(b?)));
        let spelled: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        let naming = Naming::Made(format!("__SYNTHUNION_{}", spelled.join("_")));
        let member = |ty| Member { name: String::new(), ty, offset: 0, may_be_invalid: true };
        let members = named.iter().map(|&(_, id)| member(id)).collect();
        self.intern(Type::Composite {
            kind: CompositeKind::SyntheticUnion,
            naming,
            size,
            members,
            incomplete: false,
        })
    }

    /// Size of a type in bytes; `None` if it has no bound or is not known. A function has none, and `void` is 0.
    #[must_use]
    pub fn size_of(&self, id: NodeId) -> Option<u64> {
        let (mut id, mut count) = (id, 1u64);
        for _ in 0..DEEPEST_NESTING {
            let size = match self.get(id) {
                Type::Void | Type::Function { .. } => 0,
                Type::Base { size, .. } => u64::from(*size),
                Type::Pointer(_) => 8,
                Type::Composite { incomplete: true, .. } | Type::Enumeration { incomplete: true, .. } => {
                    return None;
                }
                Type::Composite { size, .. } => (*size)?,
                Type::Array { length: Some(n), element, .. } => {
                    count = count.checked_mul(*n)?;
                    id = *element;
                    if count == 0 {
                        return Some(0);
                    }
                    continue;
                }
                Type::Array { length: None, .. } => return None,
                Type::Enumeration { base: inner, .. } | Type::Subrange { host: inner, .. } => {
                    id = *inner;
                    continue;
                }
            };
            return count.checked_mul(size);
        }
        None
    }
}
