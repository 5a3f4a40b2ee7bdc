//! A result that tasks on several threads write to, each its own pieces. Knows nothing of what is written.

use std::marker::PhantomData;

/// The values of a result, lent to all tasks at once.
#[derive(Clone, Copy)]
pub(super) struct Disjoint<'a> {
    start: *mut f32,
    len: usize,
    lent: PhantomData<&'a mut [f32]>,
}

// SAFETY: all that tasks can do is write, and what they write is disjoint: whoever makes one promises it.
unsafe impl Sync for Disjoint<'_> {}
// SAFETY: as above.
unsafe impl Send for Disjoint<'_> {}

impl<'a> Disjoint<'a> {
    /// Lends the values for as long as they are borrowed.
    ///
    /// # Safety
    /// No two tasks that run at the same time may [`write`](Self::write) to the same place.
    pub unsafe fn new(values: &'a mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), lent: PhantomData }
    }

    /// Copies `from` to the values that begin at `place`.
    #[inline(always)]
    pub fn write(self, place: usize, from: &[f32]) {
        let is_inside = place.checked_add(from.len()).is_some_and(|end| end <= self.len);
        assert!(is_inside, "disjoint writes: {} values at place {place} of {}", from.len(), self.len);
        // SAFETY: the piece lies inside of what is borrowed, and no other task writes to it, as `new` was promised.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), self.start.add(place), from.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Disjoint;

    #[test]
    fn pieces_land_where_they_belong() {
        let mut values = [0.0; 5];
        // SAFETY: one thread writes.
        let pieces = unsafe { Disjoint::new(&mut values) };
        pieces.write(3, &[1.0, 2.0]);
        pieces.write(0, &[3.0]);
        assert_eq!(values, [3.0, 0.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "disjoint writes: 2 values at place 4 of 5")]
    fn a_piece_outside_is_a_mistake() {
        let mut values = [0.0; 5];
        // SAFETY: one thread writes.
        unsafe { Disjoint::new(&mut values) }.write(4, &[1.0, 2.0]);
    }
}
