//! Bytes at an address that is a multiple of 8, as the reader of metadata wants them.

/// A copy of bytes that is aligned to 8.
pub struct Aligned {
    storage: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    /// Copies bytes.
    #[must_use]
    pub fn copy(bytes: &[u8]) -> Aligned {
        let mut storage = vec![0; bytes.len() + 7];
        let start = storage.as_ptr().align_offset(8).min(7);
        storage[start..start + bytes.len()].copy_from_slice(bytes);
        Aligned { storage, start, length: bytes.len() }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.storage[self.start..self.start + self.length]
    }
}
