#!/usr/bin/env python3
"""A link between two TAP devices that delays what passes, as a switch without PTP support does.

    delayed_link.py TAP_A TAP_B AFTER A_TO_B JITTER_A B_TO_A JITTER_B

Both devices are made here; move them to where they belong. From AFTER seconds on every frame from A to B is
A_TO_B seconds late, and up to JITTER_A more; the other way alike. It runs until it is ended.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_NO_PI))
    return fd


def main():
    a, b = tap(sys.argv[1]), tap(sys.argv[2])
    after, a_to_b, jitter_a, b_to_a, jitter_b = map(float, sys.argv[3:8])
    begin = time.monotonic()
    random.seed(1)
    ways = {a: (b, a_to_b, jitter_a), b: (a, b_to_a, jitter_b)}
    waiting = []
    number = 0
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, to, frame = heapq.heappop(waiting)
            try:
                os.write(to, frame)
            except OSError:
                pass
        pause = min(waiting[0][0] - now, 1.0) if waiting else 1.0
        ready, _, _ = select.select([a, b], [], [], max(pause, 0))
        for fd in ready:
            try:
                frame = os.read(fd, 2048)
            except OSError:
                continue
            to, delay, jitter = ways[fd]
            now = time.monotonic()
            late = delay + random.uniform(0, jitter) if now - begin >= after else 0.0
            number += 1
            heapq.heappush(waiting, (now + late, number, to, frame))


main()
