//! Runs a batch of sequences: prefill, single steps, greedy generation. Callbacks report tokens when they are on the
//! host.

use candle_core::{D, Tensor};
use candle_transformers::models::llama::Cache;

use super::layout::Stream;
use super::{Error, Model};

/// A batch of sequences in generation: their KV cache and the newest token of each.
#[derive(Debug, Clone)]
pub struct InFlight {
    cache: Cache,
    next: Vec<u32>,
    position: usize,
}

impl InFlight {
    /// Returns the newest token of each sequence: the argmax of the logits. It is not in the KV cache yet.
    pub fn next(&self) -> &[u32] {
        &self.next
    }

    /// Returns the number of tokens of each sequence in the KV cache.
    pub fn position(&self) -> usize {
        self.position
    }
}

/// Options of a generation: its length and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOptions {
    /// Maximum number of tokens to generate per sequence, at least 1.
    pub max_new_tokens: usize,
    /// Whether to continue after an end-of-sequence token, so that all requests are the same amount of work.
    ///
    /// If false, a sequence ends with its first end-of-sequence token, which counts as output. Generation stops when
    /// all sequences have ended. Until then, ended sequences are still computed, as in any static batch, but their
    /// tokens do not count.
    pub ignore_eos: bool,
}

/// The output of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The new tokens of each sequence, in the order of the prompts.
    pub tokens: Vec<Vec<u32>>,
    /// Number of forward passes: the prefill and all decode steps.
    pub steps: usize,
}

impl Generated {
    /// Returns the number of new tokens of all sequences.
    pub fn output_tokens(&self) -> usize {
        self.tokens.iter().map(Vec::len).sum()
    }
}

impl Model {
    /// Runs prompts of equal length (shape `[batch][tokens]`) with an empty KV cache. Returns when the first token of
    /// each sequence is on the host.
    ///
    /// # Errors
    /// [`Error::Request`] if prompts are empty, of unequal length, longer than the context, or contain ids outside the
    /// vocabulary; [`Error::Compute`] if the computation fails.
    pub fn prefill(&self, prompts: &[Vec<u32>]) -> Result<InFlight, Error> {
        let length = self.check_prompts(prompts)?;
        let mut flight = InFlight { cache: self.empty_cache.clone(), next: prompts.concat(), position: 0 };
        self.forward(&mut flight, prompts.len(), length)?;
        Ok(flight)
    }

    /// Runs one decode step: feeds the newest token of each sequence, and returns when the next one is on the host.
    ///
    /// # Errors
    /// [`Error::Request`] if the context is full; [`Error::Compute`] if the computation fails. The batch cannot be used
    /// after that.
    pub fn step(&self, flight: &mut InFlight) -> Result<(), Error> {
        if flight.position >= self.context_length() {
            return Err(Error::Request(format!("the context of {} tokens is full", self.context_length())));
        }
        self.forward(flight, flight.next.len(), 1)
    }

    /// Generates exactly `max_new_tokens` tokens for each prompt, greedily. End-of-sequence tokens are ignored.
    ///
    /// Calls `on_step` with the batch size when a token of each sequence is on the host: after the prefill (time to
    /// first token) and after each decode step. The last token is not fed back.
    ///
    /// ```no_run
    /// # use lem_bench::workload::candle::{Error, Model};
    /// # fn example(model: &Model) -> Result<(), Error> {
    /// let started = std::time::Instant::now();
    /// let mut stamps = Vec::new();
    /// let prompt = model.encode("A joule is")?;
    /// model.generate(&[prompt], 32, |_| stamps.push(started.elapsed()))?;
    /// assert_eq!(stamps.len(), 32);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`prefill`](Self::prefill), and [`Error::Request`] if prompt and output exceed the context or
    /// `max_new_tokens` is 0.
    pub fn generate(
        &self,
        prompts: &[Vec<u32>],
        max_new_tokens: usize,
        on_step: impl FnMut(usize),
    ) -> Result<Generated, Error> {
        self.generate_with(prompts, GenerateOptions { max_new_tokens, ignore_eos: true }, on_step)
    }

    /// Generates like [`generate`](Self::generate), and can stop at end-of-sequence tokens.
    ///
    /// Calls `on_step` with the number of sequences that produced a token in this step.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn generate_with(
        &self,
        prompts: &[Vec<u32>],
        options: GenerateOptions,
        mut on_step: impl FnMut(usize),
    ) -> Result<Generated, Error> {
        let wanted = options.max_new_tokens;
        let length = prompts.first().map_or(0, Vec::len);
        if wanted == 0 {
            return Err(Error::Request("max_new_tokens is 0: generate at least one token".to_owned()));
        }
        // The last token is not fed back, so it needs no place in the context.
        if length.saturating_add(wanted - 1) > self.context_length() {
            return Err(Error::Request(format!(
                "a prompt of {length} tokens and {wanted} new ones exceed the context of {} tokens: reduce one of them",
                self.context_length()
            )));
        }
        let stops: &[u32] = if options.ignore_eos { &[] } else { &self.config.eos };
        let mut output = Output::new(prompts.len(), wanted.min(self.context_length()));
        let mut flight = self.prefill(prompts)?;
        let mut steps = 1;
        on_step(output.add(&flight.next, stops));
        while steps < wanted && output.running() {
            self.step(&mut flight)?;
            steps += 1;
            on_step(output.add(&flight.next, stops));
        }
        Ok(Generated { tokens: output.tokens, steps })
    }

    fn forward(&self, flight: &mut InFlight, batch: usize, length: usize) -> Result<(), Error> {
        let mut run = || {
            let input = Tensor::from_slice(&flight.next, (batch, length), &self.device)?;
            let logits = self.llama.forward(&input, flight.position, &mut flight.cache)?;
            // Copying the ids to the host waits for the device. From here on, the tokens count as produced.
            logits.argmax(D::Minus1)?.to_vec1::<u32>()
        };
        let next = run().map_err(Error::compute("run the model"))?;
        flight.next = next;
        flight.position += length;
        Ok(())
    }

    fn check_prompts(&self, prompts: &[Vec<u32>]) -> Result<usize, Error> {
        let reject = |reason: String| Err(Error::Request(reason));
        let Some(length) = prompts.first().map(Vec::len).filter(|&length| length > 0) else {
            return reject("no prompt tokens: a batch needs at least one prompt of at least one token".to_owned());
        };
        if let Some(other) = prompts.iter().map(Vec::len).find(|&other| other != length) {
            return reject(format!(
                "prompts of {length} and {other} tokens in one batch: make them equally long, because candle's Llama \
                 has no padding mask"
            ));
        }
        if length > self.context_length() {
            return reject(format!(
                "a prompt of {length} tokens exceeds the context of {} tokens: shorten it",
                self.context_length()
            ));
        }
        match prompts.iter().flatten().find(|&&id| id as usize >= self.vocab_size()) {
            Some(id) => reject(format!("token id {id} is outside the vocabulary of {} tokens", self.vocab_size())),
            None => Ok(length),
        }
    }
}

/// The tokens so far, and which sequences have ended.
struct Output {
    tokens: Vec<Vec<u32>>,
    ended: Vec<bool>,
}

impl Output {
    fn new(batch: usize, wanted: usize) -> Self {
        // Reserves the space for all tokens, so that decode steps do not allocate.
        let tokens = (0..batch).map(|_| Vec::with_capacity(wanted)).collect();
        Self { tokens, ended: vec![false; batch] }
    }

    /// Adds the tokens of one step. Returns how many sequences produced one.
    fn add(&mut self, next: &[u32], stops: &[u32]) -> usize {
        let mut produced = 0;
        for ((tokens, ended), &id) in self.tokens.iter_mut().zip(&mut self.ended).zip(next) {
            if !*ended {
                tokens.push(id);
                produced += 1;
                *ended = stops.contains(&id);
            }
        }
        produced
    }

    fn running(&self) -> bool {
        self.ended.contains(&false)
    }
}

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
    fn counts_stop_token_but_not_ended_sequences() {
        let mut output = Output::new(3, 4);
        assert_eq!(output.add(&[5, 2, 6], &[2, 9]), 3);
        assert_eq!(output.add(&[9, 7, 7], &[2, 9]), 2);
        assert_eq!(output.add(&[1, 1, 2], &[2, 9]), 1);
        assert!(!output.running());
        assert_eq!(output.tokens, [vec![5, 9], vec![2], vec![6, 7, 2]]);
    }

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
