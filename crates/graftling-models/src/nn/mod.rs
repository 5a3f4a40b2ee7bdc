//! The bricks that every family is built from: maths over graph values. Knows no family, no file and no recipe.

pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod declarations;
pub(crate) mod distances;
pub(crate) mod embeddings;
pub(crate) mod feed_forward;
pub(crate) mod heads;
pub(crate) mod layer;
pub(crate) mod linear;
pub(crate) mod memory;
pub(crate) mod mixing;
pub(crate) mod norm;
pub(crate) mod recurrence;
pub(crate) mod rotary;
pub(crate) mod stack;
pub(crate) mod transform;
