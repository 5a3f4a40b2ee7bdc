//! The memory map of a weight file: the one place in this crate that the compiler cannot check. Knows no format.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use memmap2::{Mmap, MmapOptions};

/// The bytes of a file, brought into memory as they are touched.
#[allow(unsafe_code)]
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    // SAFETY: the map is read-only and private, and it is dropped as soon as the values have been copied out, or with the model
    // whose caller asked for values that stay in their file (`MappedValues`). Nothing here writes to a file under its final
    // name: saving replaces the name (`replace.rs`) and leaves the mapped file as it was. What remains is another program that
    // changes the file in place or cuts it short meanwhile: that ends this process (SIGBUS), as with any map.
    unsafe { MmapOptions::new().map_copy_read_only(&file) }
}

/// Values of single precision that stay in their file.
pub(crate) struct MappedValues {
    map: Arc<Mmap>,
    range: Range<usize>,
}

impl MappedValues {
    /// The values in these bytes of a file; none where they do not lie as the machine reads them.
    pub fn new(map: &Arc<Mmap>, range: Range<usize>) -> Option<Self> {
        let bytes = &map[range.clone()];
        let is_aligned = bytes.as_ptr().cast::<f32>().is_aligned() && bytes.len().is_multiple_of(size_of::<f32>());
        (cfg!(target_endian = "little") && is_aligned).then(|| Self { map: Arc::clone(map), range })
    }
}

impl AsRef<[f32]> for MappedValues {
    #[allow(unsafe_code)]
    fn as_ref(&self) -> &[f32] {
        let bytes = &self.map[self.range.clone()];
        // SAFETY: `new` found the start aligned and the length a multiple of the size, the map does not move, and any four bytes are a value.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / size_of::<f32>()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_lie_across_are_not_left_in_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values");
        let bytes: Vec<u8> = [1.0f32, -2.5, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(&path, bytes).unwrap();
        let map = Arc::new(map(&path).unwrap());
        assert_eq!(MappedValues::new(&map, 4..12).unwrap().as_ref(), [-2.5, 3.0]);
        assert!(MappedValues::new(&map, 2..6).is_none());
        assert!(MappedValues::new(&map, 4..10).is_none());
        assert_eq!(MappedValues::new(&map, 12..12).unwrap().as_ref(), [0.0; 0]);
    }
}
