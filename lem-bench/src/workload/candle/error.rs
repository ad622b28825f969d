//! Errors of candle models. Each message names what is wrong, its place and the remedy.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a model could not be found, generated, opened or run.
///
/// Messages are lower-case fragments, for example for "failed to open the model: {error}".
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable names a model folder that does not exist.
    NoSuchModel {
        /// The environment variable.
        variable: &'static str,
        /// The absolute path of the folder.
        path: PathBuf,
    },
    /// There is no folder for the embedded model.
    NoHome {
        /// The executable, which is not in a target folder.
        executable: PathBuf,
    },
    /// The embedded model could not be written.
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file exists but could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A model folder lacks a file.
    MissingFile {
        /// The model folder.
        dir: PathBuf,
        /// The name of the file.
        file: String,
        /// The remedy.
        remedy: &'static str,
    },
    /// `config.json` describes a model that is not supported.
    Config {
        /// The config file.
        path: PathBuf,
        /// What is wrong with it, and the remedy, if there is one.
        reason: String,
    },
    /// `tokenizer.json` could not be loaded, or the tokenizer failed.
    Tokenizer {
        /// The tokenizer file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A weights file is damaged or not supported.
    Weights {
        /// The weights file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// The weights lack a tensor that the config requires.
    MissingTensor {
        /// The name of the tensor.
        tensor: String,
        /// The weights file, or the model folder if there are several.
        path: PathBuf,
    },
    /// A tensor has another shape than the config requires.
    TensorShape {
        /// The name of the tensor.
        tensor: String,
        /// The weights file.
        path: PathBuf,
        /// The shape that `config.json` requires.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// The device could not be used.
    Device {
        /// The requested device.
        wanted: String,
        /// Why it could not be used, and the remedy.
        reason: String,
    },
    /// The request is not valid for the model, for example prompts of unequal length or too many tokens.
    Request(String),
    /// The computation failed.
    Compute {
        /// The operation, such as "run the model".
        doing: &'static str,
        /// The error of candle.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Returns a function for `map_err` that converts an error of candle to [`Error::Compute`].
    pub(super) fn compute(doing: &'static str) -> impl Fn(candle_core::Error) -> Self {
        move |source| Self::Compute { doing, source: Box::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchModel { variable, path } => write!(
                f,
                "{variable} names {}, which is not a folder: set it to a Hugging Face model folder (config.json, \
                 tokenizer.json, *.safetensors), or unset it to measure the embedded model",
                path.display()
            ),
            Self::NoHome { executable } => write!(
                f,
                "no folder for the embedded model, because {} is not in a cargo target folder: set LEM_BENCH_HOME to a \
                 writable folder",
                executable.display()
            ),
            Self::Write { path, source } => write!(
                f,
                "cannot write the embedded model at {}: {source}: make the folder writable, or set LEM_BENCH_HOME to \
                 another one",
                path.display()
            ),
            Self::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::MissingFile { dir, file, remedy } => {
                write!(f, "no {file} in {}: {remedy}", dir.display())
            }
            Self::Config { path, reason } => write!(f, "cannot run {}: {reason}", path.display()),
            Self::Tokenizer { path, reason } => {
                write!(f, "tokenizer {} failed: {reason}", path.display())
            }
            Self::Weights { path, reason } => {
                write!(f, "cannot use the weights in {}: {reason}", path.display())
            }
            Self::MissingTensor { tensor, path } if tensor == "lm_head.weight" => write!(
                f,
                "no tensor {tensor} in {}: if the model's output uses the embedding, set tie_word_embeddings to true in \
                 config.json; otherwise the weights belong to another model, or the download is incomplete",
                path.display()
            ),
            Self::MissingTensor { tensor, path } => write!(
                f,
                "no tensor {tensor} in {}, but config.json requires it: the weights belong to another model, or the \
                 download is incomplete; fetch the folder again",
                path.display()
            ),
            Self::TensorShape { tensor, path, expected, found } => write!(
                f,
                "tensor {tensor} in {} has shape {found:?}, but config.json requires {expected:?}: config and weights \
                 belong to different models; use the config.json that was saved with the weights",
                path.display()
            ),
            Self::Device { wanted, reason } => write!(f, "cannot use device {wanted}: {reason}"),
            Self::Request(reason) => f.write_str(reason),
            Self::Compute { doing, source } => write!(f, "failed to {doing}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } | Self::Read { source, .. } => Some(source),
            Self::Compute { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
