//! Numbers without a sign in LEB128, as DWARF and our own facts have them.

use anyhow::{Result, ensure};

/// Appends a number: seven bits a byte from the lowest, the top bit set on all but the last.
pub(crate) fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A number alone.
pub(crate) fn encoded(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    push(&mut bytes, number);
    bytes
}

/// A number in exactly so many bytes. An error if it needs more.
pub(crate) fn padded(number: usize, width: usize) -> Result<Vec<u8>> {
    let mut bytes = encoded(number as u64);
    ensure!(bytes.len() <= width, "{number:#x} has no room in {width} bytes of LEB128");
    if let (true, Some(last)) = (bytes.len() < width, bytes.last_mut()) {
        *last |= 0x80;
        bytes.resize(width - 1, 0x80);
        bytes.push(0);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_width_or_fail() {
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(0x3e0e), [0x8e, 0x7c]);
        assert_eq!(padded(5, 1).unwrap(), [5]);
        assert_eq!(padded(5, 3).unwrap(), [0x85, 0x80, 0]);
        assert!(padded(0x80, 1).is_err());
    }
}
