//! Chooses vector instructions at run time. Knows no arithmetic.
//!
//! A loop is written once, in plain Rust, and compiled three times: [`dispatch`] runs it in the copy for the widest
//! instructions that this machine has. Inside, [`multiply_add`](f32::mul_add) is one instruction on every level but the portable one on x86-64.

use std::sync::OnceLock;

/// The instruction sets that loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// 512-bit vectors with fused multiply-add (x86-64-v4).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 256-bit vectors with fused multiply-add (x86-64-v3).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the target has from the start: SSE2 on x86-64, NEON on aarch64.
    Portable,
}

impl Level {
    /// Every level this machine can run, widest first.
    pub fn available() -> Vec<Level> {
        let mut levels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let v3 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
            let v4 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq");
            if v3 && v4 {
                levels.push(Level::Avx512);
            }
            if v3 {
                levels.push(Level::Avx2);
            }
        }
        levels.push(Level::Portable);
        levels
    }

    /// The widest level of this machine.
    pub fn widest() -> Level {
        static WIDEST: OnceLock<Level> = OnceLock::new();
        *WIDEST.get_or_init(|| Level::available()[0])
    }
}

/// Runs `work` compiled for the widest instructions of this machine. `work` (a closure: `#[inline(always)] || ...`) and what it
/// calls must be inlined always
/// to be compiled for them; what is not falls back to calls of one value at a time.
#[inline(always)]
pub(crate) fn dispatch<R>(work: impl FnOnce() -> R) -> R {
    match Level::widest() {
        // SAFETY: `widest` found these instructions on this machine.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { with_avx512(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { with_avx2(work) },
        Level::Portable => work(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
fn with_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
