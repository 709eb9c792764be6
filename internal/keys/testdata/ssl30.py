#!/usr/bin/env python3
"""Known answers for the key schedule of SSL 3.0, from RFC 6101 and nothing else.

No standard vectors exist. "python3 ssl30.py > ssl30.txt" makes them from
inputs that are easy to write down.
"""
from hashlib import md5, sha1


def expand(n, secret, r1, r2):  # RFC 6101 section 6.1, 6.2.2
    out = b""
    i = 1
    while len(out) < n:
        letters = bytes([0x40 + i]) * i
        out += md5(secret + sha1(letters + secret + r1 + r2).digest()).digest()
        i += 1
    return out[:n]


def nested(h, pad, messages, sender, master):  # section 5.6.8, 5.6.9
    inner = h(messages + sender + master + b"\x36" * pad).digest()
    return h(master + b"\x5c" * pad + inner).digest()


def both(messages, sender, master):
    return nested(md5, 48, messages, sender, master) + nested(sha1, 40, messages, sender, master)


premaster = bytes([3, 0]) + bytes(range(46))
client_random = bytes(range(100, 132))
server_random = bytes(range(200, 232))
messages = b"the handshake's messages"
master = expand(48, premaster, client_random, server_random)

print("# Made by ssl30.py.")
for name, value in [
    ("premaster", premaster),
    ("client_random", client_random),
    ("server_random", server_random),
    ("messages", messages),
    ("master", master),
    ("key_block", expand(136, master, server_random, client_random)),
    ("client_finished", both(messages, b"\x43\x4c\x4e\x54", master)),
    ("server_finished", both(messages, b"\x53\x52\x56\x52", master)),
    ("certificate_verify", both(messages, b"", master)),
]:
    print(name, value.hex())
