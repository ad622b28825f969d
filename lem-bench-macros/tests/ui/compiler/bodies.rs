//! Mistakes in bodies whose errors come from the compiler.

use std::cell::RefCell;

use lem_bench::prelude::*;

#[energy_bench]
fn second_iter(b: Bencher) {
    b.iter(|| 1);
    b.iter(|| 2);
}

#[energy_bench]
fn inputs(b: &mut Bencher) {
    b.iter_requests(["a", "b"].iter().map(|prompt| prompt.len()), |_, _| ());
}

#[energy_bench]
fn tokens(b: &mut Bencher) {
    b.iter_requests(["a"], |_, request| request.tokens(1.5));
}

#[energy_bench]
fn metric(b: &mut Bencher) {
    b.iter_requests(["a"], |_, request| request.metric("hit_rate", "50%"));
}

#[energy_bench]
fn value_of_request(b: &mut Bencher) {
    b.iter_requests(["a"], |prompt, _| prompt.len());
}

#[energy_bench]
fn not_sync(b: &mut Bencher) -> Result<(), Error> {
    let _model = b.shared("model", || Ok::<_, Error>(RefCell::new(1)))?;
    b.iter(|| ());
    Ok(())
}

#[energy_bench]
fn not_a_runtime(b: Bencher) {
    b.to_async(7).iter(async || ());
}

struct Session;

#[energy_bench]
fn one_state_for_several_requests(b: Bencher) {
    b.with(Session).concurrency(2).iter_requests(["a"], |_, _, _| ());
}

#[energy_bench]
fn state_instead_of_function(b: Bencher) {
    b.arrivals(2.0, Arrivals::Poisson).with(Session).iter_requests(["a"], |_, _, _| ());
}

fn main() {}
