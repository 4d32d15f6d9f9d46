//! Functions of the C library that allocate a string for their caller: the site is the caller's, not the library's.
//!
//! Inside, the C library calls `malloc` or `realloc`, that is ours, which enters the block for a site in the C library.
//! When the real function is back, the block is handed to the caller's site.
//!
//! # Safety
//! The real functions get the program's own arguments. The pointers that they store through are read back only after they
//! succeeded, or where the program must have set them.
#![allow(unsafe_code)]

use crate::avma::Avma;
use crate::caller::Caller;
use crate::index::pools;
use crate::index::sites::{self, Key};
use crate::index::{self, SiteIndex};
use crate::interpose::lazy::Lazy;
use crate::interpose::{call_site, entry, note};
use crate::sys::lookup;
use allocs_metadata::Heap;
use core::arch::naked_asm;
use core::ffi::{c_char, c_int, c_void};

/// Whether this library stands before the C library in load order, as a preloaded one does and one opened by `dlopen`
/// does not.
///
/// Asked of a function that nobody but the C library and we define: another preloaded library may stand before us with
/// a `malloc` that calls ours.
#[must_use]
pub fn is_before_libc() -> bool {
    lookup::in_use(c"canonicalize_file_name") == canonicalize_file_name as *mut c_void
}

/// Hands the block at `p`, fresh from the C library, to the site of the caller.
fn adopt(p: *const c_void, caller: Caller) {
    adopt_from(p, SiteIndex::UNKNOWN, caller);
}

/// Hands the block at `p` to the site of the caller; `before` is the site of the block that it was reallocated from.
fn adopt_from(p: *const c_void, before: SiteIndex, caller: Caller) {
    let base = Avma::of(p);
    let site = || {
        let key = Key::string(call_site::find(caller).return_address);
        match before {
            SiteIndex::UNKNOWN => sites::find_or_insert(key),
            before => sites::reallocated(before, key),
        }
    };
    if let Some(block) = index::block_at_base(base) {
        note::change_site(&block, site());
    } else if let Some(object) = pools::object_at_base(base).filter(|object| object.heap == Heap::Malloc) {
        // The C library calls a malloc of the program's own.
        note::change_site_of_object(&object, site());
    }
}

/// Functions of one pointer or of a pointer and a number, which return the new string.
macro_rules! returning {
    ($($(#[$doc:meta])* $name:ident, $from:ident, $c_name:literal, ($($argument:ident: $type:ty),*), $sp:literal, $bp:literal;)*) => {
        $(
            entry! { $(#[$doc])* $name => $from, $sp, $bp }

            extern "C" fn $from($($argument: $type,)* caller: Caller) -> *mut c_void {
                static REAL: Lazy = Lazy::new($c_name);
                // SAFETY: the type is that of the C library's function.
                let Some(real) = (unsafe { REAL.get::<unsafe extern "C" fn($($type),*) -> *mut c_void>() }) else {
                    return core::ptr::null_mut();
                };
                // SAFETY: the program's arguments.
                let p = unsafe { real($($argument),*) };
                adopt(p, caller);
                p
            }
        )*
    };
}

returning! {
    /// `strdup(s)`.
    strdup, strdup_from, c"strdup", (s: *const c_char), "rsi", "rdx";
    /// `__strdup(s)`, which old headers call.
    __strdup, old_strdup_from, c"__strdup", (s: *const c_char), "rsi", "rdx";
    /// `strndup(s, n)`.
    strndup, strndup_from, c"strndup", (s: *const c_char, n: usize), "rdx", "rcx";
    /// `__strndup(s, n)`, which old headers call.
    __strndup, old_strndup_from, c"__strndup", (s: *const c_char, n: usize), "rdx", "rcx";
    /// `tempnam(dir, prefix)`.
    tempnam, tempnam_from, c"tempnam", (dir: *const c_char, prefix: *const c_char), "rdx", "rcx";
    /// `canonicalize_file_name(path)`.
    canonicalize_file_name, canonicalize_from, c"canonicalize_file_name", (path: *const c_char), "rsi", "rdx";
    /// `get_current_dir_name()`.
    get_current_dir_name, current_dir_from, c"get_current_dir_name", (), "rdi", "rsi";
}

/// Functions that return the new string only if the caller gave no buffer.
macro_rules! returning_unless_given {
    ($($(#[$doc:meta])* $name:ident, $from:ident, $c_name:literal, $buffer:ident, ($($argument:ident: $type:ty),*), $sp:literal, $bp:literal;)*) => {
        $(
            entry! { $(#[$doc])* $name => $from, $sp, $bp }

            extern "C" fn $from($($argument: $type,)* caller: Caller) -> *mut c_void {
                static REAL: Lazy = Lazy::new($c_name);
                // SAFETY: the type is that of the C library's function.
                let Some(real) = (unsafe { REAL.get::<unsafe extern "C" fn($($type),*) -> *mut c_void>() }) else {
                    return core::ptr::null_mut();
                };
                // SAFETY: the program's arguments.
                let p = unsafe { real($($argument),*) };
                if $buffer.is_null() {
                    adopt(p, caller);
                }
                p
            }
        )*
    };
}

returning_unless_given! {
    /// `getcwd(buffer, size)`.
    getcwd, getcwd_from, c"getcwd", buffer, (buffer: *mut c_char, size: usize), "rdx", "rcx";
    /// `realpath(path, resolved)`.
    realpath, realpath_from, c"realpath", resolved, (path: *const c_char, resolved: *mut c_char), "rdx", "rcx";
}

entry! {
    /// `getline(line, size, stream)`.
    getline => getline_from, "rcx", "r8"
}
entry! {
    /// `getdelim(line, size, delimiter, stream)`.
    getdelim => getdelim_from, "r8", "r9"
}
entry! {
    /// `__getdelim(line, size, delimiter, stream)`, which old headers call.
    __getdelim => getdelim_from, "r8", "r9"
}
entry! {
    /// `vasprintf(out, format, arguments)`.
    vasprintf => vasprintf_from, "rcx", "r8"
}
entry! {
    /// `__vasprintf_chk(out, flag, format, arguments)`, which fortified programs call.
    __vasprintf_chk => vasprintf_chk_from, "r8", "r9"
}

extern "C" fn getline_from(
    line: *mut *mut c_void,
    size: *mut usize,
    stream: *mut c_void,
    caller: Caller,
) -> isize {
    getdelim_from(line, size, c_int::from(b'\n'), stream, caller)
}

extern "C" fn getdelim_from(
    line: *mut *mut c_void,
    size: *mut usize,
    delimiter: c_int,
    stream: *mut c_void,
    caller: Caller,
) -> isize {
    type Getdelim = unsafe extern "C" fn(*mut *mut c_void, *mut usize, c_int, *mut c_void) -> isize;
    static REAL: Lazy = Lazy::new(c"getdelim");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<Getdelim>() }) else { return -1 };
    // SAFETY: the program must have set it; NULL is refused by the real function.
    let buffer = if line.is_null() { core::ptr::null_mut() } else { unsafe { *line } };
    let before = index::block_at_base(Avma::of(buffer));
    // SAFETY: the program's arguments.
    let length = unsafe { real(line, size, delimiter, stream) };
    if !line.is_null() {
        // SAFETY: still the program's pointer, which the real function may have changed.
        let after = unsafe { *line };
        let is_same = index::block_at_base(Avma::of(after)).is_none_or(|block| Some(block) == before);
        if !is_same {
            adopt_from(after, before.map_or(SiteIndex::UNKNOWN, |block| block.site), caller);
        }
    }
    length
}

extern "C" fn vasprintf_from(
    out: *mut *mut c_void,
    format: *const c_char,
    arguments: *mut c_void,
    caller: Caller,
) -> c_int {
    type Vasprintf = unsafe extern "C" fn(*mut *mut c_void, *const c_char, *mut c_void) -> c_int;
    static REAL: Lazy = Lazy::new(c"vasprintf");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<Vasprintf>() }) else { return -1 };
    // SAFETY: the program's arguments.
    adopt_printed(unsafe { real(out, format, arguments) }, out, caller)
}

extern "C" fn vasprintf_chk_from(
    out: *mut *mut c_void,
    flag: c_int,
    format: *const c_char,
    arguments: *mut c_void,
    caller: Caller,
) -> c_int {
    type VasprintfChk = unsafe extern "C" fn(*mut *mut c_void, c_int, *const c_char, *mut c_void) -> c_int;
    static REAL: Lazy = Lazy::new(c"__vasprintf_chk");
    // SAFETY: the type is that of the C library's function.
    let Some(real) = (unsafe { REAL.get::<VasprintfChk>() }) else { return -1 };
    // SAFETY: the program's arguments.
    adopt_printed(unsafe { real(out, flag, format, arguments) }, out, caller)
}

fn adopt_printed(length: c_int, out: *mut *mut c_void, caller: Caller) -> c_int {
    if length >= 0 {
        // SAFETY: the real function succeeded, so it has stored the string there.
        adopt(unsafe { *out }, caller);
    }
    length
}

/// Defines a variadic function that gathers its arguments for one that takes a `va_list`.
///
/// The frame: a `va_list` of 24 bytes at `rsp`, at `rsp + 32` the 176 bytes of the register save area of the psABI, in
/// all 216 with the padding that aligns the stack. `$named` is 8 times the number of named arguments; the `va_list` and the
/// return address go to the two argument registers behind those.
macro_rules! variadic {
    ($($(#[$doc:meta])* $name:ident => $target:ident, $named:literal, $list:literal, $sp:literal, $bp:literal;)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            pub extern "C" fn $name() {
                naked_asm!(
                    ".cfi_startproc",
                    "sub rsp, 216",
                    ".cfi_adjust_cfa_offset 216",
                    "mov [rsp + 32], rdi",
                    "mov [rsp + 40], rsi",
                    "mov [rsp + 48], rdx",
                    "mov [rsp + 56], rcx",
                    "mov [rsp + 64], r8",
                    "mov [rsp + 72], r9",
                    "test al, al",
                    "je 2f",
                    "movaps [rsp + 80], xmm0",
                    "movaps [rsp + 96], xmm1",
                    "movaps [rsp + 112], xmm2",
                    "movaps [rsp + 128], xmm3",
                    "movaps [rsp + 144], xmm4",
                    "movaps [rsp + 160], xmm5",
                    "movaps [rsp + 176], xmm6",
                    "movaps [rsp + 192], xmm7",
                    "2:",
                    concat!("mov dword ptr [rsp], ", $named),
                    "mov dword ptr [rsp + 4], 48",
                    "lea rax, [rsp + 224]",
                    "mov [rsp + 8], rax",
                    "lea rax, [rsp + 32]",
                    "mov [rsp + 16], rax",
                    concat!("mov ", $list, ", rsp"),
                    concat!("lea ", $sp, ", [rsp + 216]"),
                    concat!("mov ", $bp, ", rbp"),
                    "call {target}",
                    "add rsp, 216",
                    ".cfi_adjust_cfa_offset -216",
                    "ret",
                    ".cfi_endproc",
                    target = sym $target,
                )
            }
        )*
    };
}

variadic! {
    /// `asprintf(out, format, ...)`.
    asprintf => vasprintf_from, "16", "rdx", "rcx", "r8";
    /// `__asprintf(out, format, ...)`, which old headers call.
    __asprintf => vasprintf_from, "16", "rdx", "rcx", "r8";
    /// `__asprintf_chk(out, flag, format, ...)`, which fortified programs call.
    __asprintf_chk => vasprintf_chk_from, "24", "rcx", "r8", "r9";
}
