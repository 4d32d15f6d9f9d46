//! The threads of this process as the kernel lists them, and what it says of each.
//!
//! # Safety
//! The kernel writes directory entries up to the buffer's size, and one word behind each pointer to a word.
#![allow(unsafe_code)]

use core::ops::ControlFlow;

use super::file::Fd;
use super::process::Tid;
use super::syscall::{Call, syscall};
use crate::avma::Avma;

/// Calls `f` with each thread until it breaks, perhaps with some more than once. Threads that start or end meanwhile may be left
/// out.
pub fn each<B>(mut f: impl FnMut(Tid) -> ControlFlow<B>) -> Option<B> {
    /// Where threads end all the time, one list may be as short as the one before.
    const MOST_LISTS: usize = 16;
    for _ in 0..MOST_LISTS {
        let fd = Fd::open(c"/proc/self/task").ok()?;
        let before = subdirectories(&fd);
        let mut listed = 0;
        let found = list(&fd, |tid| {
            listed += 1;
            f(tid)
        });
        // The kernel's list stops at a thread that ends at that moment.
        if found.is_some() || listed >= before.max(subdirectories(&fd)) {
            return found;
        }
    }
    None
}

/// How many directories are in a directory; 0 where the file system does not say.
fn subdirectories(fd: &Fd) -> u64 {
    const OWN_LINKS: u64 = 2;
    fd.links().map_or(0, |links| links.saturating_sub(OWN_LINKS))
}

fn list<B>(fd: &Fd, mut f: impl FnMut(Tid) -> ControlFlow<B>) -> Option<B> {
    let mut buffer = [0u64; 128];
    loop {
        let (address, room) = (buffer.as_mut_ptr() as usize, size_of_val(&buffer));
        // SAFETY: the kernel writes at most `room` bytes of the buffer.
        let filled = unsafe { syscall(Call::Getdents64, [fd.number() as usize, address, room, 0, 0, 0]) };
        let filled = filled.ok().filter(|&n| n > 0)?;
        // SAFETY: the words are initialised, and bytes need no alignment.
        let bytes = unsafe { core::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), filled.min(room)) };
        for tid in tids(bytes) {
            if let ControlFlow::Break(found) = f(tid) {
                return Some(found);
            }
        }
    }
}

/// The names that are numbers, of `struct linux_dirent64`s: 16 bytes, the entry's length, a type, the name.
fn tids(mut entries: &[u8]) -> impl Iterator<Item = Tid> {
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    core::iter::from_fn(move || {
        let length = u16::from_le_bytes([*entries.get(LENGTH)?, *entries.get(LENGTH + 1)?]);
        let (entry, rest) = entries.split_at_checked(length.into())?;
        entries = rest;
        entry.get(NAME..)
    })
    .filter_map(|name| {
        let digits = name.iter().take_while(|&&byte| byte != 0);
        digits.copied().try_fold(0u32, |number, byte| {
            let digit = (byte as char).to_digit(10)?;
            number.checked_mul(10)?.checked_add(digit)
        })
    })
    .filter(|&number| number != 0)
    .map(Tid)
}

/// The head of a thread's list of robust mutexes. The C library tells the kernel of it when the thread starts, and the kernel
/// forgets it when the thread ends, before it lets those who wait for the end go on.
#[must_use]
pub fn robust_list(tid: Tid) -> Option<Avma> {
    let (mut head, mut len) = (0usize, 0usize);
    let (head_at, len_at) = (&raw mut head as usize, &raw mut len as usize);
    // SAFETY: the kernel writes a pointer and a size.
    unsafe { syscall(Call::GetRobustList, [tid.0 as usize, head_at, len_at, 0, 0, 0]) }.ok()?;
    Some(Avma(head)).filter(|head| !head.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process;
    use std::vec::Vec;

    fn all() -> Vec<u32> {
        let mut found = Vec::new();
        let end: Option<()> = each(|tid| {
            found.push(tid.0);
            ControlFlow::Continue(())
        });
        assert_eq!(end, None);
        found
    }

    #[test]
    fn threads_that_end_do_not_hide_others() {
        let (told, asked) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Those that end stand before the one that is looked for.
            let start = || {
                while !is_over.load(core::sync::atomic::Ordering::Relaxed) {
                    std::thread::scope(|scope| drop(scope.spawn(|| ())));
                }
            };
            scope.spawn(start);
            scope.spawn(start);
            let last = scope.spawn(move || {
                told.send(process::tid()).unwrap();
                let _ = ended.recv();
            });
            let tid = asked.recv().unwrap();
            let missed = (0..20_000).filter(|_| !all().contains(&tid.0)).count();
            is_over.store(true, core::sync::atomic::Ordering::Relaxed);
            drop(end);
            last.join().unwrap();
            assert_eq!(missed, 0);
        });
    }

    #[test]
    fn live_threads_are_listed_and_ended_ones_have_no_list() {
        let (told, asked) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        // More than fit the buffer at once.
        let threads: Vec<_> = (0..60)
            .map(|_| {
                let told = told.clone();
                std::thread::spawn(move || told.send((process::tid(), robust_list(process::tid()))).unwrap())
            })
            .collect();
        let lists: Vec<_> = (0..60).map(|_| asked.recv().unwrap()).collect();
        assert!(lists.iter().all(|(_, list)| list.is_some()));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(lists.iter().all(|&(tid, list)| robust_list(tid) != list));
        let (told, asked) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            told.send(process::tid()).unwrap();
            let _ = ended.recv();
        });
        let tid = asked.recv().unwrap();
        assert!(all().contains(&tid.0) && all().contains(&process::tid().0));
        drop(end);
        thread.join().unwrap();
    }

    #[test]
    fn names_that_are_no_numbers_and_cut_entries_are_passed_over() {
        let entry = |name: &[u8]| {
            let mut bytes = std::vec![0; 16];
            bytes.extend([24 + 8 * (name.len() as u8 / 8), 0, 4]);
            bytes.extend(name);
            bytes.resize(bytes[16].into(), 0);
            bytes
        };
        let mut bytes =
            [entry(b"."), entry(b".."), entry(b"12"), entry(b"4294967295"), entry(b"99999999999")].concat();
        assert_eq!(tids(&bytes).map(|tid| tid.0).collect::<Vec<_>>(), [12, u32::MAX]);
        bytes.extend(&entry(b"7")[..20]);
        assert_eq!(tids(&bytes).count(), 2);
    }
}
