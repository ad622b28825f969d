//! Options for opening a model: its number format and its device.

use std::fmt;
use std::str::FromStr;

use candle_core::DType;

use super::Error;

/// The number format of weights, activations and KV cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dtype {
    /// The format in `config.json` (`torch_dtype`, or `dtype` in newer files), or f32 if it has none.
    #[default]
    Auto,
    /// 32-bit IEEE 754.
    F32,
    /// 16-bit IEEE 754. Numbers beyond ±65504 become infinite in the conversion.
    F16,
    /// The upper 16 bits of an f32.
    Bf16,
}

impl Dtype {
    /// Returns the size of a number in bytes. For `Auto`, it is that of f32.
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

    /// Parses a short name or one of `torch_dtype`.
    ///
    /// # Errors
    /// [`Error::Request`] if the name is unknown.
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

/// The device to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DeviceChoice {
    /// The first CUDA device if this build has the feature `cuda`, otherwise the CPU. If the CUDA device fails, opening
    /// fails too: a fallback to the CPU would silently measure the energy of the wrong device.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal among those of `CUDA_VISIBLE_DEVICES`.
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
        let reason = "this build does not support CUDA: enable the feature `cuda`, or use the CPU".to_owned();
        return Err(Error::Device { wanted: wanted.to_string(), reason });
    }
    // A new stream, because only the launching thread can synchronize its per-thread default stream.
    match candle_core::Device::new_cuda_with_stream(ordinal) {
        Ok(device) => Ok((wanted, device)),
        Err(error) => Err(Error::Device {
            wanted: wanted.to_string(),
            reason: format!("{error}: check nvidia-smi and CUDA_VISIBLE_DEVICES, or use the CPU"),
        }),
    }
}

/// The device of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// The CPU.
    Cpu,
    /// The CUDA device with this ordinal among those of `CUDA_VISIBLE_DEVICES`.
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

/// Options for opening a model. The defaults are the dtype of the model and the best device of this build.
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
    fn dtype_names_round_trip() {
        for dtype in [Dtype::Auto, Dtype::F32, Dtype::F16, Dtype::Bf16] {
            assert_eq!(dtype.to_string().parse::<Dtype>().unwrap(), dtype);
        }
        assert_eq!("bfloat16".parse::<Dtype>().unwrap(), Dtype::Bf16);
        let error = "int4".parse::<Dtype>().unwrap_err().to_string();
        assert!(error.contains("int4") && error.contains("bf16"), "{error}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_needs_feature() {
        let error = DeviceChoice::Cuda(3).open().unwrap_err().to_string();
        assert!(error.contains("cuda:3") && error.contains("feature `cuda`"), "{error}");
        assert_eq!(DeviceChoice::Auto.open().unwrap().0, Device::Cpu);
    }
}
