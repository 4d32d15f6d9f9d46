//! Where two files differ: which member of which archive, which section of which ELF file, which line.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result};
use duct::cmd;
use flate2::read::GzDecoder;
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};

/// All differences, each as a line that starts with the way to the place.
pub(super) fn compare(name: &str, first: &[u8], second: &[u8]) -> Result<Vec<String>> {
    if first == second {
        return Ok(Vec::new());
    }
    let parts = match (parts(first), parts(second)) {
        (Some(first), Some(second)) => (first?, second?),
        _ => return Ok(vec![format!("{name}: {}", place(first, second))]),
    };
    let found = members(name, &parts.0, &parts.1)?;
    // What is not in a part is a header, or how it was compressed.
    let outside = || vec![format!("{name}: its parts are equal; {}", place(first, second))];
    Ok(if found.is_empty() { outside() } else { found })
}

/// The parts of a file that has some, by name, in their order.
type Parts = Vec<(String, Vec<u8>)>;

fn members(name: &str, first: &Parts, second: &Parts) -> Result<Vec<String>> {
    let names = |parts: &Parts| parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let theirs: BTreeMap<&String, &Vec<u8>> = second.iter().map(|(name, bytes)| (name, bytes)).collect();
    let mut found = Vec::new();
    for (part, bytes) in first {
        match theirs.get(part) {
            None => found.push(format!("{name} / {part}: only the first has it")),
            Some(other) => found.extend(compare(&format!("{name} / {part}"), bytes, other)?),
        }
    }
    let ours = names(first);
    let more = names(second).into_iter().filter(|part| !ours.contains(part));
    found.extend(more.map(|part| format!("{name} / {part}: only the second has it")));
    if found.is_empty() && ours != names(second) {
        found.push(format!("{name}: its parts have another order"));
    }
    Ok(found)
}

fn parts(bytes: &[u8]) -> Option<Result<Parts>> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"\x1f\x8b") {
        let mut unpacked = Vec::new();
        let read = GzDecoder::new(bytes).read_to_end(&mut unpacked).context("cannot unpack");
        // The time, flags and system that gzip notes.
        let header = bytes.get(3..10).unwrap_or_default().to_vec();
        Some(read.map(|_| vec![("gzip header".into(), header), ("unpacked".into(), unpacked)]))
    } else if starts(b"\xfd7zXZ\0") {
        let unpacked = cmd!("xz", "--decompress", "--stdout").stdin_bytes(bytes).stdout_capture().run();
        Some(unpacked.context("cannot run xz").map(|done| vec![("unpacked".into(), done.stdout)]))
    } else if starts(b"!<arch>\n") {
        Some(of_ar(bytes))
    } else if bytes.get(257..262) == Some(b"ustar") {
        Some(of_tar(bytes))
    } else if starts(b"\x7fELF") {
        Some(of_elf(bytes))
    } else {
        None
    }
}

fn of_ar(bytes: &[u8]) -> Result<Parts> {
    let mut parts = Parts::new();
    for member in ArchiveFile::parse(bytes)?.members() {
        let member = member?;
        let name = String::from_utf8_lossy(member.name()).into_owned();
        let data = |value: Option<u64>| value.unwrap_or_default();
        let about = (data(member.date()), data(member.uid()), data(member.gid()), data(member.mode()));
        let about = format!("date {}, owner {}:{}, mode {:o}", about.0, about.1, about.2, about.3);
        parts.push((format!("{name} (entry)"), about.into()));
        parts.push((name, member.data(bytes)?.to_vec()));
    }
    Ok(parts)
}

fn of_tar(bytes: &[u8]) -> Result<Parts> {
    let mut parts = Parts::new();
    for entry in tar::Archive::new(bytes).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let header = entry.header();
        let about = format!(
            "kind {:?}, mode {:o}, owner {}:{}, date {}, to {}",
            header.entry_type(),
            header.mode()?,
            header.uid()?,
            header.gid()?,
            header.mtime()?,
            String::from_utf8_lossy(&header.link_name_bytes().unwrap_or_default()),
        );
        parts.push((format!("{name} (entry)"), about.into()));
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents)?;
        parts.push((name, contents));
    }
    Ok(parts)
}

fn of_elf(bytes: &[u8]) -> Result<Parts> {
    let file = object::File::parse(bytes)?;
    let mut parts = Parts::new();
    for section in file.sections() {
        let name = section.name().unwrap_or("without a name");
        let at = format!("address {:#x}, {} bytes", section.address(), section.size());
        parts.push((format!("section {name} (place)"), at.into()));
        // As it is in the file: one that is wholly different must not be unpacked to say so.
        parts.push((format!("section {name}"), section.data().unwrap_or_default().to_vec()));
    }
    Ok(parts)
}

/// The first place where two files without parts differ: the line of a text, or else the byte.
fn place(first: &[u8], second: &[u8]) -> String {
    if let (Ok(first), Ok(second)) = (str::from_utf8(first), str::from_utf8(second)) {
        let (mut ours, mut theirs) = (first.lines(), second.lines());
        for number in 1.. {
            match (ours.next(), theirs.next()) {
                (None, None) => break,
                (ours, theirs) if ours != theirs => {
                    let quoted = |line: Option<&str>| {
                        line.map_or("nothing".into(), |line| format!("`{}`", shortened(line)))
                    };
                    return format!("line {number}: {} against {}", quoted(ours), quoted(theirs));
                }
                _ => {}
            }
        }
    }
    let at = first.iter().zip(second).take_while(|(ours, theirs)| ours == theirs).count();
    format!("from byte {at} on, of {} and {}", first.len(), second.len())
}

fn shortened(line: &str) -> String {
    line.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};
    use std::fs;
    use std::io::Write;

    fn tar(members: &[(&str, u64, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, date, bytes) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mtime(*date);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gz(bytes: &[u8], date: u32) -> Vec<u8> {
        let mut packed = GzBuilder::new().mtime(date).write(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn check(first: &[u8], second: &[u8], expected: &[&str]) {
        assert_eq!(compare("x", first, second).unwrap(), expected);
    }

    #[test]
    fn a_planted_difference_is_named() {
        let usual = tar(&[("a", 1, b"one\ntwo\n"), ("b", 1, b"\0")]);
        check(&gz(&usual, 0), &gz(&usual, 0), &[]);
        check(&gz(&usual, 0), &gz(&usual, 7), &["x / gzip header: from byte 1 on, of 7 and 7"]);
        let other = tar(&[("a", 1, b"one\nTwo\n"), ("b", 2, b"\xff")]);
        check(
            &gz(&usual, 0),
            &gz(&other, 0),
            &[
                "x / unpacked / a: line 2: `two` against `Two`",
                "x / unpacked / b (entry): line 1: `kind Regular, mode 644, owner 0:0, date 1, to ` against `kind Regular, mode 644, owner 0:0, date 2, to `",
                "x / unpacked / b: from byte 0 on, of 1 and 1",
            ],
        );
        let fewer = tar(&[("b", 1, b"\0")]);
        check(&usual, &fewer, &["x / a (entry): only the first has it", "x / a: only the first has it"]);
        let turned = tar(&[("b", 1, b"\0"), ("a", 1, b"one\ntwo\n")]);
        check(&usual, &turned, &["x: its parts have another order"]);
    }

    #[test]
    fn a_changed_byte_of_a_program_is_in_its_section() {
        let first = fs::read("/proc/self/exe").unwrap();
        let file = object::File::parse(&*first).unwrap();
        let (at, size) = file.section_by_name(".rodata").unwrap().file_range().unwrap();
        let mut second = first.clone();
        second[at as usize + 100] ^= 1;
        check(&first, &second, &[&format!("x / section .rodata: from byte 100 on, of {size} and {size}")]);
    }
}
