"""The front end's own functions beside Onionbalance 0.2.4's, which they take the place of."""

import json
import logging
import os
import random
import tempfile
import unittest
from collections import Counter
from datetime import datetime
from unittest import mock

import faults
import record
from onionbalance.hs_v3 import descriptor, hashring, params, tor_ed25519
from onionbalance.hs_v3.ext import ed25519_exts_ref as ed25519
from stem.client.datatype import LinkByFingerprint, LinkByIPv4
from stem.descriptor.hidden_service import IntroductionPointV3

logging.disable()  # what it logs of each of the hundreds of rings here
theirs = {"choose": descriptor.IntroductionPointSetV3.choose, "directories": hashring.get_responsible_hsdirs}
faults.put_right()


def point(relay, key):
    links = [LinkByIPv4("127.0.0.1", 9001), LinkByFingerprint(bytes([relay]) * 20)]
    return IntroductionPointV3(links, bytes([relay]), None, key, None, None, None)


def backends_on(relays):
    return [[point(relay, b"%d/%d" % (index, relay)) for relay in own] for index, own in enumerate(relays)]


def chosen(relays, choose=descriptor.IntroductionPointSetV3.choose):
    points = descriptor.IntroductionPointSetV3(backends_on(relays))
    return choose(points, len(relays) * params.N_INTROS_PER_INSTANCE)


def relays_of(points):
    return Counter(faults.relay_of(point) for point in points)


def owners_of(points):
    return Counter(point.enc_key_raw.split(b"/")[0] for point in points)


class IntroductionPoints(unittest.TestCase):
    def test_onionbalance_names_a_relay_twice(self):
        shared = [[1, 2, 3], [1, 2, 3], [1, 2, 3]]
        worst = max(max(relays_of(chosen(shared, theirs["choose"])).values()) for _ in range(50))
        self.assertGreater(worst, 1)

    def test_a_relay_is_named_once_and_each_backend_has_a_point_where_that_can_be(self):
        for seed in range(500):
            random.seed(seed)
            relays = [random.sample(range(12), 3) for _ in range(random.randint(1, 8))]
            points = chosen(relays)
            self.assertEqual(max(relays_of(points).values()), 1, relays)
            self.assertLessEqual(max(owners_of(points).values()), 2, relays)
            missing = len(relays) - len(owners_of(points))
            self.assertEqual(missing, len(relays) - greatest_matching(relays), relays)

    def test_two_of_three_are_published_where_no_relay_is_shared(self):
        points = chosen([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
        self.assertEqual(set(owners_of(points).values()), {2})
        self.assertEqual(len(points), 6)

    def test_a_backend_whose_relays_all_others_have_still_gets_one(self):
        for seed in range(100):
            random.seed(seed)
            self.assertEqual(len(owners_of(chosen([[1], [1, 2], [1, 2, 3]]))), 3)

    def test_nothing_is_chosen_of_no_backend_and_of_one_without_points(self):
        self.assertEqual(chosen([]), [])
        self.assertEqual(len(chosen([[], [1, 2, 3]])), 2)

    def test_new_points_on_the_same_relays_are_another_set(self):
        before = descriptor.IntroductionPointSetV3([[point(1, b"before"), point(2, b"before too")]])
        after = descriptor.IntroductionPointSetV3([[point(1, b"after"), point(2, b"after too")]])
        same = descriptor.IntroductionPointSetV3([[point(2, b"before too"), point(1, b"before")]])
        self.assertFalse(before == after)
        self.assertTrue(before == same)


def greatest_matching(relays):
    """By trying every choice: how many backends can have a relay of their own."""
    def most(index, taken):
        if index == len(relays):
            return 0
        without = most(index + 1, taken)
        return max([without] + [1 + most(index + 1, taken | {relay}) for relay in relays[index] if relay not in taken])

    return most(0, frozenset()) if len(relays) < 6 else len(relays)  # eight of twelve with three each always fit


class Node:
    def __init__(self, name):
        self.name = name

    def get_hex_fingerprint(self):
        return self.name


def directories(positions, starts, function):
    """On a ring of these positions, for a descriptor whose replicas start there."""
    ring = {bytes([position]): Node(f"relay{position}") for position in positions}
    balance = mock.Mock(is_testnet=False)
    balance.consensus.is_live.return_value = True
    with (
        mock.patch.object(hashring, "_get_hash_ring_for_descriptor", return_value=ring),
        mock.patch.object(hashring, "_get_hidden_service_index", side_effect=[bytes([start]) for start in starts]),
        mock.patch("onionbalance.hs_v3.onionbalance.my_onionbalance", balance),
    ):
        return function(b"key", True)


def named(*positions):
    return [f"relay{position}" for position in positions]


class Directories(unittest.TestCase):
    ten = range(10, 110, 10)

    def test_onionbalance_publishes_nothing_at_the_end_of_the_ring(self):
        with self.assertRaises(hashring.EmptyHashRing):
            directories(self.ten, [85, 15], theirs["directories"])

    def test_the_ring_goes_on_at_its_beginning(self):
        found = directories(self.ten, [85, 45], hashring.get_responsible_hsdirs)
        self.assertEqual(found, named(90, 100, 10, 20, 50, 60, 70, 80))

    def test_behind_the_last_one_comes_the_first(self):
        found = directories(self.ten, [105, 45], hashring.get_responsible_hsdirs)
        self.assertEqual(found, named(10, 20, 30, 40, 50, 60, 70, 80))

    def test_the_second_replica_leaves_out_what_the_first_has(self):
        found = directories(self.ten, [15, 25], hashring.get_responsible_hsdirs)
        self.assertEqual(found, named(20, 30, 40, 50, 60, 70, 80, 90))

    def test_where_onionbalance_publishes_the_directories_are_the_same(self):
        same = 0
        for seed in range(300):
            random.seed(seed)
            positions = sorted(random.sample(range(256), random.randint(8, 60)))
            starts = [random.randrange(256), random.randrange(256)]
            ours = directories(positions, starts, hashring.get_responsible_hsdirs)
            try:
                its = directories(positions, starts, theirs["directories"])
            except hashring.EmptyHashRing:
                continue
            same += 1
            self.assertEqual(ours, its, (positions, starts))
        self.assertGreater(same, 100)

    def test_a_ring_that_is_too_small_is_said_as_onionbalance_says_it(self):
        with self.assertRaises(hashring.EmptyHashRing):
            directories(range(7), [0, 1], hashring.get_responsible_hsdirs)


class RevisionCounters(unittest.TestCase):
    def test_they_are_counted_by_the_key_of_the_time_period(self):
        identity = tor_ed25519.TorEd25519PrivateKey(ed25519.expandSK(bytes(range(32))))
        consensus = mock.Mock()
        nonce = bytes(range(100, 132))
        consensus.get_blinding_param.return_value = nonce
        with mock.patch("onionbalance.hs_v3.onionbalance.my_onionbalance", mock.Mock(consensus=consensus)):
            key = faults.BlindedKey(identity, 20784).private_bytes(encoding=None)
        consensus.get_blinding_param.assert_called_once_with(identity.public_key().public_bytes(), 20784)
        self.assertEqual((len(key), key[0]), (65, 0))
        public = ed25519.publickeyFromESK(key[1:])
        self.assertEqual(public, ed25519.blindPK(identity.public_key().public_bytes(), nonce))


class Record(unittest.TestCase):
    """What the status is told of uploads: an address has two descriptors, each with eight directories."""

    def setUp(self):
        backend = mock.Mock(onion_address="b" * 56, descriptor=None)
        self.balanced = mock.Mock(onion_address="a" * 56 + ".onion", instances=[backend])
        self.address = record.Address(self.balanced)
        made = mock.Mock()
        made.get_intro_points.return_value = [point(1, b"key")]
        self.made = made

    def answer(self, action, times=1, reason=None):
        for _ in range(times):
            self.address.answered(mock.Mock(action=action, reason=reason))

    def publish(self):
        for _ in range(2):
            self.address.publishing(self.made, range(8))

    def test_it_is_published_once_all_directories_have_answered(self):
        self.publish()
        self.answer("UPLOADED", 15)
        self.assertEqual((self.address.published, self.address.told()["uploading"]), (None, True))
        self.answer("FAILED")
        told = self.address.told()
        self.assertRegex(told["published"], r"^20\d\d-.*Z$")
        self.assertEqual((told["uploading"], told["failedUploads"]), (False, 1))

    def test_where_all_refuse_nothing_is_published(self):
        self.publish()
        self.answer("FAILED", 16, "UPLOAD_REJECTED")
        self.assertEqual((self.address.published, self.address.failed), (None, 16))

    def test_a_directory_that_never_answers_is_not_waited_for_for_ever(self):
        self.publish()
        self.answer("UPLOADED", 12)
        self.address.since -= record.ANSWER_SECONDS + 1
        self.address.settle()
        self.assertFalse(self.address.told()["uploading"])
        self.assertIsNotNone(self.address.published)

    def test_failures_are_those_of_the_last_publication(self):
        self.publish()
        self.answer("FAILED", 16)
        self.publish()
        self.answer("UPLOADED", 16)
        self.assertEqual(self.address.told()["failedUploads"], 0)

    def test_what_is_refused_is_published_again_after_a_minute(self):
        self.publish()
        self.answer("FAILED", 1, "UPLOAD_REJECTED")
        self.assertFalse(self.address.is_due_again())
        self.address.refused -= record.AGAIN_SECONDS
        self.assertTrue(self.address.is_due_again())
        self.assertFalse(self.address.is_due_again())

    def test_other_failures_are_left_to_the_next_publication(self):
        self.publish()
        self.answer("FAILED", 1, "QUERY_REJECTED")
        self.assertIsNone(self.address.refused)

    def test_a_backend_has_the_points_that_it_has_now_and_that_are_published(self):
        self.publish()
        moment = datetime(2026, 1, 2, 3, 4, 5, 678)
        backend = mock.Mock(onion_address="b" * 56, descriptor=mock.Mock(received_ts=moment))
        self.balanced.instances = [backend]
        points = backend.descriptor.get_intro_points
        points.return_value = [point(1, b"key"), point(2, b"not taken")]
        taken = {"introductionPoints": 1, "fetched": "2026-01-02T03:04:05Z"}
        self.assertEqual(self.address.told()["backends"], {"b" * 56 + ".onion": taken})
        points.return_value = [point(1, b"another machine's")]
        self.assertEqual(self.address.told()["backends"]["b" * 56 + ".onion"]["introductionPoints"], 0)

    def test_the_file_is_whole_at_any_time(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = record.Record(folder)
            kept.publishing(self.balanced, self.made, range(8))
            with open(kept.file, encoding="utf-8") as file:
                self.assertEqual(list(json.load(file)), ["a" * 56 + ".onion"])
            self.assertEqual(os.listdir(folder), ["front-end.json"])


if __name__ == "__main__":
    unittest.main()
