"""Keeps one GPU busy for the given number of seconds. Needs only the driver, no toolkit or framework."""
import ctypes, sys, time
cuda = ctypes.CDLL("libcuda.so.1")
def ok(code, what):
    if code: sys.exit(f"{what}: CUDA error {code}")
body = "\n".join("fma.rn.f32 %f1,%f1,%f3,%f2; fma.rn.f32 %f4,%f4,%f3,%f2;" for _ in range(16))
ptx = f"""
.version 7.0
.target sm_70
.address_size 64
.visible .entry busy(.param .u64 n, .param .u64 out)
{{
 .reg .f32 %f<8>; .reg .u64 %r<6>; .reg .pred %p<3>;
 ld.param.u64 %r1,[n]; ld.param.u64 %r3,[out]; mov.u64 %r2,0;
 mov.f32 %f1,0f3F800000; mov.f32 %f2,0f3F000001; mov.f32 %f3,0f3F7FFFFF; mov.f32 %f4,0f3F900000;
L:
 {body}
 add.u64 %r2,%r2,1; setp.lt.u64 %p1,%r2,%r1; @%p1 bra L;
 add.f32 %f1,%f1,%f4; setp.eq.f32 %p2,%f1,0f00000000; @!%p2 bra E;
 cvta.to.global.u64 %r4,%r3; st.global.f32 [%r4],%f1;
E: ret;
}}
""".encode()
ok(cuda.cuInit(0), "init")
dev, ctx, mod, fn, mem = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_uint64()
ok(cuda.cuDeviceGet(ctypes.byref(dev), 0), "device")
ok(cuda.cuCtxCreate_v2(ctypes.byref(ctx), 0, dev), "context")
ok(cuda.cuModuleLoadData(ctypes.byref(mod), ptx), "module")
ok(cuda.cuModuleGetFunction(ctypes.byref(fn), mod, b"busy"), "function")
ok(cuda.cuMemAlloc_v2(ctypes.byref(mem), 4), "memory")
n, out = ctypes.c_uint64(200000), ctypes.c_uint64(mem.value)
args = (ctypes.c_void_p * 2)(ctypes.addressof(n), ctypes.addressof(out))
until = time.monotonic() + float(sys.argv[1])
count = 0
while time.monotonic() < until:
    ok(cuda.cuLaunchKernel(fn, 1056, 1, 1, 256, 1, 1, 0, None, args, None), "launch")
    ok(cuda.cuCtxSynchronize(), "synchronize")
    count += 1
print(count, "kernels", flush=True)
