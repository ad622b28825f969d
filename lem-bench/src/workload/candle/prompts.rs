//! Prompts of exact length, cut from the suite's text.
//!
//! Must not know how they are run. No two begin alike: servers and drivers that keep the beginnings of earlier prompts
//! would otherwise answer from memory, and time to first token would measure that.

use super::draw::Stream;
use super::{Error, Model};

/// Makes `count` batches of `batch` prompts of exactly `len_tokens` tokens: shape `[count][batch][len_tokens]`.
///
/// Each is a stretch of English text in the model's own ids, from a place of its own, behind the model's BOS where it
/// has one (and `len_tokens` is above 1). The same seed gives the same prompts.
///
/// # Errors
/// [`Error::Request`] where a number is 0, or where more prompts are asked for than the text has places (some
/// thousands, one a token); [`Error::Tokenizer`] where the tokenizer fails.
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
            "{wanted} different prompts were asked for, the text yields {}: ask for fewer batches, they are cycled",
            text.len()
        )));
    }
    let bos = model.config.bos.filter(|&bos| len_tokens > 1 && (bos as usize) < model.vocab_size());
    let mut places = shuffled(text.len(), wanted, seed).into_iter();
    let mut cut = |_| {
        let rest = text.iter().cycle().skip(places.next().unwrap_or_default()).copied();
        bos.into_iter().chain(rest).take(len_tokens).collect()
    };
    Ok((0..count).map(|_| (0..batch).map(&mut cut).collect()).collect())
}

/// The first `wanted` of a seeded shuffle of `0..places` (Fisher and Yates).
fn shuffled(places: usize, wanted: usize, seed: u64) -> Vec<usize> {
    let mut stream = Stream::named(seed, "prompts");
    let mut all: Vec<usize> = (0..places).collect();
    for i in 0..wanted {
        let other = i + stream.below(places - i);
        all.swap(i, other);
    }
    all.truncate(wanted);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffles_are_permutations_that_follow_the_seed() {
        let mut all = shuffled(500, 500, 1);
        assert_ne!(all, (0..500).collect::<Vec<_>>());
        assert_eq!(all, shuffled(500, 500, 1));
        assert_ne!(all, shuffled(500, 500, 2));
        assert_eq!(all[..10], shuffled(500, 10, 1));
        all.sort_unstable();
        assert_eq!(all, (0..500).collect::<Vec<_>>());
    }
}
