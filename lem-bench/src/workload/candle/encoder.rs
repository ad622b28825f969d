//! Opens the tokenizer of a model folder.

use std::path::{Path, PathBuf};

use tokenizers::Tokenizer;

use super::Error;

/// A tokenizer that encodes a text without padding and truncation, and the tokens that the model cannot use.
pub(super) struct Encoder {
    tokenizer: Tokenizer,
    path: PathBuf,
    /// The number of rows of the embedding.
    rows: usize,
    /// Added tokens whose id is outside the embedding, by id.
    unusable: Vec<(u32, String)>,
}

impl Encoder {
    /// Opens `tokenizer.json` at `path` for an embedding with this many rows.
    ///
    /// Padding and truncation that are saved in the file are switched off: they would fill a batch with `<pad>` and shorten
    /// prompts, and the bench would measure something else than it states.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the file is damaged, or texts would get ids outside the embedding.
    pub fn open(path: PathBuf, rows: usize) -> Result<Self, Error> {
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let tokenizer = parse(text.trim_start_matches('\u{feff}')).map_err(|error| failed(&path, error))?;
        let mut encoder = Self { tokenizer, path, rows, unusable: Vec::new() };
        let added = encoder.tokenizer.get_added_tokens_decoder();
        let vocabulary = encoder.tokenizer.get_vocab(true);
        let mut outside: Vec<_> = vocabulary.into_iter().filter(|(_, id)| *id as usize >= rows).collect();
        outside.sort_by_key(|(_, id)| *id);
        if let Some((token, id)) = outside.iter().find(|(_, id)| !added.contains_key(id)) {
            return Err(encoder.failed(format!(
                "token `{token}` has the id {id}, but the embedding has {rows} rows: tokenizer.json and the weights belong to \
                 different models; copy the tokenizer.json that was saved with the weights"
            )));
        }
        encoder.unusable = outside.into_iter().map(|(token, id)| (id, token)).collect();
        // The tokens that every text gets, such as a BOS.
        encoder.encode("", true)?;
        if !encoder.unusable.is_empty() {
            tracing::warn!(tokens = encoder.unusable_tokens(), rows, "tokens without a row in the embedding");
        }
        Ok(encoder)
    }

    /// Returns the ids of a text.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails, or an id is outside the embedding.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, Error> {
        let encoding = self.tokenizer.encode_fast(text, special).map_err(|error| self.failed(error))?;
        let ids = encoding.get_ids();
        match ids.iter().find(|id| **id as usize >= self.rows) {
            Some(id) => Err(self.failed(format!(
                "the text has the token `{}` with the id {id}, but the embedding has {} rows",
                self.tokenizer.id_to_token(*id).unwrap_or_default(),
                self.rows
            ))),
            None => Ok(ids.to_vec()),
        }
    }

    /// Returns the text of some ids, without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer.decode(ids, true).map_err(|error| self.failed(error))
    }

    /// Lists the added tokens whose id is outside the embedding; empty without one.
    pub fn unusable_tokens(&self) -> String {
        let tokens = self.unusable.iter().map(|(id, token)| format!("{token} ({id})"));
        tokens.collect::<Vec<_>>().join(", ")
    }

    fn failed(&self, reason: impl ToString) -> Error {
        failed(&self.path, reason)
    }
}

fn parse(json: &str) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer: Tokenizer = json.parse()?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None)?;
    Ok(tokenizer)
}

fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Tokenizer { path: path.to_owned(), reason: reason.to_string() }
}
