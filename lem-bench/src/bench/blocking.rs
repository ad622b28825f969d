//! The `iter…` methods of blocking closures that run one after the other.

use super::builders::ConfiguredBencher;
use super::inputs::Inputs;
use super::request::Request;
use super::sequential::Calls;
use super::settings::{InputsFrom, NoState, OneState, Sequential};
use super::work::IntoWork;

impl ConfiguredBencher<'_> {
    /// See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, mut body: impl FnMut() -> O) {
        self.with(()).iter(|()| body());
    }

    /// See [`Bencher::try_iter`](super::Bencher::try_iter).
    pub fn try_iter<O: IntoWork>(self, mut body: impl FnMut() -> O) {
        self.with(()).try_iter(|()| body());
    }

    /// See [`Bencher::iter_requests`](super::Bencher::iter_requests).
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, mut body: impl FnMut(&I::Input, &Request) -> O) {
        self.with(()).iter_requests(inputs, |(), input, request| body(input, request));
    }
}

impl<T> ConfiguredBencher<'_, Sequential, OneState<'_, T>> {
    /// See [`Bencher::iter`](super::Bencher::iter).
    pub fn iter<O>(self, mut body: impl FnMut(&mut T) -> O) {
        let (mut calls, _) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter");
        calls.iter(|state, tally| kind.record(&body(state), tally));
    }

    /// See [`Bencher::try_iter`](super::Bencher::try_iter).
    pub fn try_iter<O: IntoWork>(self, mut body: impl FnMut(&mut T) -> O) {
        self.into_calls().0.iter(|state, tally| body(state).record(tally));
    }

    /// See [`Bencher::iter_requests`](super::Bencher::iter_requests).
    pub fn iter_requests<I: Inputs, O: IntoWork>(self, inputs: I, body: impl FnMut(&mut T, &I::Input, &Request) -> O) {
        self.into_calls().0.iter_requests(inputs, body);
    }
}

impl<G: FnMut() -> I, I> ConfiguredBencher<'_, Sequential, NoState, InputsFrom<G>> {
    /// Runs `body` repeatedly with a new input by value, which it can return to have it dropped outside of the measured
    /// time.
    ///
    /// Inputs are created before a window begins, at most 65,536. If they run out, new ones are created inside of the
    /// window; the energy of that time is deducted, as if the power were the same.
    pub fn iter_values<O>(self, mut body: impl FnMut(I) -> O) {
        self.with(()).iter_values(|(), input| body(input));
    }

    /// Runs `body` repeatedly with a new input by value. It returns the amount of work, or an error: a failed iteration. See
    /// [`iter_values`](Self::iter_values).
    pub fn try_iter_values<O: IntoWork>(self, mut body: impl FnMut(I) -> O) {
        self.with(()).try_iter_values(|(), input| body(input));
    }

    /// Runs `body` repeatedly with a new input by reference. See [`iter_values`](Self::iter_values).
    pub fn iter_refs<O>(self, mut body: impl FnMut(&mut I) -> O) {
        self.with(()).iter_refs(|(), input| body(input));
    }

    /// Runs `body` repeatedly with a new input by reference. It returns the amount of work, or an error: a failed iteration.
    /// See [`iter_values`](Self::iter_values).
    pub fn try_iter_refs<O: IntoWork>(self, mut body: impl FnMut(&mut I) -> O) {
        self.with(()).try_iter_refs(|(), input| body(input));
    }
}

impl<T, G: FnMut() -> I, I> ConfiguredBencher<'_, Sequential, OneState<'_, T>, InputsFrom<G>> {
    /// Runs `body` repeatedly with the state and a new input by value.
    pub fn iter_values<O>(self, mut body: impl FnMut(&mut T, I) -> O) {
        let (mut calls, InputsFrom(make)) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter_values");
        calls.iter_inputs(make, |state, input, tally| {
            let output = body(state, input);
            let outcome = kind.record(&output, tally);
            (output, outcome)
        });
    }

    /// Runs `body` repeatedly with the state and a new input by value. It returns the amount of work, or an error.
    pub fn try_iter_values<O: IntoWork>(self, mut body: impl FnMut(&mut T, I) -> O) {
        let (calls, InputsFrom(make)) = self.into_calls();
        calls.iter_inputs(make, |state, input, tally| ((), body(state, input).record(tally)));
    }

    /// Runs `body` repeatedly with the state and a new input by reference.
    pub fn iter_refs<O>(self, mut body: impl FnMut(&mut T, &mut I) -> O) {
        let (mut calls, InputsFrom(make)) = self.into_calls();
        let kind = calls.check_return_kind::<O>("try_iter_refs");
        calls.iter_inputs(make, |state, mut input, tally| {
            let output = body(state, &mut input);
            let outcome = kind.record(&output, tally);
            ((input, output), outcome)
        });
    }

    /// Runs `body` repeatedly with the state and a new input by reference. It returns the amount of work, or an error.
    pub fn try_iter_refs<O: IntoWork>(self, mut body: impl FnMut(&mut T, &mut I) -> O) {
        let (calls, InputsFrom(make)) = self.into_calls();
        calls.iter_inputs(make, |state, mut input, tally| {
            let outcome = body(state, &mut input).record(tally);
            (input, outcome)
        });
    }
}

impl<'b, 's, T, I> ConfiguredBencher<'b, Sequential, OneState<'s, T>, I> {
    fn into_calls<'c>(self) -> (Calls<'c, T>, I)
    where
        'b: 'c,
        's: 'c,
    {
        (Calls::new(self.target.shorten(), self.edges, self.state), self.inputs)
    }
}
