//! Reads numbers and texts one behind the other, never beyond the end of the file. Knows no order of them.

/// A file ends before what it is said to hold.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ShortFile {
    /// Something reaches beyond the end.
    #[error(
        "cut off or damaged: {what} at byte {place} has {needed} bytes, but the file ends at {bytes}; fetch or copy it again"
    )]
    CutOff {
        /// What is being read.
        what: &'static str,
        /// Where it begins.
        place: usize,
        /// How long it is said to be.
        needed: u64,
        /// The size of the file.
        bytes: usize,
    },
    /// More things than the file has room for.
    #[error("damaged: it is said to have {count} {what}, but has room for {most} at most; fetch or copy it again")]
    Count {
        /// What is counted.
        what: &'static str,
        /// The number the file states.
        count: u64,
        /// The largest number that the rest of the file has room for.
        most: u64,
    },
}

/// A place in the bytes of a file.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    pub fn place(&self) -> usize {
        self.place
    }

    /// How many bytes are left.
    fn left(&self) -> usize {
        self.bytes.len() - self.place
    }

    /// The next `length` bytes. `what` they are is told where the file ends before they do.
    pub fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], ShortFile> {
        let cut_off = ShortFile::CutOff { what, place: self.place, needed: length, bytes: self.bytes.len() };
        let Ok(length) = usize::try_from(length) else { return Err(cut_off) };
        let Some((taken, _)) = self.bytes[self.place..].split_at_checked(length) else { return Err(cut_off) };
        self.place += length;
        Ok(taken)
    }

    /// The next `SIZE` bytes.
    pub fn array<const SIZE: usize>(&mut self, what: &'static str) -> Result<[u8; SIZE], ShortFile> {
        let taken = self.take(SIZE as u64, what)?;
        Ok(*taken.first_chunk().expect("as many bytes as were asked for"))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, ShortFile> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, ShortFile> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A length of 64 bits and so many bytes, which need not be UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<&'a [u8], ShortFile> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// The bytes from an earlier place up to this one.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.place]
    }

    /// A number of things of which each takes at least `smallest` bytes: no more than the rest of the file has room for.
    pub fn count(&mut self, what: &'static str, smallest: u64) -> Result<usize, ShortFile> {
        let count = self.u64(what)?;
        let most = self.left() as u64 / smallest;
        if count > most {
            return Err(ShortFile::Count { what, count, most });
        }
        Ok(count as usize)
    }
}
