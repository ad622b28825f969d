//! Runs a batch of sequences: prefill, single steps, greedy generation.
//!
//! Must not know benches or meters: what wants to know of tokens is called back when they are on the host.

use candle_core::{D, Tensor};
use candle_transformers::models::llama::Cache;

use super::{Error, Model};

/// A batch of sequences under way: their KV cache and the token that each goes on with.
#[derive(Debug, Clone)]
pub struct InFlight {
    cache: Cache,
    next: Vec<u32>,
    position: usize,
}

impl InFlight {
    /// The newest token of each sequence, on the host: the logits' argmax, not yet in the KV cache.
    pub fn next(&self) -> &[u32] {
        &self.next
    }

    /// Tokens of each sequence in the KV cache.
    pub fn position(&self) -> usize {
        self.position
    }
}

/// How much to generate and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateOptions {
    /// The most tokens to generate for each sequence; at least 1.
    pub max_new_tokens: usize,
    /// Go on after an end-of-sequence token, so that every request is the same amount of work.
    ///
    /// When false, a sequence ends with its first end-of-sequence token, which is counted (it came out, and its step
    /// was paid for), and generation stops when all have ended. Until then an ended sequence still takes its share of
    /// every step, as in any static batch, and counts for nothing.
    pub ignore_eos: bool,
}

/// What a batch generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The new tokens of each sequence, in the order of the prompts.
    pub tokens: Vec<Vec<u32>>,
    /// Forward passes: the prefill and each decode step.
    pub steps: usize,
}

impl Generated {
    /// New tokens of all sequences together.
    pub fn output_tokens(&self) -> usize {
        self.tokens.iter().map(Vec::len).sum()
    }
}

impl Model {
    /// Runs prompts of equal length (shape `[batch][tokens]`) through the model with a fresh KV cache, and returns once
    /// the first token of each sequence is on the host.
    ///
    /// # Errors
    /// [`Error::Request`] for prompts that are empty, of unequal length, longer than the context or with ids outside the
    /// vocabulary; [`Error::Compute`] where the computation fails.
    pub fn prefill(&self, prompts: &[Vec<u32>]) -> Result<InFlight, Error> {
        let length = self.check_prompts(prompts)?;
        let mut flight = InFlight { cache: self.empty_cache.clone(), next: prompts.concat(), position: 0 };
        self.forward(&mut flight, prompts.len(), length)?;
        Ok(flight)
    }

    /// One decode step: feeds each sequence's newest token, and returns once the one after it is on the host.
    ///
    /// # Errors
    /// [`Error::Request`] where the context is full; [`Error::Compute`] where the computation fails, after which the
    /// batch must be dropped.
    pub fn step(&self, flight: &mut InFlight) -> Result<(), Error> {
        if flight.position >= self.context_length() {
            return Err(Error::Request(format!("the context of {} tokens is full", self.context_length())));
        }
        self.forward(flight, flight.next.len(), 1)
    }

    /// Generates exactly `max_new_tokens` tokens for each prompt, greedily, whatever the tokens are.
    ///
    /// `on_step` is called with the batch size each time a token of every sequence has reached the host: first after
    /// the prefill (time to first token), then after each decode step. The last token is not fed back.
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
    /// As [`prefill`](Self::prefill), and [`Error::Request`] where prompt and output do not fit the context or
    /// `max_new_tokens` is 0.
    pub fn generate(
        &self,
        prompts: &[Vec<u32>],
        max_new_tokens: usize,
        on_step: impl FnMut(usize),
    ) -> Result<Generated, Error> {
        self.generate_with(prompts, GenerateOptions { max_new_tokens, ignore_eos: true }, on_step)
    }

    /// As [`generate`](Self::generate), with the choice to stop at the end of sequence.
    ///
    /// `on_step` is called with the number of sequences that produced a token in this step: work is counted by what came
    /// out.
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
            return Err(Error::Request("max_new_tokens is 0: ask for at least one token".to_owned()));
        }
        // The last token is not fed back, so that it needs no place.
        if length.saturating_add(wanted - 1) > self.context_length() {
            return Err(Error::Request(format!(
                "a prompt of {length} tokens and {wanted} new ones do not fit the context of {}: shorten either",
                self.context_length()
            )));
        }
        let stops: &[u32] = if options.ignore_eos { &[] } else { &self.config.eos };
        let mut output = Output::new(prompts.len(), wanted.min(self.context_length()));
        let mut flight = self.prefill(prompts)?;
        let mut steps = 1;
        on_step(output.take(&flight.next, stops));
        while steps < wanted && output.running() {
            self.step(&mut flight)?;
            steps += 1;
            on_step(output.take(&flight.next, stops));
        }
        Ok(Generated { tokens: output.tokens, steps })
    }

    fn forward(&self, flight: &mut InFlight, batch: usize, length: usize) -> Result<(), Error> {
        let mut run = || {
            let input = Tensor::from_slice(&flight.next, (batch, length), &self.device)?;
            let logits = self.llama.forward(&input, flight.position, &mut flight.cache)?;
            // Copying the ids to the host waits for the device: a token counts from here.
            logits.argmax(D::Minus1)?.to_vec1::<u32>()
        };
        let next = run().map_err(Error::compute("run the model"))?;
        flight.next = next;
        flight.position += length;
        Ok(())
    }

    fn check_prompts(&self, prompts: &[Vec<u32>]) -> Result<usize, Error> {
        let refuse = |reason: String| Err(Error::Request(reason));
        let Some(length) = prompts.first().map(Vec::len).filter(|&length| length > 0) else {
            return refuse("no prompt tokens: a batch needs at least one prompt of at least one token".to_owned());
        };
        if let Some(other) = prompts.iter().map(Vec::len).find(|&other| other != length) {
            return refuse(format!(
                "prompts of {length} and {other} tokens in one batch: candle's Llama has no padding mask, make them \
                 equally long"
            ));
        }
        if length > self.context_length() {
            return refuse(format!("a prompt of {length} tokens exceeds the context of {}", self.context_length()));
        }
        match prompts.iter().flatten().find(|&&id| id as usize >= self.vocab_size()) {
            Some(id) => refuse(format!("token id {id} is outside the vocabulary of {}", self.vocab_size())),
            None => Ok(length),
        }
    }
}

/// What has come out so far, and which sequences still run.
struct Output {
    tokens: Vec<Vec<u32>>,
    ended: Vec<bool>,
}

impl Output {
    fn new(batch: usize, wanted: usize) -> Self {
        // Room for all tokens beforehand, so that taking one allocates nothing.
        let tokens = (0..batch).map(|_| Vec::with_capacity(wanted)).collect();
        Self { tokens, ended: vec![false; batch] }
    }

    /// Takes one step's tokens; returns how many sequences produced one.
    fn take(&mut self, next: &[u32], stops: &[u32]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_sequences_count_for_nothing_and_the_stop_token_counts() {
        let mut output = Output::new(3, 4);
        assert_eq!(output.take(&[5, 2, 6], &[2, 9]), 3);
        assert_eq!(output.take(&[9, 7, 7], &[2, 9]), 2);
        assert_eq!(output.take(&[1, 1, 2], &[2, 9]), 1);
        assert!(!output.running());
        assert_eq!(output.tokens, [vec![5, 9], vec![2], vec![6, 7, 2]]);
    }
}
