"""gdb, builds dev and clang (a release has no types): source script/coroutines.gdb.py, then `coroutines` lists them, `coroutines bt` shows where each one waits.

A coroutine that waits left its registers in its jmp_buf; glibc mangles three of them with a secret of the thread.
"""
import gdb

STATES = ["ready", "running", "waiting", "ended"]


def demangle(value):
    guard = int(gdb.parse_and_eval("*(unsigned long *)($fs_base + 0x30)"))
    value &= (1 << 64) - 1
    return ((value >> 17 | value << 47) & ((1 << 64) - 1)) ^ guard


class Coroutines(gdb.Command):
    def __init__(self):
        super().__init__("coroutines", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        co = gdb.parse_and_eval("'coroutine.c'::sched.all")
        while int(co) != 0:
            state = STATES[int(co["state"])]
            gdb.write(f"{int(co):#x} {co['name'].string()} {state}\n")
            if arg == "bt" and state == "waiting":
                self.backtrace(co["env"][0]["__jmpbuf"])
            co = co["next"]

    def backtrace(self, regs):
        names = {"rbp": demangle(int(regs[1])), "rsp": demangle(int(regs[6])), "rip": demangle(int(regs[7])),
                 "rbx": int(regs[0]), "r12": int(regs[2]), "r13": int(regs[3]), "r14": int(regs[4]), "r15": int(regs[5])}
        saved = {name: int(gdb.parse_and_eval(f"(long)${name}")) for name in names}
        try:
            for name, value in names.items():
                gdb.execute(f"set ${name} = {value}", to_string=True)
            gdb.execute("bt 12")
        finally:
            for name, value in saved.items():
                gdb.execute(f"set ${name} = {value}", to_string=True)


Coroutines()
