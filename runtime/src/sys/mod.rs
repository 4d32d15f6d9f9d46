//! Everything that the library asks of the kernel and of the C library.
//!
//! System calls are made directly, so they neither touch the program's `errno` nor can be intercepted by it. The C
//! library is called for what only it knows (symbols, loaded files); [`libc`] lists those functions with what each may do.

pub mod errno;
pub mod file;
pub mod libc;
pub mod links;
pub mod loaded;
pub mod lookup;
pub mod memory;
pub mod process;
pub mod signal;
pub mod slots;
pub mod syscall;
pub mod tasks;
pub mod threads;

pub use errno::Errno;
