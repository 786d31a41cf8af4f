# The last assertion of every test: a plaintext is where it has to be and nowhere else. A search that could not have found
# anything proves nothing, so each place is first searched for what is known to be there.
import base64
from typing import Any


# Whether grep finds one of these there. What it cannot search (exit code 2) is an error, not an absence. A needle is never
# an argument: it lies in memory, and what is typed is base64 of it. Without -a: a disk's zeros would be one line for grep,
# gigabytes long.
def holds(machine: Any, place: str, needles: list[bytes]) -> bool:
    assert all(needle and not {0, 10} & set(needle) for needle in needles), "grep sees lines, and none with a zero"
    encoded = base64.b64encode(b"".join(needle + b"\n" for needle in needles)).decode()
    machine.succeed(f"echo {encoded} | base64 -d >/run/needles")
    search = "LC_ALL=C grep -sF -f /run/needles"
    if place == "the journal":  # its files are compressed
        code, _ = machine.execute(f"journalctl --quiet --all --output=export | {search} >/run/found")
    else:
        code, _ = machine.execute(f"{search} -rq $(cat /run/{place})")
    machine.succeed("rm -f /run/needles /run/found")
    assert code in (0, 1), f"{place} could not be searched: exit code {code}"
    return code == 0


# Notes which of these paths (shell patterns, or a command in $(…)) there are: without any, grep would search its folder.
def note_place(machine: Any, place: str, paths: str) -> None:
    machine.succeed(f"for one in {paths}; do if [ -e $one ]; then echo $one; fi; done >/run/{place}")
    machine.succeed(f"test -s /run/{place}")


# The text in the store is any that the machine's own files hold.
def assert_nowhere(machine: Any, plaintexts: list[bytes], in_the_store: str) -> None:
    canary = b"canary-of-the-search"
    encoded = base64.b64encode(canary).decode()
    machine.succeed(f"echo {encoded} | base64 -d | tee /var/canary | systemd-cat")
    # What is on the disk is read again, past the memory that an earlier look at it has filled.
    machine.succeed("journalctl --sync; journalctl --flush; sync; echo 1 >/proc/sys/vm/drop_caches")
    note_place(machine, "store", "$(nix-store -qR /run/current-system)")
    note_place(machine, "disk", "/dev/vda")
    for place, known in {"store": in_the_store.encode(), "disk": canary, "the journal": canary}.items():
        assert holds(machine, place, [known]), f"a search of {place} finds nothing"
        assert not holds(machine, place, plaintexts), f"a plaintext is in {place}"
