"""Cases of a test program: functions marked with @case, run in order; the last line is "N passed, N failed".

A name given on the command line runs the cases whose names hold it.
"""
import signal
import sys
import traceback

CASES = []
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # what the program started is ended, too


def case(name):
    def mark(fn):
        CASES.append((name, fn))
        return fn
    return mark


def run(*args):
    want = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    for name, fn in CASES:
        if want not in name:
            continue
        try:
            fn(*args)
            passed += 1
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"
