"""Measures the windows of the example `energy_window` with Zeus too, and prints both and the truth; see zeus_compare.sh."""

import importlib.metadata
import json
import os
import subprocess
import sys
import time

# Both processes replay the same machine.
EPOCH_NS = time.monotonic_ns()
os.environ["LEM_NVML_DOUBLE_EPOCH_NS"] = str(EPOCH_NS)

from zeus.monitor import ZeusMonitor  # noqa: E402  (loads the driver's library)


def joules_until(t, steps, repeat_s):
    """Returns the integral of the described power from the epoch to `t` seconds."""
    whole, rest = divmod(t, repeat_s)
    ends = [s for s, _ in steps[1:]] + [repeat_s]
    once = sum(w * (e - s) for (s, w), e in zip(steps, ends))
    part = sum(w * max(0.0, min(e, rest) - s) for (s, w), e in zip(steps, ends))
    return whole * once + part


def main():
    ours, machine = sys.argv[1:3]
    seconds = [s for s in sys.argv[3:] if s] or ["0.15", "0.5", "1", "2", "5"]
    power = json.load(open(machine))["devices"][0]["power_w"]
    at = lambda ns: joules_until((ns - EPOCH_NS) * 1e-9, power["steps"], power["repeat_s"])  # noqa: E731
    monitor = ZeusMonitor(gpu_indices=[0], cpu_indices=[], approx_instant_energy=False)
    print(f"zeus {importlib.metadata.version('zeus')} and lem-bench, one described GPU, counter of 100 ms")
    print("window      truth       zeus              lem-bench         (what the sensor allows)")
    process = subprocess.Popen([ours, *seconds], stdout=subprocess.PIPE, text=True)
    begin = end = zeus = None
    for line in process.stdout:
        word, *numbers = line.split()
        if word == "begin":
            monitor.begin_window("w", sync_execution=False)
            begin = int(numbers[0])
        elif word == "end":
            end = int(numbers[0])
            zeus = monitor.end_window("w", sync_execution=False).total_energy
        elif word == "energy":
            truth, (joules, low, high) = at(end) - at(begin), map(float, numbers)
            error = lambda j: f"{j:9.2f} J {100 * (j / truth - 1):+6.2f} %"  # noqa: E731
            print(f"{(end - begin) * 1e-9:6.3f} s {truth:9.2f} J {error(zeus)} {error(joules)} ({low:.2f} to {high:.2f} J)")
    return process.wait()


sys.exit(main())
