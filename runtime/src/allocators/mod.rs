//! The allocators that a query may come to, one file each.

pub mod allocas;
pub mod auxv;
pub mod calls;
pub mod conditions;
pub mod malloc;
pub mod mmap;
pub mod operator_new;
pub mod signal_stacks;
pub mod site_types;
pub mod stack;
pub mod statics;
pub mod thread_stacks;
pub mod vlas;
