//! Prompts of an exact length, cut from the text in `corpus.txt`.
//!
//! All prompts begin differently, so that a prefix cache cannot shorten the time to first token.

use super::draw::Stream;
use super::{Error, Model};

/// Returns `count` batches of `batch` prompts of exactly `len_tokens` tokens: shape `[count][batch][len_tokens]`.
///
/// Each prompt is a span of English text, as ids of the model, with a different start. If the model has a BOS token and
/// `len_tokens` is above 1, the prompt begins with BOS. The same seed gives the same prompts.
///
/// # Errors
/// [`Error::Request`] if a number is 0, or if more prompts are requested than the text has tokens (some thousands);
/// [`Error::Tokenizer`] if the tokenizer fails.
pub fn prompts(
    model: &Model,
    count: usize,
    len_tokens: usize,
    batch: usize,
    seed: u64,
) -> Result<Vec<Vec<Vec<u32>>>, Error> {
    if count == 0 || len_tokens == 0 || batch == 0 {
        return Err(Error::Request("prompts: count, length and batch must be at least 1".to_owned()));
    }
    let text = model.corpus_ids()?;
    let wanted = count.saturating_mul(batch);
    if wanted > text.len() {
        return Err(Error::Request(format!(
            "{wanted} different prompts requested, but the text has only {}: request fewer, a bench reuses them",
            text.len()
        )));
    }
    let bos = model.config.bos.filter(|&bos| len_tokens > 1 && (bos as usize) < model.vocab_size());
    let mut starts = shuffled(text.len(), wanted, seed).into_iter();
    let mut prompt = |_| {
        let rest = text.iter().cycle().skip(starts.next().unwrap_or_default()).copied();
        bos.into_iter().chain(rest).take(len_tokens).collect()
    };
    Ok((0..count).map(|_| (0..batch).map(&mut prompt).collect()).collect())
}

/// Returns the first `wanted` elements of a seeded Fisher-Yates shuffle of `0..len`.
fn shuffled(len: usize, wanted: usize, seed: u64) -> Vec<usize> {
    let mut stream = Stream::named(seed, "prompts");
    let mut all: Vec<usize> = (0..len).collect();
    for i in 0..wanted {
        let other = i + stream.below(len - i);
        all.swap(i, other);
    }
    all.truncate(wanted);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffle_is_seeded_permutation() {
        let mut all = shuffled(500, 500, 1);
        assert_ne!(all, (0..500).collect::<Vec<_>>());
        assert_eq!(all, shuffled(500, 500, 1));
        assert_ne!(all, shuffled(500, 500, 2));
        assert_eq!(all[..10], shuffled(500, 10, 1));
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
    }
}
