"""Compares the bootstraps of lem-bench with numpy and a compiled loop (numba), in one run on one machine.

pip install numpy numba; python tests/tools/stats_speed/compare.py [MILLIONS OF SAMPLES]
Times are the shortest of several runs.
"""

import json
import pathlib
import subprocess
import sys
import time

import numba as nb
import numpy as np

MILLIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
CYCLES, RESAMPLES = 10, 10_000


def shortest(runs, f):
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best


@nb.njit(inline="always")
def splitmix(s):
    s = s + np.uint64(0x9E3779B97F4A7C15)
    z = (s ^ (s >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return s, z ^ (z >> np.uint64(31))


@nb.njit
def ratio_replicates(energy, tokens, resamples):
    n = len(energy)
    out = np.zeros(resamples)
    for b in range(resamples):
        s = np.uint64(b + 1) * np.uint64(0x632BE59BD9B4E019)
        top = bottom = 0.0
        for _ in range(n):
            s, z = splitmix(s)
            k = ((z >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32)
            top += energy[k]
            bottom += tokens[k]
        out[b] = top / bottom
    return out


def main():
    rng = np.random.default_rng(1)
    energy = 70_000 + 500.0 * (np.arange(CYCLES) * 7 % 10)
    tokens = 20_000 + 130.0 * (np.arange(CYCLES) * 3 % 10)
    ratio_replicates(energy, tokens, 10)
    loop = shortest(300, lambda: ratio_replicates(energy, tokens, RESAMPLES))

    per_cycle = MILLIONS * 1_000_000 // CYCLES
    level = 12e6 * (1 + 0.01 * (np.arange(CYCLES) * 3 % 10) / 10)
    pool = [(x * (0.9 + 0.1 * rng.exponential(size=per_cycle) + 0.02 * rng.random(per_cycle))).astype(np.uint32) for x in level]
    q = [0.5, 0.95, 0.99]
    concatenate = shortest(3, lambda: np.quantile(np.concatenate([pool[i] for i in rng.integers(0, CYCLES, CYCLES)]), q))
    del pool

    root = pathlib.Path(__file__).resolve().parents[3]
    command = ["cargo", "run", "--quiet", "--release", "--example", "stats_speed", "--", str(MILLIONS)]
    lines = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    cases = {(c["case"], c.get("threads")): c for c in map(json.loads, lines)}

    print(f"compiled loop, 10 cycle sums x 10,000, ratios alone, 1 thread  {loop * 1e3:10.3f} ms")
    for threads in (1, 2):
        c = cases["ratio bootstrap", threads]
        print(f"lem-bench, ratios, bootstrap-t, BCa, all quantiles, {threads} threads {c['wall'] * 1e3:11.3f} ms"
              f"  {c['wall'] / loop:.2f} x the loop")
    print(f"numpy, concatenate + quantile, {MILLIONS} million, one resample {concatenate * 1e3:16.3f} ms")
    for threads in (1, 2):
        prepare = cases["pooled quantiles: prepare", threads]
        run = cases["pooled quantiles: 10000 resamples", threads]
        a_resample, all_in = run["wall"] / RESAMPLES, (prepare["wall"] + run["wall"]) / RESAMPLES
        print(f"lem-bench, {threads} threads: prepare {prepare['wall']:.3f} s, 10,000 resamples {run['wall']:.3f} s; a resample"
              f" {concatenate / a_resample:,.0f} x faster, {concatenate / all_in:,.0f} x with the preparation"
              f"  (on the processor {prepare['cpu']:.3f} + {run['cpu']:.3f} s)")
    print(f"lem-bench, peak memory {cases['peak memory', None]['MiB']:.0f} MiB, of which {MILLIONS * 4} MB are the input")


main()
