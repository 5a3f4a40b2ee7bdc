//! Run folders on a real disk.
