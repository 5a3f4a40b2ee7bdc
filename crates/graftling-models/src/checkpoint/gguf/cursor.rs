//! Reads numbers and texts one behind the other, never beyond the end of the file. Knows no order of them.

use super::problem::GgufProblem;

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
    pub fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], GgufProblem> {
        let cut_off = GgufProblem::CutOff { what, place: self.place, needed: length, bytes: self.bytes.len() };
        let Ok(length) = usize::try_from(length) else { return Err(cut_off) };
        let Some((taken, _)) = self.bytes[self.place..].split_at_checked(length) else { return Err(cut_off) };
        self.place += length;
        Ok(taken)
    }

    /// The next `SIZE` bytes.
    pub fn array<const SIZE: usize>(&mut self, what: &'static str) -> Result<[u8; SIZE], GgufProblem> {
        let taken = self.take(SIZE as u64, what)?;
        Ok(*taken.first_chunk().expect("as many bytes as were asked for"))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, GgufProblem> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, GgufProblem> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A length of 64 bits and so many bytes, which need not be UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<&'a [u8], GgufProblem> {
        let length = self.u64(what)?;
        self.take(length, what)
    }

    /// A text that must be UTF-8.
    pub fn name(&mut self, what: &'static str) -> Result<&'a str, GgufProblem> {
        let place = self.place;
        let bytes = self.text(what)?;
        std::str::from_utf8(bytes).map_err(|_| GgufProblem::NotUtf8 { what: format!("{what} at byte {place}") })
    }

    /// The bytes from an earlier place up to this one.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.place]
    }

    /// A number of things of which each takes at least `smallest` bytes: no more than the rest of the file has room for.
    pub fn count(&mut self, what: &'static str, smallest: u64) -> Result<usize, GgufProblem> {
        let count = self.u64(what)?;
        let most = self.left() as u64 / smallest;
        if count > most {
            return Err(GgufProblem::Count { what, count, most });
        }
        Ok(count as usize)
    }
}
