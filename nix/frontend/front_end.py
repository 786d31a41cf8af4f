"""Onionbalance as the front end of one or more onion addresses: its faults put right (faults.py), what it publishes
recorded (record.py), and paced for machines that are replaced.

    front_end.py --socket TOR_CONTROL_SOCKET --config FILE

Left alone it looks at its backends every ten minutes: for as long, an address whose machines are all new would lead to
none of them. And it publishes every hour: for as long, one that was moved here would lead to the machine before, had
that one published last. Each hour is enough again once the machine before is long gone.
Environment: SEALED_ONION_STATE, the folder of front-end.json, and SEALED_ONION_LOOK (seconds between two looks, 60).
"""

import os
import time

import faults
import record
from onionbalance import manager
from onionbalance.common import argparser, util
from onionbalance.hs_v3 import params, service

# Between looking at the backends for the first time and publishing, and between two checks whether to publish.
CHECK_SECONDS = 15
YOUNG_SECONDS = 1800
YOUNG_LIFETIME = 120


def wait_for_tor(socket):
    """Onionbalance ends where tor does not know the network yet."""
    controller = util.connect_to_control_port(tor_socket=socket, tor_address="127.0.0.1", tor_port=0)
    while controller.get_info("status/enough-dir-info", "0") != "1":
        time.sleep(0.5)
    controller.close()


def lifetime(_, started=time.monotonic(), usual=params.FRONTEND_DESCRIPTOR_LIFETIME):
    """For OnionbalanceService: seconds until a descriptor is published again."""
    return YOUNG_LIFETIME if time.monotonic() - started < YOUNG_SECONDS else usual


def main():
    params.FETCH_DESCRIPTOR_FREQUENCY = int(os.environ.get("SEALED_ONION_LOOK", "60"))
    params.PUBLISH_DESCRIPTOR_CHECK_FREQUENCY = CHECK_SECONDS
    params.INITIAL_CALLBACK_DELAY = CHECK_SECONDS
    service.OnionbalanceService._get_descriptor_lifetime = lifetime
    faults.put_right()
    record.keep(os.environ["SEALED_ONION_STATE"])
    wait_for_tor(argparser.get_common_argparser().parse_args().socket)
    manager.main()


main()
