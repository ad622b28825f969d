"""Measures the same load at the same moments with Zeus, lem-bench and the power gauge, on a real NVIDIA GPU.

    cargo build --release --no-default-features --features nvml --example energy_window
    pip install zeus torch
    python3 reports/zeus/card.py target/release/examples/energy_window

The load is a number of products of 8192 x 8192 bf16 matrices, at random moments. "Gauge" is power field 186, read every 8 ms from
0.2 s before to 0.6 s after the load, less the power before it: right on average, noisy for a single load. Prints a table in
Markdown: energies are per product and above the power at rest, spreads are standard deviations over the mean.
"""

import ctypes
import importlib.metadata
import random
import statistics
import subprocess
import sys
import threading
import time

import torch
from zeus.monitor import ZeusMonitor

# Seconds of load, and how often each is measured.
LOADS = [(0.3, 12), (0.5, 12), (1.0, 12), (2.0, 10), (5.0, 6)]


class Gauge:
    """Reads power field 186 in a thread."""

    class Value(ctypes.Structure):
        _fields_ = [("field", ctypes.c_uint), ("scope", ctypes.c_uint), ("at", ctypes.c_longlong),
                    ("latency", ctypes.c_longlong), ("type", ctypes.c_int), ("result", ctypes.c_int),
                    ("milliwatts", ctypes.c_ulonglong)]

    def __init__(self):
        self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
        self.nvml.nvmlInit_v2()
        self.device = ctypes.c_void_p()
        self.nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(self.device))
        self.points = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            value = self.Value(field=186)
            self.nvml.nvmlDeviceGetFieldValues(self.device, 1, ctypes.byref(value))
            self.points.append((time.monotonic(), (value.milliwatts & 0xFFFFFFFF) * 1e-3))
            time.sleep(0.008)

    def energy(self, start, stop):
        """Energy of the load above the power before it, in J."""
        points = [(at, watts) for at, watts in self.points if start - 0.2 <= at <= stop + 0.6]
        rest = statistics.mean(watts for at, watts in points if at < start)
        return sum((watts - rest) * (at - before) for (before, _), (at, watts) in zip(points, points[1:]))


def main():
    matrix = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    product = torch.empty_like(matrix)

    def load(n):
        for _ in range(n):
            torch.mm(matrix, matrix, out=product)
        torch.cuda.synchronize()

    load(50)
    begin = time.monotonic()
    load(300)
    seconds = (time.monotonic() - begin) / 300
    gauge = Gauge()
    zeus = ZeusMonitor(gpu_indices=[0], cpu_indices=[], approx_instant_energy=False)
    ours = subprocess.Popen([sys.argv[1], "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line():
        return ours.stdout.readline().split()

    def tell():
        ours.stdin.write("\n")
        ours.stdin.flush()

    print(f"{torch.cuda.get_device_name()}, zeus {importlib.metadata.version('zeus')}, {1e3 * seconds:.3f} ms per product\n")
    print("| load | n | gauge, mean J | lem-bench, mean J | spread | stated u | Zeus, mean J | spread |")
    print("|---|---|---|---|---|---|---|---|")
    for length, repeats in LOADS:
        n = max(1, round(length / seconds))
        rows = []
        took = []
        for _ in range(repeats):
            time.sleep(0.5 + random.random() * 0.3)
            # The window of lem-bench encloses that of Zeus, by the time of one line through a pipe.
            tell()
            assert line()[0] == "begin"
            zeus.begin_window("w", sync_execution=False)
            start = time.monotonic()
            load(n)
            stop = time.monotonic()
            theirs = zeus.end_window("w", sync_execution=False).total_energy
            tell()
            assert line()[0] == "end"
            measured = float(line()[1])
            uncertainty = float(line()[1])
            time.sleep(0.7)
            points = [watts for at, watts in gauge.points if start - 0.2 <= at < start]
            rest = statistics.mean(points) * (stop - start)
            rows.append((gauge.energy(start, stop) / n, (measured - rest) / n, (theirs - rest) / n, uncertainty / n))
            took.append(stop - start)
            gauge.points = gauge.points[-200:]
        columns = list(zip(*rows))
        mean = [statistics.mean(column) for column in columns]
        spread = [100 * statistics.stdev(column) / value for column, value in zip(columns, mean)]
        bias = [f"{value:.4f} ({100 * (value / mean[0] - 1):+.1f} %)" for value in mean]
        print(f"| {statistics.mean(took):.2f} s | {repeats} | {mean[0]:.4f} | {bias[1]} | {spread[1]:.2f} % "
              f"| {100 * mean[3] / mean[1]:.2f} % | {bias[2]} | {spread[2]:.2f} % |", flush=True)
    ours.stdin.close()
    return ours.wait()


sys.exit(main())
