//! Functions, variables with static storage and string literals of loaded files.

use allocs_metadata::{StaticRecord, TypeId};
use core::ffi::CStr;
use core::ops::ControlFlow;

use crate::avma::Avma;
use crate::modules::{Module, Svma};
use crate::types::{self, TypeRef, intern};

/// A static.
#[derive(Clone, Copy, Debug)]
pub struct StaticHit {
    module: &'static Module,
    record: &'static StaticRecord,
}

/// The static of a file that holds an address.
#[must_use]
pub fn static_at(module: &'static Module, p: Avma) -> Option<StaticHit> {
    let record = module.metadata?.static_at(module.svma(p).0)?;
    Some(StaticHit { module, record })
}

/// Calls `f` with the statics that start between two addresses.
pub fn each_between<B>(
    module: &'static Module,
    start: Avma,
    end: Avma,
    mut f: impl FnMut(StaticHit) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let Some(metadata) = module.metadata else { return ControlFlow::Continue(()) };
    let (from, to) = (module.svma(start).0, module.svma(end).0);
    let statics = metadata.statics();
    let first = statics.partition_point(|record| record.svma < from);
    let within = statics.get(first..).unwrap_or(&[]).iter().take_while(|record| record.svma < to);
    within.into_iter().try_for_each(|record| f(StaticHit { module, record }))
}

impl StaticHit {
    /// Start.
    #[must_use]
    pub fn base(&self) -> Avma {
        self.module.avma(Svma(self.record.svma))
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.record.size as usize
    }

    /// Its type; `None` for a symbol without debug information.
    #[must_use]
    pub fn ty(&self) -> Option<TypeRef> {
        if self.record.ty == TypeId::NONE {
            return None;
        }
        types::intern(self.module.metadata?, self.record.ty)
    }

    /// Its name; `None` for a literal.
    #[must_use]
    pub fn name(&self) -> Option<&'static CStr> {
        let name = intern::text(self.module.metadata?, self.record.name);
        (!name.is_empty()).then_some(name)
    }
}
