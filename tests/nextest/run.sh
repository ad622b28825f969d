#!/usr/bin/env bash
# Runs the benches of a crate outside the workspace, with lem-bench as its only dependency, with cargo and cargo-nextest.
# Checks names, exit codes and the results folder. Needs cargo-nextest. Takes about a minute plus one build of lem-bench.
#
# usage: tests/nextest/run.sh [FOLDER]   keeps the copy and its target folder in FOLDER
set -euo pipefail

suite=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -gt 0 ]; then
    mkdir -p "$1"
    top=$(cd "$1" && pwd)
else
    top=$(mktemp -d)
    trap 'rm -rf "$top"' EXIT
fi
crate=$top/downstream
mkdir -p "$crate"
cp -R "$suite/tests/downstream/." "$crate/"
sed -i "s|@LEM_BENCH@|$suite/lem-bench|" "$crate/Cargo.toml" "$crate/library/Cargo.toml"
# The versions that the workspace was tested with.
cp "$suite/Cargo.lock" "$crate/Cargo.lock"

for name in $(compgen -e | grep -E '^(LEM_BENCH_|NEXTEST|CARGO_)' | grep -vE '^CARGO_HOME$' || true); do unset "$name"; done
export CARGO_TERM_COLOR=never RUST_BACKTRACE=0
export NEXTEST_EXPERIMENTAL_BENCHMARKS=1
# nextest rejects unknown flags, so that all options are environment variables.
export LEM_BENCH_METER=estimate LEM_BENCH_CYCLES=3 LEM_BENCH_MIN_WINDOW=50ms LEM_BENCH_WARM_UP_TIME=100ms
export LEM_BENCH_LOCK_FILE=$top/lock
home=$crate/target/lem-bench
cd "$crate"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# run CODE NAME COMMAND…: runs a command, saves its output in $top/NAME.out, and checks its exit code.
run() {
    local expected=$1 name=$2 code=0
    shift 2
    echo "== $*"
    "$@" >"$top/$name.out" 2>&1 || code=$?
    if [ "$code" != "$expected" ]; then
        cat "$top/$name.out" >&2
        fail "$* ended with $code, not $expected"
    fi
}

# has NAME TEXT…: checks that the output of command NAME contains all texts.
has() {
    local name=$1
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$top/$name.out" || { cat "$top/$name.out" >&2; fail "no \"$text\" in the output of $name"; }
    done
}

runs() {
    find "$home/runs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | wc -l
}

rm -rf "$home"
run 0 test cargo test --release --benches
has test "test sum/n=1000 ... ok" "test sum/n=2000 ... ok" "test mode"
run 0 nextest-run cargo nextest run --release --benches
has nextest-run "downstream::bench/energy sum/n=1000" "downstream::bench/energy sum/n=2000" "2 tests run: 2 passed"
[ "$(runs)" = 0 ] || fail "test mode wrote results"

run 0 bench cargo bench
has bench "sum/n=1000" "sum/n=2000" "estimated" "results are in $home/runs/"
[ "$(runs)" = 1 ] || fail "cargo bench made $(runs) runs, not 1"
run 0 bench-filter cargo bench -- n=2000 --quick --min-window 20ms
has bench-filter "sum/n=2000" "1 bench"
# Cargo forwards the exit code if a single target fails.
run 5 bench-nosuch cargo bench -- nosuch
has bench-nosuch "no bench matches \`nosuch\`" "--no-match"
run 2 bench-usage cargo bench -- --cycels 3
has bench-usage "--cycles"

rm -rf "$home"
run 0 nextest-bench cargo nextest bench
has nextest-bench "downstream::bench/energy sum/n=1000" "2 benchmarks run: 2 passed"
[ "$(runs)" = 1 ] || fail "the processes of one nextest run made $(runs) runs, not 1"
folder=$(echo "$home"/runs/nextest-*)
[ "$(find "$folder" -name 'journal-*.jsonl' | wc -l)" = 2 ] || fail "$folder does not have one journal per process"
for id in sum/n=1000 sum/n=2000; do
    grep -qF "\"id\":\"$id\"" "$folder/summary.json" || fail "$id is not in the summary of the whole run"
done
[ -s "$folder/index.html" ] || fail "no page in $folder"

# Without `harness = false`, rustc's own harness would run no bench and succeed.
sed -i 's|^harness = false|# &|' Cargo.toml
for command in "cargo bench" "cargo test --release --benches"; do
    run 101 harness $command
    has harness 'add `harness = false` below its `[[bench]]` and `name` in Cargo.toml'
done
sed -i 's|^# harness = false|harness = false|' Cargo.toml

# The shapes of bench that users write, in both editions.
for edition in 2021 2024; do
    sed -i "s|^edition = .*|edition = \"$edition\"|" Cargo.toml
    run 0 shapes-test cargo test --release --features shapes --bench shapes
    has shapes-test "24 passed" "test downstream_library::library_sum ... ok"
    run 0 shapes-nextest cargo nextest run --release --features shapes --bench shapes
    has shapes-nextest "shapes second_iter"
    run 0 shapes-bench cargo bench --features shapes --bench shapes -- --quick
    has shapes-bench "async_arrivals/per_s=20" "inputs_by_reference" "accepted_drafts"
done

# A bench behind a feature, and two targets with the same bench: each result has its target.
run 0 feature cargo test --release --features shapes,more --bench shapes
has feature "25 passed" "test with_a_feature ... ok"
rm -rf "$home"
run 0 targets cargo bench --features shapes --bench '*' -- --quick n=1000
[ "$(runs)" = 2 ] || fail "two targets made $(runs) runs, not 2"
for target in energy shapes; do
    grep -lF "\"target\":\"$target\"" "$home"/runs/*/summary.json >/dev/null || fail "no result of the target $target"
done
[ -s "$home/workspace/index.html" ] || fail "no joint page of both targets"

# nextest reports a failing bench as failed.
sed -i 's|fn sum(b: &mut Bencher, n: u64) {|& assert!(n < 2000, "too many");|' benches/energy.rs
run 100 nextest-failure cargo nextest bench --no-fail-fast
has nextest-failure "too many" "1 passed, 1 failed"
run 101 bench-failure cargo bench
has bench-failure "sum/n=2000: too many"
echo "downstream: all checks passed"
