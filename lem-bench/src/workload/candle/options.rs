//! How to open a model: its number format and its device.
//!
//! Must not know the model.

use std::fmt;
use std::str::FromStr;

use candle_core::DType;

use super::Error;

/// The number format of weights, activations and KV cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dtype {
    /// What `config.json` names (`torch_dtype`, or `dtype` as newer writers say); f32 where it names none.
    #[default]
    Auto,
    /// 32-bit IEEE 754.
    F32,
    /// 16-bit IEEE 754. Converted numbers beyond ±65504 become infinite.
    F16,
    /// The upper half of an f32.
    Bf16,
}

impl Dtype {
    /// Bytes a number; for `Auto`, which stands for another, those of the default f32.
    pub fn bytes(self) -> usize {
        match self {
            Self::Auto | Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    pub(super) fn candle(self) -> DType {
        match self {
            Self::Auto | Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Dtype {
    type Err = Error;

    /// Accepts the short names and those of `torch_dtype`.
    ///
    /// # Errors
    /// [`Error::Request`] for any other name.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "auto" => Ok(Self::Auto),
            "f32" | "float32" => Ok(Self::F32),
            "f16" | "float16" => Ok(Self::F16),
            "bf16" | "bfloat16" => Ok(Self::Bf16),
            other => Err(Error::Request(format!("unknown dtype {other:?}: use auto, f32, f16 or bf16"))),
        }
    }
}

/// Which device to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceChoice {
    /// The first CUDA device where this build has the feature `cuda`, else the CPU. It never falls back from a CUDA
    /// device that fails: energy would be measured in the wrong place without a word.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal, as `CUDA_VISIBLE_DEVICES` leaves them.
    Cuda(usize),
}

impl DeviceChoice {
    pub(super) fn open(self) -> Result<(Device, candle_core::Device), Error> {
        match self {
            Self::Cpu => Ok((Device::Cpu, candle_core::Device::Cpu)),
            Self::Cuda(ordinal) => open_cuda(ordinal),
            Self::Auto if cfg!(feature = "cuda") => open_cuda(0),
            Self::Auto => Self::Cpu.open(),
        }
    }
}

fn open_cuda(ordinal: usize) -> Result<(Device, candle_core::Device), Error> {
    let wanted = Device::Cuda(ordinal);
    if !cfg!(feature = "cuda") {
        let reason = "this build has no CUDA: build with the feature `cuda`, or use the CPU".to_owned();
        return Err(Error::Device { wanted: wanted.to_string(), reason });
    }
    // A stream of its own: the per-thread default stream can be synchronised only by the thread that launched.
    match candle_core::Device::new_cuda_with_stream(ordinal) {
        Ok(device) => Ok((wanted, device)),
        Err(error) => Err(Error::Device {
            wanted: wanted.to_string(),
            reason: format!("{error}: see nvidia-smi and CUDA_VISIBLE_DEVICES, or use the CPU"),
        }),
    }
}

/// The device that a model runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal, as `CUDA_VISIBLE_DEVICES` leaves them.
    Cuda(usize),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

/// How to open a model. The default takes the model's own dtype and the best device of this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OpenOptions {
    /// The number format to convert the weights to.
    pub dtype: Dtype,
    /// The device to run on.
    pub device: DeviceChoice,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtype_names_go_both_ways() {
        for dtype in [Dtype::Auto, Dtype::F32, Dtype::F16, Dtype::Bf16] {
            assert_eq!(dtype.to_string().parse::<Dtype>().unwrap(), dtype);
        }
        assert_eq!("bfloat16".parse::<Dtype>().unwrap(), Dtype::Bf16);
        let error = "int4".parse::<Dtype>().unwrap_err().to_string();
        assert!(error.contains("int4") && error.contains("bf16"), "{error}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_without_the_feature_names_the_remedy_and_auto_is_the_cpu() {
        let error = DeviceChoice::Cuda(3).open().unwrap_err().to_string();
        assert!(error.contains("cuda:3") && error.contains("feature `cuda`"), "{error}");
        assert_eq!(DeviceChoice::Auto.open().unwrap().0, Device::Cpu);
    }
}
