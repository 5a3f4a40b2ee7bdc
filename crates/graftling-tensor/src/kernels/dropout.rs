//! dropout
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropoutKey {
    pub threshold: u32,
    pub scale: f32,
    pub key: u64,
}
impl DropoutKey {
    pub fn new(seed: u64, index: u64, probability: f32) -> Self {
        unimplemented!()
    }
}
