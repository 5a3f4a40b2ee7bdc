//! The memory map of a weight file: the one place in this crate that the compiler cannot check. Knows no format.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// The bytes of a file, brought into memory as they are touched.
#[allow(unsafe_code)]
pub(super) fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    // SAFETY: the map is read-only and private, and it is dropped as soon as the values have been copied out. Nothing here
    // writes to a file under its final name: saving replaces the name (`replace.rs`) and leaves the mapped file as it was.
    // What remains is another program that cuts the file short meanwhile: that ends this process (SIGBUS), as with any map.
    unsafe { Mmap::map(&file) }
}
