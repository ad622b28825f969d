# Development commands. See CONTRIBUTING.md.

# Format, lints and unit tests, without candle.
check:
    cargo fmt --all --check
    cargo clippy --workspace --no-default-features --features lem-bench/default --all-targets -- -D warnings
    cargo test -p lem-bench -p lem-bench-macros --lib

# All tests.
test:
    cargo test

# Everything that CI runs.
full:
    .ci/run
