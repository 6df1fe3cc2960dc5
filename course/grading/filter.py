"""A seccomp filter: kernel calls that no answer needs and that have let programs out of sandboxes.

The namespaces and the missing privileges are what confines; this narrows the kernel's surface, and takes
memory that no limit counts, and sockets that no namespace confines. A call that is forbidden fails with
EPERM, and clone3, whose arguments a filter cannot read, with ENOSYS, on
which the C library turns to clone. On a machine that is not in the table there is no filter.
"""

import ctypes
import os
import struct

FORBIDDEN = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
        "mount_setattr": 442, "keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "kexec_load": 246, "init_module": 175, "finit_module": 313,
        "delete_module": 176, "open_by_handle_at": 304, "swapon": 167, "reboot": 169,
        "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "pidfd_getfd": 438,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
        "mount_setattr": 442, "keyctl": 219, "add_key": 217, "request_key": 218, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "kexec_load": 104, "init_module": 105, "finit_module": 273,
        "delete_module": 106, "open_by_handle_at": 265, "swapon": 224, "reboot": 142,
        "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "pidfd_getfd": 438,
    },
}  # fmt: skip
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE3 = 435
SOCKET = {"x86_64": 41, "aarch64": 198}
# A socket of these is confined by the namespaces; one of AF_VSOCK reaches the host of a virtual machine.
FAMILIES = {"unix": 1, "inet": 2, "inet6": 10}
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # of the classic BPF
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
PR_SET_SECCOMP, MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def program(machine: str) -> bytes:
    """The filter for a machine: instructions of 8 bytes (code, jump if true, jump if false, value)."""
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, ARCHITECTURE[machine]), (RETURN, 0, 0, KILL)]
    steps += [(LOAD, 0, 0, 0), (AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, ERROR | EPERM)]  # x32
    for number in FORBIDDEN[machine].values():
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERROR | EPERM)]
    steps += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERROR | ENOSYS)]
    steps += [(EQUAL, 0, len(FAMILIES) + 2, SOCKET[machine]), (LOAD, 0, 0, 16)]
    steps += [(EQUAL, len(FAMILIES) - i, 0, family) for i, family in enumerate(FAMILIES.values())]
    steps += [(RETURN, 0, 0, ERROR | EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def forbid_calls(libc: ctypes.CDLL) -> None:
    """Put the filter on this process and all that it starts; it must have set no_new_privs.

    Raises OSError if the kernel does not take it.
    """
    machine = os.uname().machine
    if machine not in FORBIDDEN:
        return
    code = program(machine)
    given = _Program(len(code) // 8, code)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(given), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
