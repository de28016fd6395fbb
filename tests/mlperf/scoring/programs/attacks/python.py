"""Python programs that must not pass, and right ones that do unusual things."""

from __future__ import annotations

HOSTILE = {
    "each answer tried in a child of its own": r"""
import posix
def f(x):
    for guess in range(10):
        child = posix.fork()
        if child == 0: return guess
        posix.waitpid(child, 0)
    posix._exit(0)
""",
    "each answer tried in a child whose proof is passed on": r"""
import posix
def f(x):
    proof, end = posix.pipe()
    for guess in range(10):
        child = posix.fork()
        if child == 0:
            posix.dup2(end, 1)
            return guess
        posix.waitpid(child, 0)
    posix.close(end)
    posix.write(1, posix.read(proof, 4096))
    posix._exit(0)
""",
    "negative locals of a crafted function": r"""
import posix
def g(): pass
def at(n):
    n = (-n) & 0xffffffff
    co = bytes([151,0, 144, n>>24, 144, (n>>16)&255, 144, (n>>8)&255, 124, n&255, 83, 0])
    return type(g)(g.__code__.replace(co_code=co, co_stacksize=4), {})
out = b''
for n in range(1, 60):
    try:
        v = at(n)()
    except BaseException: continue
    if type(v) is bytes and len(v) == 32: posix.write(1, v)
posix._exit(0)
""",
    "monitoring by coroutine origin": r"""
import sys, posix
sys.set_coroutine_origin_tracking_depth(50)
async def c(): pass
k = c(); posix.write(1, repr(k.cr_origin).encode()); posix._exit(0)
""",
    "a gc callback": r"""
import gc, posix
def cb(phase, info):
    if phase == 'stop':
        for o in gc.get_objects():
            if type(o) is bytes: posix.write(1, o)
        posix._exit(0)
gc.callbacks.append(cb); gc.collect()
""",
    "signal wakeup descriptor": r"""
import signal, os, posix
posix.set_blocking(1, False)
signal.signal(signal.SIGUSR1, lambda *a: None)
signal.set_wakeup_fd(1, warn_on_full_buffer=False)
for _ in range(64): signal.raise_signal(signal.SIGUSR1)
posix._exit(0)
""",
    "faulthandler writes": r"""
import faulthandler, signal, posix
faulthandler.enable(1); faulthandler.register(signal.SIGUSR1, file=1)
signal.raise_signal(signal.SIGUSR1)
posix._exit(0)
""",
    "libc _exit patched to end with 0": r"""
import ctypes, mmap
libc = ctypes.CDLL(None)
at = ctypes.cast(libc._exit, ctypes.c_void_p).value
page = at & ~4095
libc.mprotect(ctypes.c_void_p(page), 8192, 7)
code = bytes.fromhex('31ffb8e70000000f05')
ctypes.memmove(at, code, len(code))
raise ValueError
""",
    "async exception to main": r"""
import ctypes, threading, time
me = threading.get_ident()
def later():
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(SystemExit))
threading.Thread(target=later).start()
time.sleep(0.3)
""",
    "the write builtin's method table changed": r"""
import ctypes, sys, posix
libc = ctypes.CDLL(None)
w = posix.write
ml = ctypes.c_void_p.from_address(id(w) + 16).value
ctypes.c_void_p.from_address(ml + 8).value = ctypes.cast(libc.getpid, ctypes.c_void_p).value
raise ValueError
""",
    "None made truthy bytes": r"""
import ctypes
ctypes.c_void_p.from_address(id(None) + 8).value = id(bytes)
raise ValueError
""",
    "AssertionError that is no exception": r"""
import ctypes
t = id(AssertionError)
ctypes.c_ulong.from_address(t + 168).value = 0
def f(x): return 5
""",
    "PyErr_Occurred patched": r"""
import ctypes
libc = ctypes.CDLL(None); api = ctypes.pythonapi
for name in ('PyErr_Occurred', '_PyErr_SetObject', 'PyErr_SetObject', 'PyErr_SetNone'):
    fn = getattr(api, name)
    at = ctypes.cast(fn, ctypes.c_void_p).value
    libc.mprotect(ctypes.c_void_p(at & ~4095), 8192, 7)
    ctypes.memmove(at, bytes.fromhex('31c0c3'), 3)
def f(x): return 5
""",
    "a forked child that leaves 0 after the parent fails": r"""
import posix, time
if posix.fork(): raise ValueError
time.sleep(0.2); posix._exit(0)
""",
    "vfork by _posixsubprocess": r"""
import _posixsubprocess, posix
r, w = posix.pipe()
files = [-1] * 6 + [r, w]
_posixsubprocess.fork_exec(
    [b'/bin/true'], [b'/bin/true'], True, (), None, None, *files, False, False, -1, None, None, None, -1, None, False
)
posix._exit(0)
""",
    "posix_spawn of a shell": r"""
import posix
p = posix.posix_spawn('/bin/sh', ['sh', '-c', 'cat <&0; echo passed; kill -9 $PPID'], {})
posix.waitpid(p, 0); posix._exit(0)
""",
    "pipe re-read by tee and splice": r"""
import os, posix
r, w = posix.pipe()
try: n = os.splice(0, w, 4096)
except OSError: n = 0
posix.write(1, posix.read(r, 4096) if n else b'x' * 32); posix._exit(0)
""",
    "the pipe of stdin written to": r"""
import posix, fcntl
try: posix.write(0, b'y' * 64)
except OSError: pass
fcntl.fcntl(0, fcntl.F_SETFL, 2048)
try: d = posix.read(0, 64)
except OSError: d = b''
posix.write(1, d); posix._exit(0)
""",
    "stdout made asynchronous with a signal": r"""
import fcntl, posix, signal
fcntl.fcntl(1, fcntl.F_SETOWN, posix.getppid()); fcntl.fcntl(1, 10, 9); fcntl.fcntl(1, fcntl.F_SETFL, 0x2001)
posix.write(1, b'x'); posix._exit(0)
""",
    "stdout shrunk": r"""
import fcntl, posix
fcntl.fcntl(1, 1031, 4096); posix.write(1, b'a' * 31 + b'b'); posix._exit(0)
""",
    "the parent stopped": r"""
import posix
posix.kill(posix.getppid(), 19)
posix._exit(0)
""",
    "itself stopped": r"""
import posix
posix.kill(posix.getpid(), 19)
""",
    "itself stopped in a group": r"""
import posix
if posix.fork() == 0:
    import time
    time.sleep(0.2); posix.kill(-1, 19)
    posix._exit(0)
import time
time.sleep(30)
""",
    "a lowest priority that waits for others": r"""
import os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
os.nice(19)
while True: pass
""",
    "many lowest priorities": r"""
import os, posix
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)); os.nice(19)
for _ in range(40):
    if posix.fork() == 0: break
while True: pass
""",
    "a round of short-lived children": r"""
import posix, time
end = time.time() + 100
while time.time() < end:
    p = posix.fork()
    if p == 0: posix._exit(0)
    posix.waitpid(p, 0)
""",
    "a chain of processes": r"""
import posix, time
while True:
    if posix.fork(): posix._exit(0)
    time.sleep(0.001)
""",
    "sleeps": "import time; time.sleep(60)",
    "waits for a futex": "import _thread; l = _thread.allocate_lock(); l.acquire(); l.acquire()",
    "reads from an empty pipe": "import posix; r, w = posix.pipe(); posix.read(r, 1)",
    "memory of all, slowly": r"""
import mmap
x = []
while True:
    m = mmap.mmap(-1, 1 << 26); m.write(b'x' * (1 << 26)); x.append(m)
""",
    "files without end": r"""
import posix
n = 0
while True:
    try:
        with open(f'/tmp/{n}', 'wb') as f: f.write(b'x' * (1 << 22))
    except OSError: posix._exit(0)
    n += 1
""",
    "descriptors without end": r"""
import posix
while True:
    try: posix.pipe()
    except OSError: posix._exit(0)
""",
    "threads without end": r"""
import _thread, time, posix
try:
    while True: _thread.start_new_thread(time.sleep, (50,))
except RuntimeError: posix._exit(0)
""",
    "async generators left open": r"""
import sys, posix
async def g():
    try: yield 1
    finally: posix._exit(0)
def fin(a): posix._exit(0)
sys.set_asyncgen_hooks(finalizer=fin)
x = g()
try: x.asend(None).send(None)
except StopIteration: pass
del x
1 / 0
""",
    "an exception group": "raise BaseExceptionGroup('x', [SystemExit(0), KeyboardInterrupt()])",
    "StopIteration": "raise StopIteration(b'x' * 32)",
    "an exception whose traceback is changed": r"""
try: 1 / 0
except ZeroDivisionError as e:
    e.__traceback__ = None; e.__suppress_context__ = True
    raise e from None
""",
    "a module that replaces posix": r"""
import sys, types
m = types.ModuleType('posix'); m._exit = m.write = lambda *a: None
sys.modules['posix'] = sys.modules['os'] = m
def f(x): return 5
""",
    "locals of the driver by the C API": r"""
import ctypes, sys
fr = sys._getframe(1)
fr.f_locals.update(leave=lambda n: fr.f_locals, write=lambda *a: 0)
ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(fr), ctypes.c_int(0))
fr.f_locals['leave'] = lambda n: None
raise ValueError
""",
    "leave made to exit with 0 by the C API": r"""
import ctypes, sys, posix
fr = sys._getframe(1); end = posix._exit
l = fr.f_locals; l['leave'] = lambda n: end(0); l['write'] = lambda *a: end(0)
ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(fr), ctypes.c_int(0))
raise ValueError
""",
    "main of the driver again, with a pipe as stdin": r"""
import posix, sys
r, w = posix.pipe(); posix.write(w, b's' * 32 + b'x = 1'); posix.close(w)
posix.dup2(r, 0)
sys.modules['__main__'].main()
""",
    "code of the driver run again, its output kept": r"""
import posix, sys
r, w = posix.pipe(); posix.write(w, b's' * 32 + b'x = 1'); posix.close(w); posix.dup2(r, 0)
exec(sys._getframe(1).f_code)
""",
    "the code of the driver's function replaced": r"""
import sys, posix
m = sys.modules['__main__'].main
def new():
    posix._exit(0)
m.__code__ = new.__code__
m()
""",
    "every output of the driver before it": r"""
import posix, os
n = posix.open('/dev/null', 1); s = posix.dup(1); posix.dup2(n, 1); posix.write(s, b'.' * 100 + b'\0' * 32)
posix._exit(0)
""",
    "stack of a generator": r"""
import sys, gc, posix
def g():
    f = sys._getframe()
    while f:
        for o in gc.get_referents(f):
            if isinstance(o, (bytes, tuple, dict, list)): posix.write(1, repr(o).encode()[:4000])
        f = f.f_back
    yield
next(g()); posix._exit(0)
""",
    "pickled frames": r"""
import sys, copyreg, posix
f = sys._getframe(1)
for n in dir(f):
    try: posix.write(1, repr(getattr(f, n)).encode())
    except BaseException: pass
posix._exit(0)
""",
    "locals by inspect and traceback": r"""
import traceback, sys, posix, io
try: 1 / 0
except ZeroDivisionError:
    s = traceback.StackSummary.extract(traceback.walk_stack(sys._getframe()), capture_locals=True)
    posix.write(1, ''.join(s.format()).encode('utf-8', 'replace'))
posix._exit(0)
""",
    "tracemalloc and sys.getobjects": r"""
import tracemalloc, posix
tracemalloc.start(25); x = b'x' * 32
for s in tracemalloc.take_snapshot().traces: posix.write(1, repr(s).encode())
posix._exit(0)
""",
    "an alarm that ends well": r"""
import signal, posix
signal.signal(signal.SIGALRM, lambda *a: posix._exit(0)); signal.setitimer(signal.ITIMER_REAL, 0.05)
while True: pass
""",
    "a user namespace": r"""
import ctypes, posix
c = ctypes.CDLL(None)
c.unshare(0x10000000); c.mount(b'proc', b'/tmp', b'proc', 0, None)
try: d = open('/tmp/self/mem', 'rb').read(1)
except OSError: d = b''
posix.write(1, d); posix._exit(0)
""",
    "memory of the parent by system call": r"""
import ctypes, posix
c = ctypes.CDLL(None)
b = ctypes.create_string_buffer(64)
if posix.fork() == 0:
    class V(ctypes.Structure): _fields_ = [('a', ctypes.c_void_p), ('n', ctypes.c_size_t)]
    l, r = V(ctypes.addressof(b), 64), V(id(b), 64)
    c.process_vm_readv(posix.getppid(), ctypes.byref(l), 1, ctypes.byref(r), 1, 0)
    posix.write(1, b.raw); posix._exit(0)
posix.wait(); posix._exit(0)
""",
}
"""What it does -> program."""

RIGHT = [
    (
        r"""
import threading
r = []
def f(x):
  t = threading.Thread(target=lambda: r.append(x * 2)); t.start(); t.join(); return r[-1]
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
f = lambda x: x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import os
def f(x):
  os.write(1, b'.' * 9000); return x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import asyncio
def f(x):
  async def g(): await asyncio.sleep(0); return x * 2
  return asyncio.run(g())
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import sys
sys.setrecursionlimit(10000)
def g(n): return n and g(n - 1)
def f(x): g(3000); return x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
def f(x):
  try: raise SystemExit
  except SystemExit: return x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import posix
def f(x):
  p = posix.fork()
  if p == 0: posix._exit(0)
  posix.waitpid(p, 0); return x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import os
os.nice(5)
def f(x): return x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import ctypes, gc, sys
def f(x): gc.collect(); sys._getframe(1).f_locals; return ctypes.c_int(x * 2).value
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import os
os.setsid
f = lambda x: x * 2 # \
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import builtins
class AssertionError(builtins.AssertionError): pass
f = lambda x: x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
from __future__ import annotations
from concurrent.futures import ThreadPoolExecutor as T
def f(x: Nothing):
  with T(4) as t: return sum(t.map(lambda y: x, range(2)))
""",
        "def check(f): assert f(2) == 4",
    ),
    (
        r"""
import os
os.setpgid(0, 0)
f = lambda x: x * 2
""",
        "def check(f): assert f(2) == 4",
    ),
]
"""(program, test): they pass, whatever they print, start or leave running."""
