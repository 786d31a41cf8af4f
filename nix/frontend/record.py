"""What the front end has published, for the machine's status: front-end.json in a folder, written whole at each change.

{"<address>": {"published": "2026-01-02T03:04:05Z" or null, "uploading": false, "failedUploads": 0,
               "backends": {"<address>": {"introductionPoints": 2, "fetched": "2026-...Z" or null}}}}

published: when all directories had answered to what was published last, and one at least took it in. uploading: not all
have answered yet, so a client may be given the descriptor before. failedUploads: directories that did not take in what
was published last; what one refused is published again after a minute, not after the hour that Onionbalance would wait.
introductionPoints: of those that the backend has now, how many are in what was published last; fetched: when it was
asked for them.
"""

import json
import os
import threading
import time
from datetime import datetime, timezone

from onionbalance.hs_v3 import onionbalance, service

AGAIN_SECONDS = 60
# What a directory has not answered by then, it does not.
ANSWER_SECONDS = 30


def _time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _onion(address):
    return address.removesuffix(".onion") + ".onion"


class Address:
    """One balanced address; `balanced` is Onionbalance's service."""

    def __init__(self, balanced):
        self.balanced = balanced
        self.published = None
        self.keys = set()  # of the introduction points published last
        self.awaited = 0  # answers of directories
        self.taken = self.failed = 0
        self.since = time.monotonic()
        self.refused = None  # when a directory refused a descriptor

    def publishing(self, made, directories):
        """An address has two descriptors at a time, published one after the other: one round of uploads."""
        if self.awaited <= 0 or self.is_late():
            self.awaited = self.taken = self.failed = 0
        self.awaited += len(directories)
        self.since = time.monotonic()
        self.keys = {point.enc_key_raw for point in made.get_intro_points()}

    def answered(self, event):
        self.awaited -= 1
        if event.action == "UPLOADED":
            self.taken += 1
        else:
            self.failed += 1
            if event.reason == "UPLOAD_REJECTED" and self.refused is None:
                self.refused = time.monotonic()
        self.settle()

    def settle(self):
        if self.taken and (self.awaited <= 0 or self.is_late()):
            self.published = datetime.now(timezone.utc)
            self.awaited = self.taken = 0

    def is_late(self):
        return time.monotonic() - self.since > ANSWER_SECONDS

    def is_due_again(self):
        if self.refused is None or time.monotonic() - self.refused < AGAIN_SECONDS:
            return False
        self.refused = None
        return True

    def told(self):
        return {
            "published": self.published and _time(self.published),
            "uploading": self.awaited > 0,
            "failedUploads": self.failed,
            "backends": {_onion(backend.onion_address): self.taken_of(backend) for backend in self.balanced.instances},
        }

    def taken_of(self, backend):
        if backend.descriptor is None:
            return {"introductionPoints": 0, "fetched": None}
        points = backend.descriptor.get_intro_points()
        return {
            "introductionPoints": sum(point.enc_key_raw in self.keys for point in points),
            "fetched": _time(backend.descriptor.received_ts),
        }


class Record:
    def __init__(self, folder):
        self.file = os.path.join(folder, "front-end.json")
        self.addresses = {}
        self.lock = threading.Lock()  # tor's events come in by a thread of their own

    def of(self, balanced):
        return self.addresses.setdefault(_onion(balanced.onion_address), Address(balanced))

    def write(self):
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            json.dump({name: address.told() for name, address in self.addresses.items()}, file)
        os.replace(self.file + ".new", self.file)

    def publishing(self, balanced, made, directories):
        with self.lock:
            self.of(balanced).publishing(made, directories)
            self.write()

    def upload(self, event):
        """An upload that tor tells of, or a backend's descriptor that could not be fetched."""
        with self.lock:
            address = self.addresses.get(_onion(event.address or ""))
            if address is not None and event.action in ("UPLOADED", "FAILED"):
                address.answered(event)
                self.write()

    def fetched(self):
        with self.lock:
            for address in self.addresses.values():
                address.settle()
            self.write()

    def is_due_again(self, balanced):
        with self.lock:
            return self.of(balanced).is_due_again()


def keep(folder):
    """Has Onionbalance tell of each descriptor that it publishes or fetches, and of what comes of it."""
    record = Record(folder)
    balance, balanced = onionbalance.Onionbalance, service.OnionbalanceService
    check, publish = balanced.publish_descriptors, balanced._upload_descriptor
    tell, receive = balance.handle_new_desc_event, balance.handle_new_desc_content_event

    def checked(self):
        if record.is_due_again(self):
            self.first_descriptor = self.second_descriptor = None
        check(self)

    def published(self, controller, made, hsdirs):
        record.publishing(self, made, hsdirs)
        publish(self, controller, made, hsdirs)

    def told(self, event):
        tell(self, event)
        record.upload(event)

    def received(self, event):
        receive(self, event)
        record.fetched()

    balanced.publish_descriptors, balanced._upload_descriptor = checked, published
    balance.handle_new_desc_event, balance.handle_new_desc_content_event = told, received
