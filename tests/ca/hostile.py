# Hostile CAs, numbered as the cases of the project's notes on faults (28 to 106):
# rows as in behaviours.py.  "again" is a renewal: its pair of key and certificate
# is there before, and has to be the same afterwards (else 98).  The requests
# of the first issuance are number 1 of each kind, so rows of a renewal say "2-".

def second(action, *kinds):
    return {kind + ' 2-': action for kind in kinds}

AGAIN, AGAIN_CHANGES = 'again', 'issue a.example; renew -f'
NOW = {'Retry-After': '0'}

def member(reply, text):
    """The reply, a JSON object, with more members, as they are written here."""
    reply.body = json.dumps(reply.body)[:-1] + ',' + text + '}'
    return reply

def swap(reply, old, new):
    if isinstance(reply.body, dict):
        reply.body = json.dumps(reply.body).replace(old, new)
    return reply

LONG = os.environ.get('LONG')
def some(number, rows):
    """All rows, or one of them, another with each number."""
    return rows if LONG else [rows[number % len(rows)]]

# --- HTTP: what unit/http has byte by byte, on each way that a reply is read ---

OK = 'HTTP/1.1 200 OK\r\n'
def http(*parts):
    return raw(b''.join(p.encode() if isinstance(p, str) else p for p in parts))
HEADS = [
    (48, 'HTTP/0.9', http('<html>captive portal</html>\r\n')),
    (48, 'HTTP/2', http('HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\n{}')),
    (48, 'ICY', http('ICY 200 OK\r\nContent-Length: 2\r\n\r\n{}')),
    (48, 'a status of four digits', http('HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}')),
    (49, 'a status line of 20 KB', http('HTTP/1.1 200 ', 'a' * 20000, '\r\n\r\n')),
    (50, '200 headers', http(OK, 'A: b\r\n' * 200, '\r\n')),
    (50, 'headers without end', http(OK, 'A: ' + 'b' * 100000)),
    (51, 'no colon', http(OK, 'Server\r\nContent-Length: 2\r\n\r\n{}')),
    (51, 'NUL in a header', http(OK, 'A: \0\r\nContent-Length: 2\r\n\r\n{}')),
    (51, 'bare CR', http(OK, 'A: b\rC: d\r\nContent-Length: 2\r\n\r\n{}')),
    (53, 'two lengths', http(OK, 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ')),
    (54, 'length and chunked', http(OK, 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n')),
    (55, 'a negative length', http(OK, 'Content-Length: -1\r\n\r\n{}')),
    (58, 'gzip as transfer coding', http(OK, 'Transfer-Encoding: gzip\r\n\r\n{}')),
    (59, 'a chunk of FFFFFFFFFFFFFFFF', http(OK, 'Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}')),
    (60, 'a chunk extension of 1 MB', http(OK, 'Transfer-Encoding: chunked\r\n\r\n2;', 'x' * 1000000)),
    (61, 'no CRLF behind a chunk', http(OK, 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n')),
    (63, 'a thousand interim replies', http('HTTP/1.1 103 X\r\n\r\n' * 1000)),
    (63, '101', http('HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n')),
    (65, 'a body of 10 GB', http(OK, 'Content-Length: 10000000000\r\n\r\n', 'x' * 300000)),
    (65, 'chunks without end', http(OK, 'Transfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n' * 50000)),
    (70, 'Content-Encoding', http(OK, 'Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}')),
]
for i, (number, what, action) in enumerate(HEADS):
    for of, on, err, run in some(i, [
            ('the directory', {'directory': action}, 'directory https', 'issue a.example'),
            ('a new order', second(action, 'newOrder'), 'new order https', AGAIN),
            ('a certificate', second(action, 'certificate'), 'fetching https', AGAIN)]):
        row(number, f'{what}: of {of}', on, 76, err, run=run)
for number, what, action in [
    (45, 'TCP ends in a body until close', lambda r, make: whole((OK + '\r\n{"half"').encode(), cut=True)),
    (56, 'the body is shorter than announced', http(OK, 'Content-Length: 100\r\n\r\n{')),
    (61, 'the last chunk is missing', http(OK, 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'))]:
    row(number, what, {'directory': action}, 69, 'directory https')
    row(number, what + ': of an answer to finalize, which is not sent twice', second(after(action), 'finalize'), 0, run=AGAIN_CHANGES, seen=dict(finalize=2))
row(48, 'no reason phrase', {'newOrder 1': lambda r, make: whole(make().write(r).replace(b' Reason\r\n', b'\r\n', 1))})
row(52, 'names of headers in any case', header_names=str.swapcase)
row(57, 'bytes behind a reply are not the next one', {'newOrder 1': lambda r, make: whole(make().write(r) + b'HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n')}, seen=dict(refused=0))
row(62, 'trailers', {'newOrder 1': change(frame='odd-chunks')})
row(64, 'HEAD with a length', {'newNonce': change(headers={'Content-Length': '1000'})})
row(66, 'a byte a second', {'directory': lambda r, make: whole(make().write(r), pace=1)}, 69, 'directory https.*timed out', run='issue a.example --timeout 3')
row(66, 'a byte a second, of a certificate', second(lambda r, make: whole(make().write(r), pace=1), 'certificate'), 69, 'timed out', run='again --timeout 3')
row(32, 'a byte at a time', {'*': lambda r, make: whole(make().write(r), pace=0)}, run='issue a.example --timeout 60')
row(67, 'closed before an answer: an order is asked for again only since it was not heard', {'newOrder 1': gone}, seen=dict(newOrder=2))
row(69, 'an answer that was not asked for', {'order 1': [change(status='pending'), lambda r, make: whole(make().write(r), b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')]}, seen=dict(order=2))
row(71, 'a certificate as text/html', second(change(headers={'Content-Type': 'text/html'}), 'certificate'), 76, 'no PEM certificate chain', run=AGAIN)
row(71, 'a certificate without a type', second(change(headers={'Content-Type': None}), 'certificate'), 76, 'no PEM certificate chain', run=AGAIN)
row(72, 'a captive portal', {'directory': text(200, '<html><title>Hotel</title>')}, 76, 'directory: the reply is not a JSON object')
row(72, '502', {'directory': text(502, '<html>Bad Gateway')}, 75, 'directory: <html>Bad Gateway .HTTP 502')
for what, url in ('another host', 'https://127.0.0.1:1/dir'), ('plain http', 'http://localhost/dir'), ('itself', 'dir'):
    row(73, 'the directory is redirected to ' + what, {'directory': text(302, '', headers={'Location': url})}, 76, 'directory.*HTTP 302')
row(73, 'a POST is redirected', second(text(307, '', headers={'Location': '/elsewhere'}), 'newOrder'), 76, 'HTTP 307', run=AGAIN)

# --- JSON ---

GOOD = '{"status":"pending","identifiers":[{"type":"dns","value":"a.example"}],"authorizations":[],"finalize":"https://localhost/f"'
BODIES = [
    (74, 'depth of 100000', '{"a":' + '[' * 100000),
    (74, 'depth of 20000 in an object', '{"a":' * 20000),
    (75, 'a number with a leading 0', GOOD + ',"n":01}'),
    (75, 'a number of two signs', GOOD + ',"n":--1}'),
    (77, 'invalid UTF-8', GOOD.encode() + b',"x":"\xff\xfe"}'),
    (77, 'overlong UTF-8', GOOD.encode() + b',"x":"\xc0\xaf"}'),
    (77, 'a lone surrogate', GOOD + ',"x":"\\ud800"}'),
    (78, 'a control in a string', GOOD.replace('pending', 'pen\x01ding') + '}'),
    (79, 'the end is missing', GOOD),
    (79, 'half of a string', GOOD[:14]),
    (79, 'one byte', '{'),
    (80, 'text behind it', GOOD + '} x'),
    (80, 'two documents', GOOD + '}{}'),
    (80, 'a BOM', b'\xef\xbb\xbf' + GOOD.encode() + b'}'),
    (80, 'nothing', ''),
    (81, 'an array', '[1]'),
    (81, 'a string', '"valid"'),
    (81, 'null', 'null'),
]
for i, (number, what, body) in enumerate(BODIES):
    for kind, name in some(i, [('directory', 'directory'), ('newAccount', 'account'), ('newOrder', 'order'),
                               ('authz', 'authorization'), ('finalize', 'order')]):
        first = kind in ('directory', 'newAccount')
        action = change(body=body)
        row(number, f'JSON: {what}: {kind}', {kind: action} if first else second(action, kind), 76, name + ': the reply is not',
            run='issue a.example' if first else AGAIN)
row(75, 'a number of a million digits, of no use', {'newOrder': lambda r, make: member(make(), '"n":' + '1' * 100000)})
row(75, '1e999 and -0, of no use', {'newOrder': lambda r, make: member(make(), '"n":1e999,"m":-0')})
for kind, field in ('newOrder', 'status'), ('authz', 'status'), ('authz', 'challenges'), ('finalize', 'certificate'):
    row(76, f'{field} twice in {kind}', second(lambda r, make, field=field: member(make(), f'"{field}":"valid"'), kind), 76, f'bad member "{field}"', run=AGAIN)
row(78, '\\u0000 in a status', second(lambda r, make: swap(make(), '"pending"', '"pending\\u0000"'), 'newOrder'), 76, 'order', run=AGAIN)
row(82, '10000 members of no use', {'newOrder': lambda r, make: member(make(), ','.join(f'"k{i}":{i}' for i in range(9000)))})
row(83, 'names with escapes', {'*': lambda r, make: swap(swap(make(), '"status"', '"\\u0073tatus"'), '"newOrder"', '"n\\u0065wOrder"')})

FIELDS = [('directory', 'newNonce'), ('directory', 'newAccount'), ('directory', 'newOrder'), ('newAccount', 'status'),
          ('newOrder', 'status'), ('newOrder', 'identifiers'), ('newOrder', 'authorizations'), ('newOrder', 'finalize'),
          ('authz', 'status'), ('authz', 'identifier'), ('authz', 'challenges'), ('finalize', 'status'), ('finalize', 'certificate')]
for i, (kind, field) in enumerate(FIELDS):
    whole_type = {'identifiers': [1], 'authorizations': [1], 'challenges': [1], 'identifier': {'a': 1}}.get(field)
    for value in some(i, [v for v in (5, True, [1], {'a': 1}, 'x') if v != whole_type and not (v == 'x' and whole_type is None)]):
        first = kind in ('directory', 'newAccount')
        row(81, f'{kind}.{field} is {value}', {kind: change(**{field: value})} if first else second(change(**{field: value}), kind), 76,
            f'bad member "{field}"|no proper|not https|no known', run='issue a.example' if first else AGAIN)
row(81, 'an order is pending and has no authorizations', second(change(authorizations=[]), 'newOrder'), 76, 'no authorizations', run=AGAIN)

# --- ACME ---

for i, url in enumerate(['http://localhost/x', 'file:///etc/passwd', 'javascript:alert(1)', 'https://user@localhost/x', 'https://localhost:0/x', 'https://local host/', 'https://[::1/']):
    for end in some(i, ['newNonce', 'newOrder']):
        row(84, f'{end} at {url}', {'directory': change(**{end: url})}, 76, 'not https|no proper')
for end in 'newNonce', 'newAccount', 'newOrder':
    row(84, f'the directory lacks {end}', {'directory': change(end)}, 76, f'lacks {end}')
row(84, 'another host by https is allowed', {'directory': change(keyChange='https://other.example/k')})
for what, nonce in ('empty', ''), ('of other characters', 'a b"c'), ('two', ['aaaa', 'bbbb']), ('of 5000 characters', 'a' * 5000):
    row(85, f'a nonce that is {what}', {'newNonce': change(headers={'Replay-Nonce': nonce})}, 76, 'no proper Replay-Nonce')
    row(85, f'later, a nonce that is {what}', second(change(headers={'Replay-Nonce': nonce}), 'newOrder'), 76, 'no proper Replay-Nonce', run=AGAIN)
for status in 429, 503:
    for after_, exit in ('0', 0), ('1', 0), ('-1', 0 if status == 503 else 75), ('9223372036854775808', 75), ('99999', 75), (date(-1000), 0), ('Fri, 31 Dec 9999 23:59:59 GMT', 75), ('soon', 0 if status == 503 else 75):
        row(87, f'{status}, Retry-After: {after_ if isinstance(after_, str) else "a date in the past"}', {'newOrder 1': [problem(status, 'rateLimited' if status == 429 else 'serverInternal'), change(headers={'Retry-After': after_})]}, exit,
            '' if exit == 0 else 'new order: ')
def other(**identifier):
    return edit(lambda z: dict(z, identifier=dict(z['identifier'], **identifier)))
row(91, 'an authorization for another name', second(other(value='b.example'), 'authz'), 76, 'not asked for: b.example', run=AGAIN, seen=dict(hook=2))
row(91, 'an authorization for a wildcard', second(change(wildcard=True), 'authz'), 76, r'not asked for: \*\.a\.example', run=AGAIN, seen=dict(hook=2))
row(91, 'an authorization for a name of control bytes', second(other(value='a.example\n'), 'authz'), 76, 'no proper identifier', run=AGAIN, seen=dict(hook=2))
row(91, 'two authorizations for one name', {'newOrder': edit(lambda o: dict(o, authorizations=o['authorizations'] * 2))}, 76, 'not asked for', seen=dict(hook=0))
row(91, '101 authorizations', {'newOrder': edit(lambda o: dict(o, authorizations=o['authorizations'] * 101))}, 76, 'more than 100 authorizations', seen=dict(hook=0))
row(91, '101 identifiers', {'newOrder': edit(lambda o: dict(o, identifiers=o['identifiers'] * 101))}, 76, 'more than 100 identifiers', seen=dict(hook=0))
row(93, 'no challenge', {'authz': change(challenges=[])}, 3, 'a.example', seen=dict(hook=0))
row(93, 'no challenge that is known', {'authz': edit(lambda z: dict(z, challenges=[{'type': 'new-99', 'url': 'https://localhost/x', 'status': 'pending'}]))}, 3, 'a.example', seen=dict(hook=0))
for kind in 'newAccount', 'newOrder':
    row(95, f'{kind} without Location', {kind: change(headers={'Location': None})}, 76, 'no proper Location')
    row(95, f'{kind} at plain http', {kind: change(headers={'Location': 'http://localhost/x'})}, 76, 'Location')
row(96, 'an account that is deactivated', {'newAccount': change(status='deactivated')}, 1, 'the account is deactivated')
row(96, 'an account that is revoked', {'newAccount': change(status='revoked')}, 1, 'the account is revoked')

def remade(names='DNS:a.example', days='90', ca='FALSE', more=()):
    """The leaf again, by the same issuer and for the same key, with other contents."""
    def make(pem):
        leaf = pem[:pem.index('-----END') + 30]
        key = openssl('x509', '-noout', '-pubkey', data=leaf.encode())
        tag = b64(os.urandom(6))
        for name, content in (f'{tag}.pub', key), (f'{tag}.ext', f'subjectAltName={names}\nbasicConstraints=critical,CA:{ca}\nauthorityKeyIdentifier=keyid\n'.encode()):
            with open(f'{FOLDER}/{name}', 'wb') as f:
                f.write(content)
        if not os.path.exists(f'{FOLDER}/any.csr'):
            openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/', '-keyout', 'any.key', '-out', 'any.csr')
        made = openssl('x509', '-req', '-in', 'any.csr', '-force_pubkey', f'{tag}.pub', '-CA', 'issuer.pem', '-CAkey', 'issuer.key',
                       '-set_serial', '77', '-days', days, '-extfile', f'{tag}.ext', *more)
        return made.decode() + ISSUER
    return edit(make)

def stranger(pem):
    """A certificate for the name, and another key."""
    with open(f'{FOLDER}/stranger.ext', 'w') as f:
        f.write('subjectAltName=DNS:a.example\nauthorityKeyIdentifier=keyid\n')
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/', '-keyout', 's.key', '-out', 's.csr')
    return openssl('x509', '-req', '-in', 's.csr', '-CA', 'issuer.pem', '-CAkey', 'issuer.key', '-set_serial', '78', '-days', '90',
                   '-extfile', 'stranger.ext').decode() + ISSUER

for what, action, err in [
    ('10 MB', edit(lambda pem: pem + ISSUER * 20000), 'larger than'),
    ('100 KB', edit(lambda pem: pem + ISSUER * 160), 'larger than|more than'),
    ('nothing', edit(lambda pem: ''), 'not used'),
    ('no PEM', edit(lambda pem: '<html>certificate</html>'), 'not used'),
    ('a NUL behind it', edit(lambda pem: pem + '\0'), 'not used'),
    ('a key among it', edit(lambda pem: pem + open(f'{FOLDER}/issuer.key').read()), 'not used'),
    ('half of a block', edit(lambda pem: pem[:400]), 'not used'),
    ('broken base64', edit(lambda pem: pem[:100] + '!' + pem[101:]), 'not used'),
    ('a truncated certificate', edit(lambda pem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'), 'not used'),
    ('for another key', edit(stranger), 'another key'),
    ('for another name', remade('DNS:b.example'), 'not used'),
    ('for one name more', remade('DNS:a.example,DNS:evil.example'), 'not used'),
    ('for a name and an address more', remade('DNS:a.example,IP:192.0.2.1'), 'not used'),
    ('expired', remade(days='-1'), 'not used'),
    ('a CA', remade(ca='TRUE'), 'not used'),
    ('the issuer first', edit(lambda pem: ISSUER + pem), 'not used'),
    ('the leaf twice', edit(lambda pem: pem[:pem.index('-----END') + 27] + pem), 'not used'),
    ('a stranger as issuer', edit(lambda pem: pem[:pem.index('-----END') + 27] + ROOT_PEM), 'not used')]:
    row(98, f'the chain: {what}', second(action, 'certificate'), 76, err, run=AGAIN)
row(98, 'the chain: ten certificates', second(edit(lambda pem: pem + ROOT_PEM), 'certificate'), 0, run=AGAIN_CHANGES)
row(101, 'a thousand alternates', {'certificate': change(headers={'Link': ['<1>;rel="alternate"'] * 90})}, 0, 'none has an issuer', run='issue a.example --chain nobody')
row(101, 'alternates that lead to themselves', {'certificate': change(headers={'Link': lambda r: f'<{r.path}>;rel="alternate"'})}, 0, 'none has an issuer', run='issue a.example --chain nobody')
HALF = 'issue a.example; half_over a.example; renew'
for what, action in [
    ('ten years ahead', change(suggestedWindow={'start': '2036-01-01T00:00:00Z', 'end': '2036-01-02T00:00:00Z'})),
    ('not a window', change(suggestedWindow={'start': 'soon', 'end': 'later'})),
    ('no member', change('suggestedWindow')), ('a number', change(suggestedWindow=5)),
    ('no JSON', text(200, '<html>')), ('two windows', lambda r, make: member(make(), '"suggestedWindow":{}'))]:
    row(102, f'renewal information: {what}', {'renewalInfo': action}, 0, run=HALF, seen=dict(newOrder=1))
row(102, 'renewal information: long past', {'renewalInfo': change(suggestedWindow={'start': '2006-01-01T00:00:00Z', 'end': '2006-01-02T00:00:00Z'})}, 0, run=HALF, seen=dict(newOrder=1))
row(104, 'a detail of 1 MB', {'newOrder': problem(400, 'malformed', 'x' * 1000000)}, 76, 'larger than the limit')
row(104, 'escape sequences everywhere', {'newOrder': problem(400, 'mal\x1b[31mformed', '\x1b]0;evil\x07\r\n\u202e', identifier={'value': '\x1b'}, subproblems=[
    {'type': '\x1b[2J', 'detail': '\x9b2J', 'identifier': {'value': '\x1b[H'}}])}, 1, r'\\x1b')
row(104, 'an error of a challenge with escape sequences', {'challenge 1': change(status='invalid', error={'type': URN + 'dns', 'detail': 'a\x1b[2Jb\n'})}, 1, r'a\\x1b\[2Jb\\x0a')
row(106, 'revoked already', {'revokeCert': problem(400, 'alreadyRevoked', 'it was')}, 0, 'revoked already', run='issue a.example; revoke a.example')

# --- TCP: what becomes of a connection ---

def reset_within(s, data):
    reset(s, data[:60])

def late_reset(s):
    """The handshake, a bit of the request, and RST."""
    s = secured()(s)
    s.recv(10)
    reset(s)

def silent(s):
    """Accepts, reads, and says nothing."""
    while s.recv(4096):
        pass

def dripping(s):
    """The beginning of a ServerHello, a byte a second."""
    s.recv(4096)
    for byte in b'\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03' + bytes(80):
        s.sendall(bytes([byte]))
        time.sleep(1)

def flooding(data):
    """The same again and again, for as long as the client listens."""
    def front(s):
        s.recv(4096)
        while True:
            s.sendall(data * 1000)
    return front

def saying(data):
    """That, and the end of the connection."""
    def front(s):
        s.recv(4096)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
    return front

def tcp(number, text, front, err, run='issue a.example', **more):
    row(number, text, {}, 69, r'connecting to (localhost|127\.0\.0\.1) port [0-9]+: .*(' + err + ')', run=run, seen=dict(directory=0, hook=0), front=front, **more)

SHORT = 'issue a.example --timeout 2'
row(30, 'the connection is refused', {}, 69, 'connecting to localhost port 1: .*[Rr]efused', run='echo https://localhost:1/dir >server; issue a.example')
tcp(30, 'the connection is closed at once', lambda s: None, 'the server (closed|broke off)')
row(31, 'reset in the middle of a request', {}, 69, 'directory https.*broke off|connection', front=late_reset, seen=dict(directory=0))
row(31, 'reset in the middle of a reply: an order is not asked for again', second(wire(reset_within), 'newOrder'), 69, 'new order https', run=AGAIN, seen=dict(newOrder=2))
row(31, 'reset instead of a reply: an order is asked for again, once', second(wire(lambda s, data: reset(s)), 'newOrder'), 69, 'new order https', run=AGAIN, seen=dict(newOrder=3))
row(31, 'reset instead of a reply to finalize: the order is looked at', {'finalize': wire(lambda s, data: reset(s))}, seen=dict(finalize=1, order=2))
row(67, 'closed without an answer for ever: the directory', {'directory': gone}, 69, 'directory https', seen=dict(directory=4))
row(67, 'closed without an answer for ever: the order', {'newOrder': gone}, 69, 'new order https', seen=dict(newOrder=2))
row(67, 'closed without an answer for ever: finalize', {'finalize': gone}, 69, 'finalizing the order https', seen=dict(finalize=3, order=4))
row(68, 'kept alive, but closed after each reply', {'*': lambda r, make: whole(make().write(r), cut=True)})

def flood(head, piece):
    """What is longer than any limit, 64 MB of it: the client is to close."""
    def act(r, make):
        make()
        def send(connection, data):
            connection.sendall(head.encode())
            for _ in range(1024):
                connection.sendall(piece * (65536 // len(piece)))
            r.case.log.write('flooded\n')
        reply = whole(b'', cut=True)
        reply.send = send
        return reply
    return act

for i, (number, what, head, piece) in enumerate([
        (50, 'headers', OK, b'A: b\r\n'), (50, 'one header', OK + 'A: ', b'b'), (63, 'interim replies', '', b'HTTP/1.1 103 X\r\n\r\n'),
        (62, 'trailers', OK + 'Transfer-Encoding: chunked\r\n\r\n0\r\n', b'A: b\r\n'),
        (65, 'a body of 10 GB', OK + 'Content-Length: 10000000000\r\n\r\n', b'x'), (65, 'a body until the end', OK + '\r\n', b'x'),
        (65, 'chunks', OK + 'Transfer-Encoding: chunked\r\n\r\n', b'1000\r\n' + b'x' * 4096 + b'\r\n')]):
    for kind, err in some(i, [('directory', 'directory https'), ('newOrder', 'new order https'), ('certificate', 'fetching https')]):
        row(number, f'{what} without end: {kind}', {kind: flood(head, piece)}, 76, err + '.*(larger|more) than', seen=dict(flooded=0))

# --- TLS ---

def certificate(name, san='DNS:localhost,IP:127.0.0.1', by='ca', more='', subject='/CN=x', ca='FALSE', days='30', between=None):
    """NAME.key and NAME.pem, a chain with the certificates of the issuer if that is not the CA."""
    extensions = f'basicConstraints=critical,CA:{ca}\n{more}' + (f'subjectAltName={san}\n' if san else '')
    with open(f'{FOLDER}/{name}.ext', 'w') as f:
        f.write(extensions)
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', subject, '-keyout', name + '.key', '-out', name + '.csr')
    own = ['-key', name + '.key'] if by == name else ['-CA', by + '.pem', '-CAkey', by + '.key']
    if between:
        for file, content in ('index', ''), ('number', '01\n'), ('ca.cnf', '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=number\nnew_certs_dir=.\n'
                'default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n'):
            with open(f'{FOLDER}/{file}', 'w') as f:
                f.write(content)
        made = openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', by + '.pem', '-keyfile', by + '.key', '-in', name + '.csr',
                       '-startdate', between[0], '-enddate', between[1], '-extfile', name + '.ext')
    else:
        made = openssl('x509', '-req', '-in', name + '.csr', '-set_serial', '79', '-days', days, '-extfile', name + '.ext',
                       *(['-signkey', name + '.key'] if by == name else own))
    above = b'' if by in ('ca', name) else open(f'{FOLDER}/{by}.pem', 'rb').read()
    with open(f'{FOLDER}/{name}.pem', 'wb') as f:
        f.write(made + above)
    return name

def tls(number, text, err, name='server', run='issue a.example', host='localhost', **settings):
    tcp(number, text, secured(name, **settings), err, run=run, host=host)

for name in 'stranger', 'lonely':
    certificate(name, by=name, ca='TRUE', subject='/CN=' + name)
tls(34, 'an unknown CA', 'unknown issuer: stranger', certificate('below', by='stranger'))
tls(34, 'a namesake of the CA', 'not signed by the trusted issuer', certificate('forged', by=certificate('twin', by='twin', ca='TRUE', subject='/CN=acme test CA')))
tls(35, 'another name', 'not for this name: localhost, but for other.example', certificate('other', 'DNS:other.example'))
tls(35, 'a wildcard that does not cover it', 'not for this name', certificate('wild', 'DNS:*.localhost,DNS:*'))
tls(36, 'expired', 'has expired', certificate('old', between=('20200101000000Z', '20210101000000Z')))
tls(37, 'not yet valid', 'not yet valid', certificate('early', between=('20900101000000Z', '20910101000000Z')))
tls(38, 'an address that the certificate does not name', 'not for this name: 127.0.0.1', certificate('name', 'DNS:localhost,DNS:127.0.0.1'), host='127.0.0.1')
row(38, 'an address that the certificate names', front=secured(certificate('both')), host='127.0.0.1')
tls(39, 'a common name alone', 'not for this name', certificate('cn', '', subject='/CN=localhost'))
tls(40, 'TLS 1.1 at most', r'TLS 1\.2|TLS version', maximum_version=ssl.TLSVersion.TLSv1_1)
tls(40, 'TLS 1.3 at least', r'TLS 1\.2|TLS version', minimum_version=ssl.TLSVersion.TLSv1_3)
tls(41, 'self-signed', 'self-signed certificate: lonely', 'lonely')
certificate('middle', ca='TRUE', subject='/CN=middle')
certificate('under', by='middle')
with open(f'{FOLDER}/under.pem') as f:
    under = f.read()
with open(f'{FOLDER}/under.pem', 'w') as f:
    f.write(under[:under.index('-----END') + 26])
tls(41, 'the intermediate is missing', 'unknown issuer: middle', 'under')
tls(41, 'signed by what is no authority', 'not an authority', certificate('leafs', by=certificate('leaf')))
tls(47, 'an unknown critical extension', 'critical extension', certificate('critical', more='1.2.3.4=critical,ASN1:UTF8String:x\n'))

def records(kind, message):
    return b''.join(b'%c\3\3' % kind + struct.pack('>H', len(message[i:i + 16384])) + message[i:i + 16384] for i in range(0, len(message), 16384))

def message(kind, body):
    return records(22, b'%c%c' % (kind, len(body) >> 16) + struct.pack('>H', len(body) & 65535) + body)

def hello(version=b'\3\3', suite=b'\xcc\xa9', more=b''):
    extensions = b'\xff\1\0\1\0' + more
    return message(2, version + bytes(range(32)) + b'\0' + suite + b'\0' + struct.pack('>H', len(extensions)) + extensions)

def flight(*certificates):
    """The server's first messages, TLS 1.2, with these certificates (bytes); nothing is signed."""
    length = lambda n: b'%c' % (n >> 16) + struct.pack('>H', n & 65535)
    entries = b''.join(length(len(c)) + c for c in certificates)
    return saying(hello() + message(11, length(len(entries)) + entries) + message(14, b''))

with open(f'{FOLDER}/server.pem') as f:
    OWN = der(f.read())
broken = bytearray(OWN)
broken[-1] ^= 1
tcp(42, 'a chain of 20 certificates', flight(*[OWN] * 20), 'larger than 10 certificates')
tcp(42, 'a certificate of 1 MB', flight(OWN[:100] + bytes(1000000)), 'larger than')
tcp(42, 'a certificate said to be of 16 MB', saying(hello() + message(11, b'\xff\xff\xff\xff\xff\xfc' + OWN)), 'broke the TLS protocol')
tcp(43, 'a signature that is wrong', flight(bytes(broken)), 'not signed by the trusted issuer|bad signature')
tcp(43, 'a certificate that is cut off', flight(OWN[:200]), 'malformed|TLS')
tcp(43, 'a certificate with bytes behind it', flight(OWN + b'xx'), 'malformed|TLS|bad signature')
tcp(43, 'a certificate that is none', flight(b'-----BEGIN CERTIFICATE-----'), 'malformed|TLS')
tcp(43, 'an empty certificate', flight(b''), 'malformed|TLS|no certificate')
tcp(43, 'no certificate', flight(), 'sent no certificate|unexpected TLS message')
tcp(43, 'the certificate is good, its key was not used', flight(OWN), 'unexpected TLS message')
tcp(44, 'silence', silent, 'timed out', run=SHORT)
tcp(44, 'silence behind the certificate', lambda s: (s.recv(4096), s.sendall(hello()), silent(s))[0] and None, 'timed out', run=SHORT)
tcp(44, 'a byte a second', dripping, 'timed out', run=SHORT)
tcp(44, 'warnings without end', flooding(b'\x15\3\3\0\2\1\x70'), 'timed out', run=SHORT)
tcp(44, 'requests to begin without end', flooding(b'\x16\3\3\0\4\0\0\0\0'), 'timed out|TLS', run=SHORT)
tcp(46, 'plain HTTP', saying(b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), 'does not speak TLS')
tcp(46, 'SSH', saying(b'SSH-2.0-OpenSSH_9.2\r\n'), 'does not speak TLS')
tcp(46, 'a fatal alert', saying(b'\x15\3\3\0\2\2\x28'), 'alert 40')
tcp(46, 'random bytes', saying(os.urandom(2000)), 'TLS')
tcp(46, 'a record of 65535 bytes', saying(b'\x16\3\3\xff\xff' + bytes(65535)), 'TLS')
tcp(46, 'data before the handshake', saying(records(23, b'HTTP/1.1 200 OK\r\n\r\n')), 'TLS')
tcp(46, 'the end of the handshake at its beginning', saying(message(20, bytes(12))), 'TLS')
tcp(46, 'a cipher suite that was not offered', saying(hello(suite=b'\0\x2f')), 'not offered')
tcp(46, 'TLS 1.0 is chosen', saying(hello(version=b'\3\1')), 'TLS')
tcp(46, 'an extension that was not asked for', saying(hello(more=b'\0\x33\0\0')), 'TLS')

def in_clear(data):
    """Half of the reply, then this on TCP, outside of TLS."""
    def send(s, reply):
        s.sendall(reply[:60])
        os.write(s.fileno(), data)
        time.sleep(0.2)
    return wire(send)

for i, (what, data) in enumerate([
        ('a record with a wrong MAC', b'\x17\3\3\0\x30' + bytes(48)), ('an alert in the clear', b'\x15\3\3\0\2\2\x28'),
        ('a ServerHello', hello()), ('plain text', b'{"status": "valid"}\r\n'), ('a record of 65535 bytes', b'\x17\3\3\xff\xff')]):
    for kind, err in some(i, [('newOrder', 'new order https'), ('certificate', 'fetching https')]):
        row(46, f'{what} within a reply: {kind}', second(in_clear(data), kind), 69, err, run=AGAIN)

def renegotiating(s):
    """OpenSSL's server, which begins a second handshake when it has seen the request."""
    listener = socket.create_server(('127.0.0.1', 0))
    port = listener.getsockname()[1]
    listener.close()
    server = subprocess.Popen(['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', 'server.pem', '-key', 'server.key', '-tls1_2',
                               '-naccept', '1'], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while server.stdout.readline().strip() != b'ACCEPT':
        pass
    peer = socket.create_connection(('127.0.0.1', port))
    def pass_on(a, b):
        try:
            while (data := a.recv(4096)):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    threading.Thread(target=pass_on, args=(s, peer), daemon=True).start()
    back = threading.Thread(target=pass_on, args=(peer, s), daemon=True)
    back.start()
    while not server.stdout.readline().startswith(b'GET '):
        pass
    server.stdin.write(b'r\n')
    server.stdin.flush()
    back.join(10)
    server.kill()
    server.communicate()

row(46, 'what is not TLS within the reply to finalize: the order is looked at', {'finalize': in_clear(b'no')}, seen=dict(finalize=1))
row(46, 'renegotiation', {}, 69, 'directory https', front=renegotiating, seen=dict(directory=0))

# --- a server that is there and says nothing: --timeout is for all of it ---

def late(r, make):
    """Does what is asked, and replies when nobody is there any more."""
    reply = make()
    time.sleep(8)
    return reply

row(66, 'each reply takes a second', {'*': delay(1)}, 69, 'timed out', run='issue a.example --timeout 4')
for kind in ['directory', 'newNonce'] + ['newAccount', 'newOrder', 'authz', 'challenge', 'order', 'finalize', 'certificate']:
    row(66, f'silence: {kind}', {kind: late}, 69, 'timed out', run='issue a.example --timeout 2')
row(99, 'finalize is not answered in time: the next run looks at the order', {'finalize 1': late}, 0,
    run='issue a.example --timeout 3; issue a.example', seen=dict(newOrder=1, finalize=1, certificate=1))

# --- what a failure leaves does not hinder the next run ---

TWICE = 'issue a.example; issue a.example'
for number, what, on, orders in [
        (79, 'a new order that is cut off', {'newOrder 1': change(body=GOOD)}, 2), (79, 'an authorization that is cut off', {'authz 1': change(body=GOOD)}, 1),
        (79, 'an order that is cut off', {'order 1': change(body=GOOD)}, 1), (79, 'an answer to finalize that is cut off', {'finalize 1': change(body=GOOD)}, 1),
        (92, 'a wrong token', {'authz 1': edit(lambda z: dict(z, challenges=[dict(c, token='../x') for c in z['challenges']]))}, 1),
        (91, 'an authorization for another name', {'authz 1': other(value='b.example')}, 1),
        (90, 'an order for another name', {'newOrder 1': change(identifiers=[{'type': 'dns', 'value': 'b.example'}])}, 1),
        (56, 'a certificate that is cut off', {'certificate 1': http(OK, 'Content-Length: 100\r\n\r\n{')}, 1),
        (98, 'a certificate for another key', {'certificate 1': edit(stranger)}, 2),
        (98, 'a certificate for another name', {'certificate 1': remade('DNS:b.example')}, 2)]:
    row(number, what + ': the next run gets a certificate', on, 0, run=TWICE, seen=dict(newOrder=orders))

# --- what is shown ---

ESCAPE = '\x1b]0;evil\x07\u202e\x9b2J\r\n'
row(104, 'escape sequences in the terms of service', {'directory': change(meta={'termsOfService': ESCAPE})}, 76, 'bad member "termsOfService"')
row(104, 'other bytes in the terms of service', {'directory': change(meta={'termsOfService': 'data:\u202e\x9b\x7f2J'})}, err=r'terms of service are data:\?')
row(104, 'quotes in all that is kept of an account and a directory', {'directory': change(meta={'termsOfService': 'data:"\\', 'profiles': {'a"b': ''},
    'caaIdentities': ['"\\']}), 'newAccount': change(contact=['mailto:"\\'])}, 0, run='account register -q && issue a.example && account show', seen=dict(directory=1))
row(104, 'other bytes in what an account shows', {'*': change(contact=['mailto:\u202e\x9b\x7f2J'])}, run='account register; account show')
row(104, 'escape sequences in names of profiles', {'directory': change(meta={'profiles': {ESCAPE: ESCAPE}})}, 78, run='issue a.example -p other')
row(104, 'escape sequences in the explanation of renewal information', {'renewalInfo': change(explanationURL='https://x/' + ESCAPE)},
    run='issue a.example; half_over a.example; renew -v 2>/dev/null; "$acme" show a.example', seen=dict(renewalInfo=1))
row(104, 'escape sequences in the reason of a refusal', {'newOrder': problem(403, 'userActionRequired', 'go there', instance='javascript:' + ESCAPE,
    headers={'Link': '<javascript:alert(1)>;rel="terms-of-service"'})}, 1, "userActionRequired: go there .HTTP 403. - acme account update agrees to the CA's new terms$")
row(104, 'escape sequences in algorithms, status and title', {'newAccount': problem(400, 'badSignatureAlgorithm', '', title=ESCAPE, algorithms=[ESCAPE] * 50)}, 1, r'x1b')
row(97, 'a link to the terms that is no https URL', {'newOrder': problem(403, 'userActionRequired', headers={'Link': '<data:text/html,x>;rel="terms-of-service"'})},
    1, 'userActionRequired: for a test .HTTP 403. - .*terms$')

# --- certificates that are odd ---

def names(hexadecimal):
    """A certificate whose names are these bytes of GeneralNames."""
    return remade('DER:' + hexadecimal)

for what, san in [('a NUL in a name', '301282' + '10' + b'a.example\0.evil0'[:16].hex()), ('an address of three bytes', '301082' + '09' + b'a.example'.hex() + '8703010203'),
        ('names that are cut off', '300b82' + '0a' + b'a.example'.hex()), ('no names', '3000'), ('bytes behind the names', '300b82' + '09' + b'a.example'.hex() + '00')]:
    row(98, 'the chain: ' + what, second(names(san), 'certificate'), 76, 'not used', run=AGAIN)
for what, action in [
        ('TRUSTED CERTIFICATE', edit(lambda pem: pem.replace('CERTIFICATE', 'TRUSTED CERTIFICATE'))),
        ('a request behind it', edit(lambda pem: pem + open(f'{FOLDER}/any.csr').read()))]:
    row(98, 'the chain: ' + what, second(action, 'certificate'), 76, 'not used', run=AGAIN)
row(98, 'the chain: valid until the year 9900', {'certificate': remade(days='2876000')}, run='issue a.example; "$acme" list; "$acme" show a.example; renew', seen=dict(newOrder=1))

# --- the rest ---

def challenges(function):
    return edit(lambda z: dict(z, challenges=[function(dict(c)) for c in z['challenges']]))

def without(member):
    def function(challenge):
        del challenge[member]
        return challenge
    return challenges(function)

for kind, field in ('newOrder', 'status'), ('newOrder', 'identifiers'), ('newOrder', 'authorizations'), ('authz', 'status'), ('authz', 'identifier'):
    row(81, f'{kind} lacks {field}', second(change(field), kind), 76, 'no known status|leaves out|no authorizations|no proper identifier', run=AGAIN)
row(81, 'an order lacks finalize', {'newOrder': change('finalize'), 'order': change('finalize')}, 76, 'finaliz')
for field, status in ('type', 3), ('url', 3):
    row(81, 'challenges lack ' + field, {'authz': without(field)}, status, 'a.example', seen=dict(hook=0))
row(81, 'challenges lack status', {'authz': without('status')})
row(64, 'HEAD with a body', {'newNonce': lambda r, make: whole(make().write(r).replace(b'Content-Length: 0', b'Content-Length: 5') + b'hello')}, seen=dict(refused=0))
row(64, '204 with a body', {'newNonce': lambda r, make: whole(change(http=204)(r, make).write(r) + b'hello')}, seen=dict(refused=0))
FAR = 'Fri, 31 Dec 9999 23:59:59 GMT'
row(87, 'a Date of the year 9999, and the same as Retry-After', {'newOrder 1': problem(503, 'serverInternal', headers={'Date': FAR, 'Retry-After': FAR})}, 0, 'the CA.s 9999')
row(87, 'a Date of the year 9999, and Retry-After of 1970', {'newOrder 1': problem(503, 'serverInternal', headers={'Date': FAR, 'Retry-After': 'Thu, 01 Jan 1970 00:00:00 GMT'})}, 0, 'the CA.s 9999')
row(87, 'a Date of 1970, and Retry-After of the year 9999', {'newOrder 1': problem(503, 'serverInternal', headers={'Date': 'Thu, 01 Jan 1970 00:00:00 GMT', 'Retry-After': FAR})},
    75, 'come back after', run='issue a.example 2>&1 | grep -v "clock here" >&2; [ ! -e home/certs/a.example/live ] && exit 75')
row(101, 'a thousand alternates in one header', {'certificate': change(headers={'Link': ','.join(f'<{i}>;rel="alternate"' for i in range(1000))})}, 76, 'larger than')
row(101, 'an alternate that is no chain', {'certificate 2': change(body='x')}, 0, 'passed over', alternates=2, run='issue a.example --chain nobody')
row(101, 'an alternate for another key', {'certificate 2': edit(stranger)}, 0, 'passed over', alternates=2, run='issue a.example --chain nobody')
ACCOUNT = 'account register && account '
row(79, 'an account that is no JSON', {'newAccount 2': change(body='<html>')}, 76, 'account: the reply is not a JSON object', run=ACCOUNT + 'show')
row(79, 'a deactivation that is no JSON', {'acct': text(200, '<html>')}, 76, 'account: the reply is not a JSON object', run=ACCOUNT + 'deactivate')
row(96, 'a deactivation without effect', {'acct': change(status='valid')}, 76, 'account', run=ACCOUNT + 'deactivate')
row(66, 'silence: revokeCert', {'revokeCert': late}, 69, 'timed out', run='issue a.example; revoke a.example --timeout 2')
row(66, 'silence: keyChange', {'keyChange': late}, 69, 'timed out', run='account register && account rollover --timeout 2')
row(81, 'an order that is a problem, with status 200', {'newOrder': text(200, {'type': URN + 'caa', 'detail': 'no', 'status': 403}, 'application/problem+json',
    headers={'Location': '/x'})}, 76, 'bad member "status"')
