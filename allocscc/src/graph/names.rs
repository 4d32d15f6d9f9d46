//! How types are spelled (`UNIQTYPE_NAME`).

use std::fmt::Write;
use std::rc::Rc;

use gimli::constants as dw;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Canonical, Naming, NodeId, Type};

/// A name longer than this is replaced by a digest. Names of function types hold those of all parameters, so that
/// functions that take functions have names that double with every step.
const LONGEST_NAME: usize = 4096;

/// Names of the types of a graph, each made once.
#[derive(Default)]
pub struct Names {
    known: FxHashMap<NodeId, Rc<str>>,
}

impl Names {
    /// The name of a type.
    pub fn of(&mut self, types: &Canonical, id: NodeId) -> Rc<str> {
        // Without recursion: the nesting of pointers in a broken file has no bound.
        let mut pending = vec![(id, false)];
        let mut begun: FxHashSet<NodeId> = FxHashSet::default();
        while let Some((id, parts_are_known)) = pending.pop() {
            if self.known.contains_key(&id) {
                continue;
            }
            let name = match own_name(types.get(id)) {
                Some(name) => name,
                None if parts_are_known => self.derived_name(types, id),
                None => {
                    pending.push((id, true));
                    begun.insert(id);
                    // A cycle without a named type, which C does not have, meets `id` again; it is then spelled by its digest.
                    types.get(id).for_each_child(|part| {
                        if !begun.contains(&part) {
                            pending.push((part, false));
                        }
                    });
                    continue;
                }
            };
            let name = if name.len() > LONGEST_NAME { by_digest(types, id) } else { name };
            self.known.insert(id, name.into());
        }
        self.known[&id].clone()
    }

    fn derived_name(&self, types: &Canonical, id: NodeId) -> String {
        let part = |id: &NodeId| match self.known.get(id) {
            Some(name) => name.clone(),
            None => by_digest(types, *id).into(),
        };
        match types.get(id) {
            Type::Pointer(pointee) => format!("__PTR_{}", part(pointee)),
            Type::Array { element, length: None, .. } => format!("__ARR0_{}", part(element)),
            Type::Array { element, precise_empty: true, .. } => format!("__ARRZ_{}", part(element)),
            Type::Array { element, length: Some(n), .. } => format!("__ARR{n}_{}", part(element)),
            Type::Subrange { host, min, max } => format!("__SUBRANGE_{min}_{max}_{}", part(host)),
            Type::Function { result, parameters, variadic } => {
                let mut name = String::from("__FUN_FROM_");
                for (i, parameter) in parameters.iter().enumerate() {
                    let _ = write!(name, "__ARG{i}_{}", part(parameter));
                }
                if *variadic {
                    name.push_str("__VA_");
                }
                name + "__FUN_TO_" + &part(result)
            }
            Type::Void | Type::Base { .. } | Type::Enumeration { .. } | Type::Composite { .. } => {
                by_digest(types, id)
            }
        }
    }
}

fn by_digest(types: &Canonical, id: NodeId) -> String {
    let [a, b] = types.digest(id);
    format!("__TYPE_{a:016x}{b:016x}")
}

/// The name of a type that has one of its own.
fn own_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Void => Some("void".to_owned()),
        Type::Base { encoding, bit_size, bit_offset, .. } => {
            let mut name = format!("{}${bit_size}", encoding_name(*encoding));
            if *bit_offset != 0 {
                let _ = write!(name, "${bit_offset}");
            }
            Some(name)
        }
        Type::Enumeration { naming, .. } | Type::Composite { naming, .. } => Some(spell(naming)),
        Type::Array { .. } | Type::Pointer(_) | Type::Function { .. } | Type::Subrange { .. } => None,
    }
}

fn encoding_name(encoding: u8) -> &'static str {
    match gimli::DwAte(encoding) {
        dw::DW_ATE_address => "address",
        dw::DW_ATE_boolean => "boolean",
        dw::DW_ATE_complex_float => "complex_float",
        dw::DW_ATE_float => "float",
        dw::DW_ATE_signed => "int",
        dw::DW_ATE_signed_char => "signed_char",
        dw::DW_ATE_unsigned => "uint",
        dw::DW_ATE_unsigned_char => "unsigned_char",
        dw::DW_ATE_imaginary_float => "imaginary_float",
        dw::DW_ATE_signed_fixed => "signed_fixed",
        dw::DW_ATE_unsigned_fixed => "unsigned_fixed",
        dw::DW_ATE_decimal_float => "decimal_float",
        dw::DW_ATE_UTF => "utf",
        dw::DW_ATE_UCS => "ucs",
        dw::DW_ATE_ASCII => "ascii",
        _ => "base",
    }
}

fn spell(naming: &Naming) -> String {
    match naming {
        Naming::Tag(name) | Naming::Typedef(name) | Naming::Made(name) => name.clone(),
        Naming::Place { file, line, ordinal } => {
            let mut name = format!("{}_{line}", plain(file));
            if *ordinal > 1 {
                let _ = write!(name, "_{ordinal}");
            }
            name
        }
    }
}

/// A file's basename with every byte outside `[A-Za-z0-9_]` as `_`.
#[must_use]
pub fn plain(path: &str) -> String {
    let basename = path.rsplit('/').next().unwrap_or(path);
    basename.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b) } else { '_' }).collect()
}
