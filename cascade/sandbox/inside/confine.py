"""Confine this process for good: namespaces, an empty temporary folder, Landlock, a seccomp filter, resource limits.

Sources: user_namespaces(7), landlock(7), setrlimit(2). Every step must succeed or the cell refuses to run anything.
"""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Any

from syscalls import refuse_syscalls  # type: ignore[import-not-found]  # a neighbour, found by path

__all__ = ["confine", "enter_namespaces"]

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_NOBODY = 65534
_PRIVATE = 1 << 18 | 1 << 14  # MS_PRIVATE, MS_REC
_NO_EXEC = 2 | 4 | 8  # MS_NOSUID, MS_NODEV, MS_NOEXEC
_PDEATHSIG = 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _CAPSET = 444, 445, 446, {"x86_64": 126, "aarch64": 91}
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute (map a library), read a file, list a folder
_FILES_OF_ABI = {
    1: 13,
    2: 14,
    3: 15,
    4: 15,
}  # how many rights on files each version of Landlock knows; 16 from the fifth on
_WORK = "/tmp"  # noqa: S108 - a mount of the cell's own

libc = ctypes.CDLL(None, use_errno=True)


def enter_namespaces() -> None:
    """Leave the host's users, network, processes, mounts and names behind; returns in the first process of the new ones."""
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", libc.unshare(_NEWUSER | _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {gid} 1")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    _call("prctl", libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    _call("mount", libc.mount(b"none", b"/", None, _PRIVATE, None))


def confine(limits: dict[str, Any], *, mount: bool) -> None:
    """Set the limits, an empty folder to work in, and deny everything else. Raises OSError if any of it fails."""
    if mount:
        size = f"size={limits['file_bytes']},mode=700".encode()
        _call("mount", libc.mount(b"tmpfs", _WORK.encode(), b"tmpfs", _NO_EXEC, size))
    os.chdir(_WORK)
    _drop_capabilities()
    _limit_resources(limits)
    _restrict_files()
    refuse_syscalls()


def _limit_resources(limits: dict[str, Any]) -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["threads"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _restrict_files() -> None:
    """Allow reading the interpreter's own files, and everything but running programs in the working folder; nothing else."""
    abi = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock")
    every = (1 << _FILES_OF_ABI.get(abi, 16)) - 1
    network = 3 if abi >= 4 else 0
    scoped = 3 if abi >= 6 else 0
    attributes = struct.pack("=QQQ", every, network, scoped)[: 24 if scoped else 16 if network else 8]
    ruleset = _call("landlock", libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    for path in _readable():
        _allow(ruleset, path, _READ & every)
    _allow(ruleset, _WORK, every & ~1)
    _call("prctl", libc.prctl(38, 1, 0, 0, 0))
    _call("landlock", libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _readable() -> list[str]:
    libraries = (
        ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] if sys.base_prefix == "/usr" else ["/lib", "/lib64", "/usr/lib"]
    )
    paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), f"{sys.base_prefix}/lib", *libraries]
    return [path for path in dict.fromkeys(paths) if path and os.path.isdir(path)]


def _allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = struct.pack("=Qi", rights, folder)
    _call("landlock", libc.syscall(_ADD_RULE, ruleset, 1, rule, 0))
    os.close(folder)


def _drop_capabilities() -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    _call("capset", libc.syscall(_CAPSET[os.uname().machine], header, bytes(24)))


def _call(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
