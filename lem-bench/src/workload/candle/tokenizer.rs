//! Trains the tokenizer of the embedded model: byte-level BPE over ASCII, on the text in `corpus.txt`.
//!
//! The alphabet is ASCII only. With all bytes in the vocabulary, a model with random weights would generate invalid
//! UTF-8, and a streaming server would wait forever for the rest of a character. Other characters become `<unk>`.

use std::collections::HashSet;

use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{AddedToken, TokenizerBuilder};

/// English text written for this repository. Prompts are cut from it too.
pub(super) const CORPUS: &str = include_str!("corpus.txt");

/// Special tokens. Their ids are their indices.
pub(super) const SPECIAL: [&str; 4] = ["<unk>", "<s>", "</s>", "<pad>"];
/// Id of the token at the beginning of a text.
pub(super) const BOS: u32 = 1;
/// Id of the token at the end of a text.
pub(super) const EOS: u32 = 2;
/// Id of the padding token.
pub(super) const PAD: u32 = 3;

/// A trained tokenizer.
pub(super) struct Trained {
    /// Contents of `tokenizer.json`.
    pub json: String,
    /// Number of tokens in the vocabulary, including special ones.
    pub tokens: usize,
}

/// Trains a vocabulary of at most `vocab` tokens.
pub(super) fn train(vocab: usize) -> tokenizers::Result<Trained> {
    let special = SPECIAL.map(|token| AddedToken::from(token, true)).to_vec();
    let mut trainer = BpeTrainerBuilder::new()
        .show_progress(false)
        .vocab_size(vocab)
        .min_frequency(2)
        .special_tokens(special)
        .initial_alphabet(alphabet())
        .build();
    let model = BPE::builder().unk_token(SPECIAL[0].to_owned()).build()?;
    let mut tokenizer = TokenizerBuilder::<_, NormalizerWrapper, _, PostProcessorWrapper, _>::new()
        .with_model(model)
        .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
        .with_decoder(Some(ByteLevelDecoder::default()))
        .build()?;
    tokenizer.train(&mut trainer, CORPUS.lines())?;
    Ok(Trained { json: tokenizer.to_string(false)?, tokens: tokenizer.get_vocab_size(true) })
}

/// Returns printable ASCII, newline and tab, as byte-level BPE represents them: space and control characters are
/// shifted by 256.
fn alphabet() -> HashSet<char> {
    let shifted = [b'\n', b'\t', b' '].map(|byte| char::from_u32(256 + u32::from(byte)));
    (b'!'..=b'~').map(char::from).chain(shifted.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use tokenizers::Tokenizer;

    use super::*;

    #[test]
    fn corpus_is_ascii_and_fills_vocabulary() {
        assert!(CORPUS.is_ascii());
        assert_eq!(train(1024).unwrap().tokens, 1024);
    }

    #[test]
    fn ascii_round_trips() {
        let tokenizer = Tokenizer::from_bytes(train(1024).unwrap().json).unwrap();
        let text = "A joule is a watt for one second.\n\t{\"x\": [1, 2]} ~ `q` \\";
        let ids = tokenizer.encode(text, false).unwrap().get_ids().to_vec();
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), text);
        for (id, token) in SPECIAL.iter().enumerate() {
            assert_eq!(tokenizer.token_to_id(token), Some(id as u32));
        }
        assert_eq!((SPECIAL[BOS as usize], SPECIAL[EOS as usize], SPECIAL[PAD as usize]), ("<s>", "</s>", "<pad>"));
    }

    #[test]
    fn training_is_deterministic() {
        let first = train(1024).unwrap().json;
        for _ in 0..10 {
            assert!(train(1024).unwrap().json == first, "two trainings differ");
        }
    }
}
