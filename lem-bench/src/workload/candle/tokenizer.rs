//! Trains the embedded model's tokenizer: byte-level BPE over ASCII, on the text in the repository.
//!
//! Must not know weights. The alphabet is ASCII alone: random weights choose tokens at random, and with all bytes in
//! the vocabulary they would emit broken UTF-8, which streaming servers hold back until it is complete, that is for
//! ever. Other characters encode as `<unk>`.

use std::collections::HashSet;

use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{AddedToken, TokenizerBuilder};

/// English prose written for this repository; the prompts are cut from it too.
pub(super) const CORPUS: &str = include_str!("corpus.txt");

/// Special tokens; their ids are their places.
pub(super) const SPECIAL: [&str; 4] = ["<unk>", "<s>", "</s>", "<pad>"];
/// Id of the token that opens a text.
pub(super) const BOS: u32 = 1;
/// Id of the token that ends a text.
pub(super) const EOS: u32 = 2;
/// Id of the padding token.
pub(super) const PAD: u32 = 3;

/// A trained tokenizer.
pub(super) struct Trained {
    /// `tokenizer.json`.
    pub(super) json: String,
    /// Tokens in the vocabulary, the special ones included.
    pub(super) tokens: usize,
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

/// Printable ASCII, newline and tab, as byte-level BPE spells them: what is not printable is shifted by 256.
fn alphabet() -> HashSet<char> {
    let shifted = [b'\n', b'\t', b' '].map(|byte| char::from_u32(256 + u32::from(byte)));
    (b'!'..=b'~').map(char::from).chain(shifted.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use tokenizers::Tokenizer;

    use super::*;

    #[test]
    fn the_corpus_is_ascii_and_fills_the_vocabulary() {
        assert!(CORPUS.is_ascii());
        assert_eq!(train(1024).unwrap().tokens, 1024);
    }

    #[test]
    fn ascii_survives_the_round_trip_and_specials_have_their_ids() {
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
    fn training_is_the_same_every_time() {
        let first = train(1024).unwrap().json;
        for _ in 0..10 {
            assert!(train(1024).unwrap().json == first, "two trainings differ");
        }
    }
}
