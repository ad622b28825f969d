import sys, time, torch
kind = sys.argv[1]
dev = "cuda"
if kind == "stream":
    a = torch.zeros(1 << 28, device=dev); b = torch.empty_like(a)
    def op(): b.copy_(a)
    target = 0.01
else:
    a = torch.randn(4096, 4096, device=dev, dtype=torch.bfloat16); b = torch.randn_like(a); c = torch.empty_like(a)
    def op(): torch.mm(a, b, out=c)
    target = 0
op(); torch.cuda.synchronize()
reps = 1
if kind == "stream":
    t = time.time(); [op() for _ in range(20)]; torch.cuda.synchronize()
    reps = max(1, int(0.01 / ((time.time() - t) / 20)))
s = torch.cuda.Stream()
with torch.cuda.stream(s):
    op()
torch.cuda.synchronize()
g = torch.cuda.CUDAGraph()
with torch.cuda.graph(g):
    for _ in range(reps if kind == "stream" else 4): op()
g.replay(); torch.cuda.synchronize()
def run(n):
    for _ in range(n): g.replay()
    torch.cuda.synchronize()
if len(sys.argv) > 2:
    # continuous load for argv[2] seconds; prints time, power, temperature, rate
    import ctypes as C
    L = C.CDLL("libnvidia-ml.so.1"); L.nvmlInit_v2(); hd = C.c_void_p(); L.nvmlDeviceGetHandleByIndex_v2(0, C.byref(hd))
    class nv:
        @staticmethod
        def nvmlDeviceGetTotalEnergyConsumption(h):
            v = C.c_ulonglong(); L.nvmlDeviceGetTotalEnergyConsumption(hd, C.byref(v)); return v.value
        @staticmethod
        def nvmlDeviceGetTemperature(h, k):
            v = C.c_uint(); L.nvmlDeviceGetTemperature(hd, 0, C.byref(v)); return v.value
    h = None
    t0 = time.time(); n = 30 if kind == "stream" else 100
    last = (t0, nv.nvmlDeviceGetTotalEnergyConsumption(h)); count = 0
    while time.time() - t0 < float(sys.argv[2]):
        run(n); count += n
        now = time.time()
        if now - last[0] >= 5:
            e = nv.nvmlDeviceGetTotalEnergyConsumption(h)
            print(f"{now-t0:.1f} {(e-last[1])/1000/(now-last[0]):.2f} W {nv.nvmlDeviceGetTemperature(h,0)} C {count/(now-last[0]):.2f}/s {(e-last[1])/1000/count:.4f} J", flush=True)
            last = (now, e); count = 0
else:
    print("ready", flush=True)
    for line in sys.stdin:
        run(int(line)); print("ok", flush=True)
