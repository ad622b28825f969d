//! What can go wrong with a candle model: each message names the thing, the place and the remedy.
//!
//! Must not know how a model is made, opened or run.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a model could not be found, made, opened or run.
///
/// Messages are lower-case fragments that fit "failed to open the model: {error}".
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An environment variable names a model folder that is not there.
    NoSuchModel {
        /// The environment variable that named the folder.
        variable: &'static str,
        /// The folder as it was looked for.
        path: PathBuf,
    },
    /// There is no folder in which to keep the embedded model.
    NoHome {
        /// The executable above which no target folder was found.
        executable: PathBuf,
    },
    /// The embedded model could not be written.
    Write {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and could not be read.
    Read {
        /// What could not be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A model folder lacks a file.
    MissingFile {
        /// The model folder.
        dir: PathBuf,
        /// The file's name.
        file: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// `config.json` is not one that can be run.
    Config {
        /// The config file.
        path: PathBuf,
        /// What is wrong with it, and the remedy where there is one.
        reason: String,
    },
    /// `tokenizer.json` could not be loaded, or the tokenizer failed.
    Tokenizer {
        /// The tokenizer file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A weights file is damaged or not of a known kind.
    Weights {
        /// The weights file.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// The weights lack a tensor that the config calls for.
    MissingTensor {
        /// The tensor's name.
        tensor: String,
        /// The weights file, or the model folder where there are several.
        path: PathBuf,
    },
    /// A tensor's shape is not the one that the config calls for.
    TensorShape {
        /// The tensor's name.
        tensor: String,
        /// The weights file.
        path: PathBuf,
        /// The shape that `config.json` calls for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// The device could not be used.
    Device {
        /// The device that was asked for.
        wanted: String,
        /// Why not, and the remedy.
        reason: String,
    },
    /// What was asked of the model makes no sense for it: prompts of unequal length, too many tokens, …
    Request(String),
    /// The computation itself failed.
    Compute {
        /// What was being computed.
        doing: &'static str,
        /// What candle said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// For `map_err` on candle's results.
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
                "no cargo target folder above {} in which to keep the embedded model: set LEM_BENCH_HOME to a \
                 folder that can be written",
                executable.display()
            ),
            Self::Write { path, source } => write!(
                f,
                "cannot write the embedded model at {}: {source}: free the folder, or set LEM_BENCH_HOME to one that \
                 can be written",
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
            Self::MissingTensor { tensor, path } => write!(
                f,
                "no tensor {tensor} in {}, though config.json calls for it: the weights belong to another model or \
                 the download is incomplete; fetch the folder again",
                path.display()
            ),
            Self::TensorShape { tensor, path, expected, found } => write!(
                f,
                "tensor {tensor} in {} has shape {found:?}, config.json calls for {expected:?}: config and weights \
                 belong to different models; fetch the folder again",
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
