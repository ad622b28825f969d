//! Facts about what a bench measures.

use super::bencher::Bencher;
use crate::model::Fact;

impl Bencher<'_> {
    /// States a fact about what this bench measures, such as the model or the version of a server. Call it in the setup,
    /// before `iter…`.
    ///
    /// Facts are saved with the result and shown in reports. Results of a bench are compared only if the values of all
    /// facts that both have are the same: use one for what makes energies incomparable, and not for what a comparison is
    /// about. A later value of a name replaces the earlier one.
    ///
    /// ```
    /// # use lem_bench::bench::Bencher;
    /// # fn decode(b: &mut Bencher) {
    /// b.fact("model", "llama-3.2-1b");
    /// b.fact("context", 4096);
    /// b.iter(|| drop(std::hint::black_box((0..1000_u64).sum::<u64>())));
    /// # }
    /// ```
    pub fn fact(&mut self, name: impl Into<String>, value: impl std::fmt::Display) {
        self.target.driver.fact(Fact::new(name, value.to_string()));
    }
}
