//! `cargo lem`: what belongs to no single bench binary. Cargo starts this for `cargo lem …`.

fn main() {
    lem_bench::__private::harness::cargo_lem()
}
