"""
A name server for tests, at 127.0.0.1 port 53, UDP and TCP, that answers by the first
label of what is asked; and two kinds of servers: names.py PORT.

At 127.0.0.2 and 127.0.0.3, that PORT accepts no connection and refuses none.  At
::1, where there is one, it is that of 127.0.0.1.
"""
import os, socket, struct, sys, threading

PORT = int(sys.argv[1])
A, AAAA = 1, 28
LOOPBACK = '127.0.0.1'
MANY = [f'127.0.0.{i}' for i in range(11, 15)] + [LOOPBACK] + [f'127.0.0.{i}' for i in range(15, 30)]

# What is asked for: (rcode, addresses), or bytes behind the header, or None for silence.
NAMES = {
    'good': (0, [LOOPBACK]),
    'nothing': (0, []),
    'none': (3, []),
    'servfail': (2, []),
    'refused': (5, []),
    'silent': None,
    'many': (0, MANY + [f'fe80::{i}' for i in range(1, 21)]),
    'alldead': (0, [a for a in MANY if a != LOOPBACK]),
    'swallowed': (0, ['127.0.0.2', '127.0.0.3', LOOPBACK]),
    'swallows': (0, ['127.0.0.2', '127.0.0.3']),
    'six': (0, ['::1']),
    'four': (0, [LOOPBACK]),
    'hundreds': (0, [f'127.1.{i}.1' for i in range(200)]),
    'garbage': os.urandom(200),
    'short': (0, ['127.0.0.1', b'\x7f\0\0']),
    'loop': 'loop',
}

def answer(query, tcp):
    """The message that answers one; None: none."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    question = query[12:at + 5]
    kind = struct.unpack('>H', query[at + 1:at + 3])[0]
    what = NAMES.get(labels[0].decode().lower(), (3, []))
    header = lambda rcode, count, more=0: query[:2] + struct.pack('>HHHHH', 0x8180 | more | rcode, 1, count, 0, 0) + question
    record = lambda kind, data: b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 60, len(data)) + data
    if what is None:
        return None
    if isinstance(what, bytes):
        return header(0, 7) + what
    if what == 'loop':
        return header(0, 1) + record(5, b'\xc0\x0c')
    rcode, addresses = what
    records = []
    for a in addresses:
        data = a if isinstance(a, bytes) else socket.inet_pton(socket.AF_INET6 if ':' in a else socket.AF_INET, a)
        if kind == (AAAA if len(data) == 16 else A):
            records.append(record(kind, data))
    message = header(rcode, len(records)) + b''.join(records)
    return message if tcp or len(message) <= 512 else header(0, 0, 0x200)

def over_tcp(listener):
    while True:
        s, _ = listener.accept()
        with s:
            query = s.recv(2000)
            reply = answer(query[2:], True)
            if reply:
                s.sendall(struct.pack('>H', len(reply)) + reply)

def pass_on(a, b):
    while (data := a.recv(4096)):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)

def over_six(listener):
    while True:
        s, _ = listener.accept()
        to = socket.create_connection((LOOPBACK, PORT))
        for pair in (s, to), (to, s):
            threading.Thread(target=pass_on, args=pair, daemon=True).start()

# A queue of one, which is full: the kernel lets SYNs fall.
held = []
for address in '127.0.0.2', '127.0.0.3':
    listener = socket.socket()
    listener.bind((address, PORT))
    listener.listen(0)
    held.append(listener)
    for _ in range(3):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((address, PORT))
        held.append(s)
try:
    listener = socket.create_server(('::1', PORT), family=socket.AF_INET6)
    threading.Thread(target=over_six, args=(listener,), daemon=True).start()
except OSError:
    pass    # no IPv6 here
listener = socket.create_server((LOOPBACK, 53))
threading.Thread(target=over_tcp, args=(listener,), daemon=True).start()
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.bind((LOOPBACK, 53))
while True:
    query, peer = udp.recvfrom(2000)
    reply = answer(query, False)
    if reply:
        udp.sendto(reply, peer)
