"""What Onionbalance 0.2.4 gets wrong, put right: functions of ours take the place of its own.

1. A client of tor tells introduction points apart by their relay alone. Where two backends have one on the same relay,
   every visit by that relay goes to the first of them, and hangs for ever when it is dead. So a descriptor names each
   relay at most once: a backend has three points, and two of them are published.
2. The ring of directories ends short: where a descriptor's place is among the last ones, the walk does not go on at
   the beginning, and nothing is published.
3. A backend that has come back with new points on the same relays counts as unchanged, so its points are published no
   more.
4. It counts its descriptors by another key than tor does, so directories refuse the first ones, some minutes long, where
   an address moves from a tor of its own to the front end, or back. By tor's key both count the same.

Sources: https://spec.torproject.org/rend-spec/deriving-keys.html#HASHRING and .../hsdesc-encrypt.html (link specifiers), .../shared-random.html and .../encrypting-user-data.html (revision counters).
"""

import bisect
import random

from onionbalance.hs_v3 import descriptor, hashring, onionbalance, params
from onionbalance.hs_v3.ext import ed25519_exts_ref as ed25519

count = descriptor.OBDescriptor._get_revision_counter
RELAY = 2  # the link specifier that holds a relay's identity


def relay_of(point):
    """The identity of the relay that an introduction point is on."""
    return next(link.value for link in point.link_specifiers if link.type == RELAY)


def chosen_points(backends, each):
    """Up to `each` points of every backend, no relay twice, and one for all that can have one before a second for any.

    backends: a list of points for each backend. A matching of places to relays, by augmenting paths.
    """
    holder = {}  # relay -> (backend's index, point)

    def place(index, seen):
        for point in backends[index]:
            relay = relay_of(point)
            if relay in seen:
                continue
            seen.add(relay)
            if relay not in holder or (holder[relay][0] != index and place(holder[relay][0], seen)):
                holder[relay] = (index, point)
                return True
        return False

    for _ in range(each):
        for index in range(len(backends)):
            place(index, set())
    return [point for _, point in holder.values()]


def choose(self, count, shuffle=True):
    """For IntroductionPointSetV3: it has shuffled the backends, and the points of each."""
    points = chosen_points(self.intro_points, params.N_INTROS_PER_INSTANCE)
    if shuffle:
        random.shuffle(points)
    return points[:count]


def is_same_set(self, other):
    """For IntroductionPointSetV3: by the keys that a backend makes for each of its points."""
    own, others = ({point.enc_key_raw for point in points.get_intro_points_flat()} for points in (self, other))
    return own == others


def places_on_ring(ring, starts, spread):
    """The directories of a descriptor: from each start on, the next `spread` that are not taken yet, around the ring.

    ring: sorted positions. starts: a position for each replica of the descriptor.
    """
    taken = []
    for start in starts:
        first = bisect.bisect_left(ring, start)
        around = ring[first:] + ring[:first]
        taken += [position for position in around if position not in taken][:spread]
    return taken


def get_responsible_hsdirs(blinded_key, is_first_descriptor):
    """For onionbalance.hs_v3.hashring: the fingerprints of the directories that hold the descriptor."""
    nodes = hashring._get_hash_ring_for_descriptor(is_first_descriptor)
    starts = [
        hashring._get_hidden_service_index(blinded_key, replica, is_first_descriptor)
        for replica in range(1, params.HSDIR_N_REPLICAS + 1)
    ]
    places = places_on_ring(sorted(nodes), starts, params.HSDIR_SPREAD_STORE)
    if len(places) < len(starts) * params.HSDIR_SPREAD_STORE:
        raise hashring.EmptyHashRing
    return [nodes[place].get_hex_fingerprint() for place in places]


class BlindedKey:
    """What tor derives the counter's key from: the secret key of one time period, as an identity key gives its bytes.

    Seen of tor 0.4.9: the text that is hashed before the key ends with a zero byte, which the specification leaves out.
    """

    def __init__(self, identity, period):
        public = identity.public_key().public_bytes()
        nonce = onionbalance.my_onionbalance.consensus.get_blinding_param(public, period)
        self.after_text = b"\0" + ed25519.blindESK(identity.private_bytes(), nonce)

    def private_bytes(self, **_):
        return self.after_text


def revision_counter(self, identity, is_first_descriptor):
    """For OBDescriptor: its own count, by tor's key."""
    _, period = hashring.get_srv_and_time_period(is_first_descriptor)
    return count(self, BlindedKey(identity, period), is_first_descriptor)


def put_right():
    """Has Onionbalance use the functions above."""
    descriptor.OBDescriptor._get_revision_counter = revision_counter
    descriptor.IntroductionPointSetV3.choose = choose
    descriptor.IntroductionPointSetV3.__eq__ = is_same_set
    hashring.get_responsible_hsdirs = get_responsible_hsdirs
