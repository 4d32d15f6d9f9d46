//! Whether what the metadata says of a call holds: it may depend on the function that the call reaches in another file.
//!
//! The link step knew another file, or none. What counts is the function that the dynamic linker chose, and what the metadata
//! of its file says that it does.

use allocs_metadata::ConditionRecord;

use crate::avma::Avma;
use crate::modules::{self, Module, Svma, open};
use crate::types::TypedFile;

/// Whether all conditions of a call hold now. Most calls have none.
#[must_use]
pub fn hold(module: &Module, file: &TypedFile, return_svma: Svma) -> bool {
    file.conditions_at(return_svma.0).iter().all(|condition| holds(module, condition) == Some(true))
}

fn holds(module: &Module, condition: &ConditionRecord) -> Option<bool> {
    let callee = Avma(open::word(module, Svma(condition.slot_svma))?);
    let module = modules::at_without_lock(callee)?;
    let wrapper = module.metadata?.wrapper_at(module.svma(callee).0)?;
    Some(condition.holds_for(wrapper))
}
