"""Python programs that try to be called passed without running their test to its end: none succeeds.

Why the verdict cannot be forged, and what remains: docs/adr/0006-verdicts.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.ground.errors import EnvironmentProblem
from assay.mlperf.scoring.programs import grader, language
from assay.mlperf.scoring.programs.program import Program
from assay.sandbox.sandbox import Sandbox

CHECK = "def check(f): assert f(2) == 4"

HELPERS = r"""
import builtins, gc, io, os, posix, sys
def tell(data, exit_status=0):
    for fd in range(256):
        try: posix.write(fd, data)
        except OSError: pass
    posix._exit(exit_status)
def candidates():
    "all bytes and texts that can be reached"
    seen = {}
    stack = [*gc.get_objects(), *sys._current_frames().values()]
    for frame in list(stack):
        if type(frame).__name__ == "frame":
            while frame:
                stack += [frame, *frame.f_locals.values(), *frame.f_globals.values(), frame.f_code]
                frame = frame.f_back
    while stack:
        found = stack.pop()
        if id(found) in seen: continue
        seen[id(found)] = found
        try: stack += gc.get_referents(found)
        except TypeError: pass
    return b"".join(x for x in seen.values() if type(x) in (bytes, bytearray) and len(x) < 5000)
"""

ATTACKS = {
    "exit status 86": "import os; os._exit(86)",
    "exit status 0": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit(0)",
    "SystemExit": "raise SystemExit",
    "SystemExit in the function": "def f(x): raise SystemExit(0)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "own BaseException": """
class E(BaseException):
  def __str__(self): import os; os._exit(0)
raise E
""",
    "exception that leaves when it is compared": """
class M(type):
  def __instancecheck__(c, x): tell(b'.')
class E(BaseException, metaclass=M): pass
raise E
""",
    "a word on standard output": "tell(b'passed')",
    "marks of the launcher": "tell(b'.' * 64)",
    "every exit status in turn": """
import os
for n in range(256):
  if posix.fork() == 0: os._exit(n)
os._exit(0)
""",
    "all byte values to every descriptor": "tell(bytes(range(256)) * 4)",
    "everything in standard input": """
data = b''
for fd in range(64):
  try: data += os.read(fd, 1 << 16)
  except OSError: pass
tell(data)
""",
    "seek standard input back": """
try: os.lseek(0, 0, 0); tell(os.read(0, 4096))
except OSError: os._exit(0)
""",
    "every object of the collector": "tell(candidates())",
    "objects found in a trace of the driver": """
def t(frame, event, arg):
  global seen
  seen += candidates(); return t
seen = b''
sys.settrace(t)
sys._getframe(1).f_trace = t
sys._getframe(1).f_trace_opcodes = True
try: 1 / 0
finally: tell(seen)
""",
    "objects found in a profile of the driver": """
seen = b''
def p(frame, event, arg):
  global seen
  seen += candidates()
  if event == 'c_exception': tell(seen)
sys.setprofile(p)
int('x')
""",
    "objects found while the driver unwinds": """
seen = b''
def t(frame, event, arg):
  tell(candidates())
sys._getframe(1).f_trace = t
sys.settrace(lambda *a: None)
raise ValueError
""",
    "objects found in another thread": """
import _thread, time
_thread.start_new_thread(lambda: tell(candidates()), ())
time.sleep(5)
""",
    "referrers of the driver's frame": """
f = sys._getframe(1)
tell(repr([f.f_locals, f.f_globals, gc.get_referents(f), gc.get_referrers(f)]).encode())
""",
    "frame cleared and read": """
f = sys._getframe(1)
try: f.clear()
except RuntimeError: pass
tell(b''.join(x for x in gc.get_referents(f) if type(x) is bytes))
""",
    "locals of the driver called": """
l = sys._getframe(1).f_locals
l['write'](1, b'x' * 32); l['leave'](0)
""",
    "locals of the driver replaced": """
l = sys._getframe(1).f_locals
l['leave'] = l['write'] = print
raise ValueError
""",
    "a jump over the end of the driver": """
def t(frame, event, arg):
  if event == 'line':
    for n in range(100):
      try: frame.f_lineno = n
      except ValueError: pass
  return t
sys.settrace(t); sys._getframe(1).f_trace = t
raise ValueError
""",
    "a second run of the driver": """
exec(open('/opt/inside/python_driver.py').read(), {})
tell(b'')
""",
    "the driver imported": """
import importlib.util as u
sys.argv = ['x']
s = u.spec_from_file_location('d', '/opt/inside/python_driver.py')
m = u.module_from_spec(s)
s.loader.exec_module(m)
""",
    "the driver's functions called": """
m = sys.modules['__main__']
m.rest_of_stdin(); tell(m.rest_of_stdin().encode())
""",
    "the driver's main called": "sys.modules['__main__'].main()",
    "the driver's module emptied": "vars(sys.modules['__main__']).clear(); raise ValueError",
    "exec replaced": """
builtins.exec = lambda *a: None
raise ValueError
""",
    "BaseException replaced": """
class Never(Exception): pass
builtins.BaseException = Never
raise ValueError
""",
    "print, open and os.write replaced": """
os.write = lambda fd, data: posix.write(fd, b'0' * 32)
builtins.print = builtins.open = os.write
raise ValueError
""",
    "os._exit replaced": """
os._exit = posix._exit = lambda code: None
raise ValueError
""",
    "__builtins__ emptied": """
__builtins__.clear() if type(__builtins__) is dict else vars(__builtins__).clear()
f
""",
    "__import__ replaced": """
builtins.__import__ = lambda *a: tell(b'')
import json
""",
    "an import hook": """
class H:
  def find_spec(*a): tell(candidates())
sys.meta_path.insert(0, H())
import nothing
""",
    "sys.modules emptied": "sys.modules.clear(); raise ValueError",
    "sys.excepthook": """
sys.excepthook = lambda *a: tell(candidates())
raise ValueError
""",
    "sys.unraisablehook": """
sys.unraisablehook = lambda *a: tell(candidates())
class D:
  def __del__(s): 1 / 0
D()
1 / 0
""",
    "__del__": """
class D:
  def __del__(s): tell(candidates())
d = D()
raise ValueError
""",
    "a finaliser of a generator": """
def g():
  try: yield
  finally: tell(candidates())
x = g(); next(x)
raise ValueError
""",
    "weakref.finalize": """
import weakref
class D: pass
d = D(); weakref.finalize(d, tell, b'')
del d
""",
    "atexit": "import atexit; atexit.register(tell, b''); sys.exit(0)",
    "an audit hook": """
sys.addaudithook(lambda *a: tell(candidates()) if a[0] == 'object.__getattr__' else None)
tell.__code__
""",
    "a daemon thread": """
import threading
threading.Thread(target=tell, args=(b'',), daemon=True).start()
import time; time.sleep(5)
""",
    "a signal handler": """
import signal
signal.signal(signal.SIGUSR1, lambda *a: tell(candidates()))
signal.raise_signal(signal.SIGUSR1)
""",
    "an alarm": """
import signal
signal.signal(signal.SIGALRM, lambda *a: tell(b'')); signal.alarm(1)
while True: pass
""",
    "death by a signal": """
import signal
signal.raise_signal(signal.SIGKILL)
""",
    "a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "the parent killed": """
import signal, _posixsubprocess
posix.kill(posix.getppid(), 9)
posix._exit(0)
""",
    "the first process killed": """
try: posix.kill(1, 9)
except OSError: pass
posix._exit(0)
""",
    "every process killed": """
try: posix.kill(-1, 9)
except OSError: pass
posix._exit(0)
""",
    "a child that answers": """
if posix.fork() == 0: tell(candidates())
import time; time.sleep(1); posix._exit(0)
""",
    "a child that goes on while the parent leaves": """
if posix.fork() == 0:
  import time; time.sleep(9)
posix._exit(0)
""",
    "another program": "posix.execv('/bin/true', ['true'])",
    "a shell that echoes": "posix.execv('/bin/sh', ['sh', '-c', 'echo passed; exit 0'])",
    "Python again": "posix.execv(sys.executable, [sys.executable, '-c', 'print(0)'])",
    "the same driver with an empty program": """
r, w = posix.pipe(); posix.write(w, b'x' * 32); posix.close(w)
posix.dup2(r, 0)
posix.execv(sys.executable, [sys.executable, '-I', '-S', '/opt/inside/python_driver.py'])
""",
    "the environment": "tell(repr(dict(os.environ)).encode() + repr(sys.argv).encode())",
    "files of the working folder and of /tmp": """
data = b''
for d in ('.', '/tmp', '/opt/inside', '/dev/shm'):
  for n in posix.listdir(d):
    try: data += open(d + '/' + n, 'rb').read()
    except OSError: pass
tell(data)
""",
    "a file named like a result": """
for n in ('result', 'passed', 't.py'): open('/tmp/' + n, 'w').write('passed')
posix._exit(0)
""",
    "its own memory in /proc": "tell(open('/proc/self/mem', 'rb').read(10))",
    "descriptors in /proc": """
data = b''
for p in ('self', posix.getpid(), posix.getppid(), 1):
  for n in range(64):
    try: data += open(f'/proc/{p}/fd/{n}', 'rb').read(4096)
    except OSError: pass
tell(data)
""",
    "the memory of the parent": """
data = b''
for p in (posix.getppid(), 1):
  try: data += open(f'/proc/{p}/mem', 'rb').read(10)
  except OSError: pass
tell(data)
""",
    "ptrace": """
import ctypes
c = ctypes.CDLL(None)
c.ptrace(16, posix.getppid(), 0, 0); c.ptrace(16, 1, 0, 0)
posix._exit(0)
""",
    "exit by ctypes": "import ctypes; ctypes.CDLL(None)._exit(0)",
    "exit by a system call": "import ctypes; ctypes.CDLL(None).syscall(231, 0)",
    "memory searched with ctypes": """
import ctypes
data = b''
start = id(object()) & ~0xfffff
tell(ctypes.string_at(start + 0x1000, 0x40000))
""",
    "memory searched with ctypes, secrets guessed": """
import ctypes
for o in gc.get_objects():
  a = id(o) & ~0x3fff
  posix.write(1, ctypes.string_at(a, 0x4000))
posix._exit(0)
""",
    "the frame's stack read with ctypes": """
import ctypes
f = sys._getframe(1)
at = ctypes.c_void_p.from_address(id(f) + 24).value
words = (ctypes.c_void_p * 64).from_address(at)
for w in words:
  if w and w > 1 << 32:
    try: posix.write(1, ctypes.string_at(w, 128))
    except OSError: pass
posix._exit(0)
""",
    "a crafted code object": """
def g(): pass
try: exec(g.__code__.replace(co_code=bytes([100, 255] * 9)))
finally: posix._exit(0)
""",
    "a limit of files": """
import builtins
import resource
""",
    "recursion": """
def r(): r()
try: r()
except RecursionError: posix._exit(0)
""",
    "recursion to the end": """
sys.setrecursionlimit(10 ** 9)
def r(): r()
r()
""",
    "no memory": """
x = []
while True: x.append(b'x' * (1 << 28))
""",
    "the test skipped by an early end of the text": "'''",
    "a null byte": "x = 1\x00",
    "a lone surrogate": "x = '\ud800'",
    "standard output closed": "posix.close(1); posix.close(2); posix._exit(0)",
    "standard output flooded": "while True: posix.write(1, b'passed' * 10_000)",
}


@pytest.fixture(scope="module")
def python() -> language.Language:
    try:
        return language.find("python")
    except EnvironmentProblem as problem:
        pytest.skip(problem.message)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_program_that_does_not_run_its_test_has_not_passed(
    box: Sandbox, python: language.Language, attack: str
) -> None:
    quick = replace(python, wall_s=2.0)
    program = Program("python", "f", HELPERS + attack, CHECK)
    assert grader.run(box, quick, language.content(program)).passed is False


def test_there_are_enough_attacks() -> None:
    assert len(ATTACKS) >= 50
