//! The smallest ELF file that holds given sections.

/// Address and size of the code section of every file that [`build`] makes.
pub const CODE: (u64, u64) = (0x1000, 0x1000);

/// A shared object with a code section and these sections.
pub fn build(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const HEADER: usize = 64;
    const SHT_PROGBITS: u32 = 1;
    const SHT_STRTAB: u32 = 3;
    const SHT_NOBITS: u32 = 8;
    const ALLOC_AND_EXECUTE: u64 = 6;
    let mut names = vec![0];
    let mut name = |s: &str| {
        let at = names.len() as u32;
        names.extend_from_slice(s.as_bytes());
        names.push(0);
        at
    };
    let mut bytes = vec![0; HEADER];
    // (name, type, flags, address, offset, size)
    let mut headers = vec![(0, 0, 0, 0, 0, 0)];
    headers.push((name(".text"), SHT_NOBITS, ALLOC_AND_EXECUTE, CODE.0, HEADER as u64, CODE.1));
    for (section, content) in sections {
        headers.push((name(section), SHT_PROGBITS, 0, 0, bytes.len() as u64, content.len() as u64));
        bytes.extend_from_slice(content);
    }
    let own = name(".shstrtab");
    headers.push((own, SHT_STRTAB, 0, 0, bytes.len() as u64, names.len() as u64));
    bytes.extend_from_slice(&names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let table = bytes.len() as u64;
    for (name, kind, flags, address, offset, size) in &headers {
        bytes.extend_from_slice(&u32::to_le_bytes(*name));
        bytes.extend_from_slice(&u32::to_le_bytes(*kind));
        for word in [*flags, *address, *offset, *size, 0, 1, 0] {
            bytes.extend_from_slice(&u64::to_le_bytes(word));
        }
    }
    // Ident: 64 bits, little-endian, version 1; type ET_DYN, machine x86-64, version 1.
    bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    bytes[16..24].copy_from_slice(&[3, 0, 62, 0, 1, 0, 0, 0]);
    bytes[40..48].copy_from_slice(&table.to_le_bytes());
    let counts = [64, 0, 0, 64, headers.len() as u16, headers.len() as u16 - 1];
    for (i, count) in counts.into_iter().enumerate() {
        bytes[52 + 2 * i..54 + 2 * i].copy_from_slice(&count.to_le_bytes());
    }
    bytes
}
