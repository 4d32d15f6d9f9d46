//! Spells a census: one JSON object a line, the last of them the summary.

use crate::census::table::{Line, Verdict, add};
use crate::hooks::SiteDescription;
use crate::index::sites::Totals;
use crate::sys::Errno;
use crate::sys::file::Fd;
use core::fmt::{self, Write};

/// Writes all lines and the summary.
pub fn write(file: &Fd, lines: &[Line]) -> Result<(), Errno> {
    let mut output = Output { file, buffer: [0; 1024], used: 0, result: Ok(()) };
    // Only the file can fail, and it keeps its error itself.
    let _ = print(&mut output, lines);
    output.flush();
    output.result
}

fn print(out: &mut impl Write, lines: &[Line]) -> fmt::Result {
    let mut all = Totals::default();
    let mut verdicts = [Totals::default(); 3];
    for line in lines {
        print_line(out, line)?;
        add(&mut all, line.total);
        add(&mut verdicts[line.verdict() as usize], line.total);
    }
    let of = |verdict: Verdict| verdicts[verdict as usize];
    let (typed, buffers, unknown) = (of(Verdict::Typed), of(Verdict::Buffer), of(Verdict::Unknown));
    write!(out, "{{\"summary\":{{\"allocations\":{},\"bytes\":{},", all.allocations, all.bytes)?;
    write!(out, "\"typed\":{},\"typed_bytes\":{},", typed.allocations, typed.bytes)?;
    write!(out, "\"buffers\":{},\"buffers_bytes\":{},", buffers.allocations, buffers.bytes)?;
    writeln!(out, "\"unknown\":{},\"unknown_bytes\":{}}}}}", unknown.allocations, unknown.bytes)
}

fn print_line(out: &mut impl Write, line: &Line) -> fmt::Result {
    let site = &line.site;
    write!(out, "{{\"allocator\":{},", Text(site.allocator))?;
    write!(out, "\"type\":{},\"c_type\":{},", TextOrNull(site.type_name), TextOrNull(site.c_type))?;
    write!(out, "\"site\":\"{}", Escaped(site.file))?;
    if site.line != 0 {
        write!(out, ":{}", site.line)?;
    }
    if !site.function.is_empty() {
        write!(out, " {}", Escaped(site.function))?;
    }
    write!(out, "\",\"evidence\":{},", Text(site.evidence))?;
    if site.evidence == b"none" {
        print_reason(out, site)?;
    }
    write!(out, "\"live\":{},\"live_bytes\":{},", line.live.allocations, line.live.bytes)?;
    writeln!(out, "\"total\":{},\"total_bytes\":{}}}", line.total.allocations, line.total.bytes)
}

fn print_reason(out: &mut impl Write, site: &SiteDescription) -> fmt::Result {
    write!(out, "\"reason\":\"{}", site.reason.sentence())?;
    if !site.reason_detail.is_empty() {
        write!(out, ": {}", Escaped(site.reason_detail))?;
    }
    out.write_str("\",")
}

/// A JSON string.
struct Text<'a>(&'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(self.0))
    }
}

/// A JSON string, or null for an empty one.
struct TextOrNull<'a>(&'a [u8]);

impl fmt::Display for TextOrNull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("null") } else { Text(self.0).fmt(f) }
    }
}

/// The inside of a JSON string. Bytes that are no UTF-8 become U+FFFD.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    '\0'..='\x1f' => write!(f, "\\u{:04x}", c as u32)?,
                    c => f.write_char(c)?,
                }
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// A file with a buffer before it, which keeps its first error.
struct Output<'a> {
    file: &'a Fd,
    buffer: [u8; 1024],
    used: usize,
    result: Result<(), Errno>,
}

impl Output<'_> {
    fn flush(&mut self) {
        if self.result.is_ok() {
            self.result = self.file.write_all(&self.buffer[..self.used]);
        }
        self.used = 0;
    }
}

impl Write for Output<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            if self.used == self.buffer.len() {
                self.flush();
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.buffer.len() - self.used));
            self.buffer[self.used..][..now.len()].copy_from_slice(now);
            self.used += now.len();
            bytes = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocs_metadata::Reason;
    use std::string::String;

    fn totals(allocations: u64, bytes: u64) -> Totals {
        Totals { allocations, bytes }
    }

    #[test]
    fn a_line_for_each_site_and_the_summary_last() {
        let known = SiteDescription {
            allocator: b"generic malloc",
            type_name: b"__ARR0_int$32",
            c_type: b"int []",
            file: b"a \"b\".c",
            line: 7,
            function: b"f\xff\n",
            evidence: b"sizeof",
            is_buffer: false,
            reason: Reason::None,
            reason_detail: b"",
        };
        let buffer = SiteDescription { is_buffer: true, evidence: b"receiver", ..known };
        let foreign = SiteDescription {
            reason: Reason::NoMetadata,
            reason_detail: b"lib\"x.so",
            ..SiteDescription::UNKNOWN
        };
        let lines = [
            Line { site: known, live: totals(1, 4), total: totals(3, 12) },
            Line { site: buffer, live: totals(0, 0), total: totals(1, 100) },
            Line { site: SiteDescription::UNKNOWN, live: totals(2, 9), total: totals(2, 9) },
            Line { site: foreign, live: totals(0, 0), total: totals(1, 1) },
        ];
        let mut text = String::new();
        print(&mut text, &lines).unwrap();
        let site = r#""site":"a \"b\".c:7 f�\u000a""#;
        let typed = r#""allocator":"generic malloc","type":"__ARR0_int$32","c_type":"int []","#;
        let expect = [
            std::format!(
                r#"{{{typed}{site},"evidence":"sizeof","live":1,"live_bytes":4,"total":3,"total_bytes":12}}"#
            ),
            std::format!(
                r#"{{{typed}{site},"evidence":"receiver","live":0,"live_bytes":0,"total":1,"total_bytes":100}}"#
            ),
            String::from(
                r#"{"allocator":"generic malloc","type":null,"c_type":null,"site":"","evidence":"none","reason":"there was no room to note the site","live":2,"live_bytes":9,"total":2,"total_bytes":9}"#,
            ),
            String::from(
                r#"{"allocator":"generic malloc","type":null,"c_type":null,"site":"","evidence":"none","reason":"no metadata: lib\"x.so","live":0,"live_bytes":0,"total":1,"total_bytes":1}"#,
            ),
            String::from(
                r#"{"summary":{"allocations":7,"bytes":122,"typed":3,"typed_bytes":12,"buffers":1,"buffers_bytes":100,"unknown":3,"unknown_bytes":10}}"#,
            ),
        ];
        assert_eq!(text.lines().collect::<std::vec::Vec<_>>(), expect);
    }
}
