"""The named random streams, written a second time: prints the golden numbers of packages/heed/test/run/random.test.ts."""
import hashlib
import json
import math
import struct

MASK = 0xFFFFFFFF


def rotl(x, k):
    return ((x << k) | (x >> (32 - k))) & MASK


class Random:
    def __init__(self, *keys):
        name = json.dumps(list(keys), separators=(",", ":"))
        self.s = list(struct.unpack("<4I", hashlib.sha256(name.encode()).digest()[:16]))

    def bits(self):  # xoshiro128**, https://prng.di.unimi.it/xoshiro128starstar.c
        s = self.s
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 9) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
        return result

    def next(self):
        high, low = self.bits() >> 5, self.bits() >> 6
        return ((high << 26) + low) / 2**53

    def normal(self):
        while True:
            u, v = 2 * self.next() - 1, 2 * self.next() - 1
            s = u * u + v * v
            if 0 < s < 1:
                return u * math.sqrt(-2 * math.log(s) / s)

    def shuffle(self, items):
        items = list(items)
        for i in range(len(items)):
            j = i + int(self.next() * (len(items) - i))
            items[i], items[j] = items[j], items[i]
        return items


r = Random(7, "order", 0)
print("next", [r.next() for _ in range(3)])
print("shuffle", Random("x").shuffle(range(10)))
print("normal", Random().normal())
