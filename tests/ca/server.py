"""
An ACME server (RFC 8555) for tests that behaves well but where a table says
otherwise.  Replies are written as bytes, so that framing can be odd, too.

    server.py PORT FOLDER TABLE

TABLE is a Python file of row() calls, see row() below; each row is a case with
a CA of its own at https://localhost:PORT/CASE/dir.  FOLDER holds ca.pem, ca.key,
server.pem and server.key; cases/CASE/ in it gets what the driver needs to
know (text, run, status, err, seen, see, needs, server) and log, a line "KIND
PATH" for each request; ahead of it "connection" if it is the first on its
connection, "more KIND" if another has come behind it (see patience).

It validates nothing: a challenge that is answered is valid.  Nor are signatures
checked, as Python has no means to; Pebble does that.  What else a CA
refuses is refused: a nonce that is not known or used, a wrong url, kid, jwk,
Content-Type, no User-Agent, a body beyond 50000 bytes.
"""
import base64, json, os, socket, socketserver, ssl, struct, subprocess, sys, threading, time
from email.utils import formatdate

PORT, FOLDER, TABLE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
BASE = f'https://localhost:{PORT}'
URN = 'urn:ietf:params:acme:error:'

# --- the language of tables ---

ROWS = []

def row(number, text, on={}, status=0, err='', run='issue a.example', seen={}, see='', needs='', **knobs):
    """
    One case.  on: {'KIND' or 'KIND N', 'KIND N-M', 'KIND N-': action or list of
    actions}, for the Nth requests of a kind ('*' for all); status and err: the
    client's exit status and an extended regular expression for stderr; run: shell,
    run by the driver; seen: {kind: how many}; see: another test that shows it
    ('FILE: a text in that file'); needs: what the client lacks.  Knobs are Case's.
    """
    ROWS.append(dict(number=number, text=text, on=on, status=status, err=err,
                     run=run, seen=seen, see=see, needs=needs, knobs=knobs))

# An action is called with the request and what makes the reply; it returns a reply.

def problem(status, kind, detail='for a test', headers={}, **members):
    """An error document instead of doing what is asked."""
    body = dict(type=URN + kind, detail=detail, status=status, **members)
    return lambda r, make: Reply(status, {'Content-Type': 'application/problem+json', **headers}, body)

def text(status, body='', content_type='text/html', headers={}, nonce=True):
    """Any body (str, bytes or JSON) instead of doing what is asked."""
    def act(r, make):
        reply = Reply(status, {'Content-Type': content_type, **evaluate(headers, r)}, body)
        reply.nonce = nonce
        return reply
    return act

def evaluate(headers, r):
    return {k: v(r) if callable(v) else v for k, v in headers.items()}

def after(action):
    """Does what is asked, then replies with what action says."""
    def act(r, make):
        make()
        return action(r, make)
    return act

def change(*drop, headers={}, http=0, body=None, frame='', interim=(), nonce=True, **members):
    """
    Does what is asked and changes the reply: members of its JSON (those in drop
    are left out), headers (None: left out; a list: several lines), HTTP status, all.
    frame: chunked, odd-chunks, until-close, http10, close; interim: 1xx replies ahead of it.
    """
    def act(r, make):
        reply = make()
        if isinstance(reply.body, dict):
            reply.body = {k: v for k, v in {**reply.body, **members}.items() if k not in drop}
        reply.headers.update(evaluate(headers, r))
        reply.status = http or reply.status
        reply.body = reply.body if body is None else body
        reply.frame = frame or reply.frame
        reply.interim = interim
        reply.nonce = nonce and reply.nonce
        return reply
    return act

def edit(function):
    """Does what is asked and gives the body of the reply to a function."""
    def act(r, make):
        reply = make()
        reply.body = function(reply.body)
        return reply
    return act

def raw(data):
    """These bytes instead of a reply, then the end of the connection."""
    return lambda r, make: Reply(0, {}, data.encode() if isinstance(data, str) else data)

def whole(data, later=b'', pace=None, cut=False):
    """A reply in bytes.  later: a record of its own behind it; pace: seconds between its bytes; cut: then TCP ends."""
    reply = Reply(0, {}, data)
    reply.later, reply.pace, reply.cut, reply.frame = later, pace, cut, 'whole'
    return reply

def wire(function):
    """Does what is asked; the function gets the socket, which speaks TLS, and the reply in bytes: then the connection ends."""
    def act(r, make):
        reply = whole(make().write(r), cut=True)
        reply.send = function
        return reply
    return act

def reset(s, data=b''):
    """For wire(): this much of the reply, then TCP's RST."""
    s.sendall(data)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    os.close(s.detach())

def relative(r, make):
    """Does what is asked; URLs in the reply have no scheme and host."""
    reply = make()
    if isinstance(reply.body, dict):
        reply.body = json.loads(json.dumps(reply.body).replace(BASE, ''))
    if 'Location' in reply.headers:
        reply.headers['Location'] = reply.headers['Location'].replace(BASE, '')
    return reply

def delay(seconds):
    def act(r, make):
        time.sleep(seconds)
        return make()
    return act

def behind(n):
    """Waits until n further requests have come on the connection, then does what is asked."""
    def act(r, make):
        r.connection.ahead(n)
        return make()
    return act

gone = raw(b'')         # not done, no answer
lost = after(gone)      # done, no answer

def date(seconds):
    """An HTTP date so many seconds from now."""
    return lambda r: formatdate(time.time() + seconds, usegmt=True)

# --- messages ---

class Reply:
    def __init__(self, status=200, headers={}, body=b''):
        self.status, self.headers, self.body = status, dict(headers), body
        self.frame, self.interim, self.nonce = '', (), True
        self.later, self.pace, self.cut, self.send = b'', None, False, None

    def write(self, r):
        body = self.body
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            self.headers.setdefault('Content-Type', 'application/json')
        body = body.encode() if isinstance(body, str) else body
        if self.status == 0:
            return body
        if self.nonce and r.method != 'GET':
            self.headers.setdefault('Replay-Nonce', r.case.new_nonce())
        self.headers.setdefault('Date', formatdate(usegmt=True))
        if self.frame == 'close':
            self.headers['Connection'] = 'close'
        elif self.frame == 'chunked':
            self.headers['Transfer-Encoding'] = 'chunked'
            body = b''.join(b'%x\r\n%c\r\n' % (1, c) for c in body) + b'0\r\n\r\n'
        elif self.frame == 'odd-chunks':
            self.headers['Transfer-Encoding'] = 'Chunked'
            body = b'00%X;name="v"\r\n%s\r\n000\r\nTrailer: x\r\n\r\n' % (len(body), body)
        if self.frame not in ('chunked', 'odd-chunks', 'until-close', 'http10') and self.status != 204:
            self.headers['Content-Length'] = str(len(body))
        version = 'HTTP/1.0' if self.frame == 'http10' else 'HTTP/1.1'
        head = ''.join(f'HTTP/1.1 {i} Interim\r\nLink: </x>;rel=preload\r\n\r\n' for i in self.interim)
        head += f'{version} {self.status} Reason\r\n'
        for name, value in self.headers.items():
            for v in value if isinstance(value, list) else [value]:
                if v is not None:
                    head += f'{r.case.header_names(name)}: {v}\r\n'
        return (head + '\r\n').encode() + (b'' if r.method == 'HEAD' else body)

    def ends(self):
        return (self.status == 0 and self.frame != 'whole') or self.frame in ('close', 'until-close', 'http10')

class Request:
    """connection, case, method, path, headers, body; of a POST also protected, payload."""

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()

def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))

# --- one CA ---

class Case:
    # Knobs, and what they are if a row does not say.
    answers = ['valid']     # what each answer to a challenge leads to; the last for all later ones
    authorization = 'pending'
    issuing = []            # what finalize and the polls say of the order before it is valid
    types = ['http-01', 'dns-01', 'tls-alpn-01']
    same_token = False
    same_order = False      # newOrder gives the first order again
    nonce_length = 22
    root = False            # the directory is at https://localhost:PORT
    front = None            # what a connection begins with: see secured(); the directory is at a port of its own then
    host = 'localhost'      # of the directory, if it has such a port
    alternates = 0
    patience = 0            # seconds that are waited for a request behind each one; 0: nothing is said of such
    chain = staticmethod(lambda leaf, issuer: leaf + issuer)
    header_names = staticmethod(str)

    def __init__(self, name, row):
        self.name, self.on = name, row['on']
        self.base = f'{BASE}/{name}'
        self.lock = threading.Lock()
        self.nonces, self.counts, self.orders, self.authzs, self.certs = set(), {}, [], [], []
        self.accounts = {}
        for knob, value in row['knobs'].items():
            getattr(self, knob)     # there is such a knob
            setattr(self, knob, list(value) if isinstance(value, list) else value)
        self.folder = f'{FOLDER}/cases/{name}'
        os.makedirs(self.folder)
        place = BASE if self.root else f'{self.base}/dir'
        if self.front:
            server = Server(('127.0.0.1', 0), type('Fronted', (Connection,), dict(front=staticmethod(self.front))))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            place = f'https://{self.host}:{server.server_address[1]}/{name}/dir'
        row = dict(row, server=place, text=f"{row['number']} {row['text']}",
                   seen=''.join(f'{n} {k}\n' for k, n in row['seen'].items()))
        for file in ('text', 'run', 'status', 'err', 'seen', 'see', 'needs', 'server'):
            with open(f'{self.folder}/{file}', 'w') as f:
                f.write(f'{row[file]}')
        self.log = open(f'{self.folder}/log', 'a', buffering=1)

    def new_nonce(self):
        nonce = b64(os.urandom(self.nonce_length))[:self.nonce_length]
        self.nonces.add(nonce)
        return nonce

    def actions(self, kind, n):
        for when, what in self.on.items():
            name, _, which = when.partition(' ')
            low, dash, high = which.partition('-')
            if name in (kind, '*') and (not which or
                    (n >= int(low) and n <= int(high or (1 << 30 if dash else low)))):
                yield from what if isinstance(what, list) else [what]

    def reply(self, r):
        """The kind of request by its path, what is done, and what the table makes of it."""
        parts = r.path.split('?')[0].strip('/').split('/')[0 if self.root and r.path == '/' else 1:]
        kind = {'dir': 'directory', '': 'directory', 'finalize': 'finalize'}.get(parts[-1], parts[0])
        method = getattr(self, 'do_' + kind, None)
        more = self.patience and r.connection.more(self.patience)
        with self.lock:
            if r.connection.new(self):
                self.log.write('connection\n')
            if more:
                self.log.write(f'more {kind}\n')
            n = self.counts[kind] = self.counts.get(kind, 0) + 1
            self.log.write(f'{kind} {r.path}\n')
            refusal = self.check(r, kind) if method else text(404, nonce=False)(r, None)
            if refusal:
                return refusal
            make = lambda: method(r, *parts[1:])
            for action in self.actions(kind, n):
                make = (lambda action, make: lambda: action(r, make))(action, make)
        # not locked: an action may take its time
        return make()

    def refuse(self, status, kind, detail):
        self.log.write(f'refused {detail}\n')
        return problem(status, kind, detail)(None, None)

    def check(self, r, kind):
        """What a CA looks at before anything else (6.1 to 6.5); a refusal or None."""
        if not r.headers.get('user-agent'):
            return self.refuse(400, 'malformed', 'no User-Agent')
        if (r.method == 'POST') == (kind in ('directory', 'newNonce', 'renewalInfo')):
            return self.refuse(405, 'malformed', f'{r.method} of {kind}')
        if r.method != 'POST':
            return None
        if r.headers.get('content-type') != 'application/jose+json':
            return self.refuse(415, 'malformed', 'Content-Type')
        if len(r.body) > 50000:
            return self.refuse(413, 'malformed', 'the body is too large')
        jws = json.loads(r.body)
        r.protected = json.loads(unb64(jws['protected']))
        r.payload = json.loads(unb64(jws['payload']) or b'null')
        if set(jws) != {'protected', 'payload', 'signature'} or r.protected['url'] != BASE + r.path:
            return self.refuse(400, 'malformed', 'JWS')
        if ('jwk' if kind == 'newAccount' else 'kid') not in r.protected and kind != 'revokeCert':
            return self.refuse(400, 'malformed', 'neither kid nor jwk as it should be')
        if r.protected['nonce'] not in self.nonces:
            return self.refuse(400, 'badNonce', 'JWS has an invalid anti-replay nonce')
        self.nonces.discard(r.protected['nonce'])
        if 'kid' in r.protected and r.protected['kid'] not in self.accounts.values():
            return self.refuse(400, 'accountDoesNotExist', 'no such account')
        return None

    # --- resources ---

    def do_directory(self, r, *_):
        return Reply(200, {}, {
            **{e: f'{self.base}/{e}' for e in ('newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange', 'renewalInfo')},
            'meta': {'termsOfService': 'https://ca.example/terms', 'caaIdentities': ['ca.example']}})

    def do_newNonce(self, r):
        return Reply(200 if r.method == 'HEAD' else 204, {'Cache-Control': 'no-store'})

    def account(self, status, url):
        return Reply(status, {'Location': url}, {'status': 'valid', 'contact': []})

    def do_newAccount(self, r):
        jwk = json.dumps(r.protected['jwk'], sort_keys=True)
        if jwk in self.accounts:
            return self.account(200, self.accounts[jwk])
        if r.payload.get('onlyReturnExisting'):
            return self.refuse(400, 'accountDoesNotExist', 'no account for that key')
        self.accounts[jwk] = f'{self.base}/acct/{len(self.accounts)}'
        return self.account(201, self.accounts[jwk])

    def do_acct(self, r, number):
        return self.account(200, self.base + '/acct/' + number)

    def do_keyChange(self, r):
        inner = json.loads(unb64(r.payload['protected']))
        kid = r.protected['kid']
        self.accounts = {k: v for k, v in self.accounts.items() if v != kid}
        self.accounts[json.dumps(inner['jwk'], sort_keys=True)] = kid
        return self.account(200, kid)

    def do_revokeCert(self, r):
        return Reply(200)

    def do_renewalInfo(self, r, ident):
        at = lambda days: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 86400 * days))
        return Reply(200, {'Retry-After': '21600'}, {'suggestedWindow': {'start': at(58), 'end': at(60)}})

    def do_newOrder(self, r):
        if not (self.same_order and self.orders):
            order = dict(status='pending', identifiers=r.payload['identifiers'],
                         authorizations=[], expires='2099-01-01T00:00:00Z')
            for ident in r.payload['identifiers']:
                order['authorizations'].append(self.new_authz(ident, len(self.orders)))
            order['finalize'] = f'{self.base}/order/{len(self.orders)}/finalize'
            self.orders.append(order)
            self.settle(len(self.orders) - 1)
        number = 0 if self.same_order else len(self.orders) - 1
        return Reply(201, {'Location': f'{self.base}/order/{number}'}, dict(self.orders[number]))

    def new_authz(self, ident, order):
        number, wild = len(self.authzs), ident['value'].startswith('*.')
        authz = dict(status=self.authorization, expires='2099-01-01T00:00:00Z', challenges=[],
                     identifier=dict(ident, value=ident['value'][2 * wild:]))
        if wild:
            authz['wildcard'] = True
        for type in self.types:
            if not wild or type.startswith('dns'):
                authz['challenges'].append(dict(
                    type=type, status=authz['status'], url=f'{self.base}/challenge/{number}/{type}',
                    token='same-token' if self.same_token else b64(os.urandom(16))))
        self.authzs.append((authz, order))
        return f'{self.base}/authz/{number}'

    def settle(self, number):
        """An order's status follows from those of its authorizations."""
        order = self.orders[number]
        states = {z['status'] for z, o in self.authzs if o == number}
        if order['status'] == 'pending' and 'invalid' in states:
            order['status'] = 'invalid'
        elif order['status'] == 'pending' and states <= {'valid'}:
            order['status'] = 'ready'

    def do_order(self, r, number):
        order = self.orders[int(number)]
        if order['status'] == 'processing':
            self.advance(order)
        return Reply(200, {}, dict(order))

    def do_authz(self, r, number):
        return Reply(200, {}, json.loads(json.dumps(self.authzs[int(number)][0])))

    def do_challenge(self, r, number, type):
        authz, order = self.authzs[int(number)]
        challenge = next(c for c in authz['challenges'] if c['type'] == type)
        if r.payload != {}:
            return self.refuse(400, 'malformed', 'the payload of an answer is {}')
        if challenge['status'] == 'valid':
            return Reply(200, {}, dict(challenge))
        result = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        error = {'type': URN + 'connection', 'detail': 'nobody is there'}
        if result == 'transient':
            challenge['error'] = error
        elif result in ('invalid', 'invalid alone'):
            challenge.update(status='invalid', error=error)
        else:
            challenge['status'] = result
        if result in ('valid', 'invalid'):
            authz['status'] = result
        self.settle(order)
        return Reply(200, {}, dict(challenge))

    def advance(self, order):
        if self.issuing:
            order['status'] = self.issuing.pop(0)
            return
        order['status'] = 'valid'
        order['certificate'] = f"{self.base}/certificate/{order['number']}"

    def do_finalize(self, r, number, _):
        order = self.orders[int(number)]
        if order['status'] != 'ready':
            return self.refuse(403, 'orderNotReady', 'the order is ' + order['status'])
        order['number'] = len(self.certs)
        self.certs.append(issue(unb64(r.payload['csr'])))
        self.advance(order)
        return Reply(200, {}, dict(order))

    def do_certificate(self, r, number, *alternate):
        if not number.isdigit() or int(number) >= len(self.certs):
            return self.refuse(404, 'malformed', 'no such certificate')
        links = [f'<{self.base}/certificate/{number}/{i}>;rel="alternate"' for i in range(1, self.alternates + 1)]
        return Reply(200, {'Content-Type': 'application/pem-certificate-chain', 'Link': links},
                     self.chain(self.certs[int(number)], ISSUER))

    do_orders = do_issuer = None

# --- certificates ---

def openssl(*args, data=None):
    return subprocess.run(['openssl', *args], input=data, check=True, cwd=FOLDER,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

def der(pem):
    """The first certificate of a PEM text."""
    return base64.b64decode(pem.split('-----')[2])

def issue(csr):
    return openssl('x509', '-req', '-inform', 'DER', '-CA', 'issuer.pem', '-CAkey', 'issuer.key',
                   '-set_serial', str(int.from_bytes(os.urandom(12), 'big')), '-days', '90',
                   '-copy_extensions', 'copyall', '-extfile', 'issue.ext', data=csr).decode()

def make_issuer():
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-subj', '/CN=scripted issuer', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '3650',
            '-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', 'issuer.key', '-out', 'issuer.pem')
    with open(f'{FOLDER}/issue.ext', 'w') as f:
        f.write('authorityKeyIdentifier=keyid\n')
    with open(f'{FOLDER}/issuer.pem') as f, open(f'{FOLDER}/ca.pem') as root:
        return f.read(), root.read()

# --- connections ---

# What a connection begins with is a function of the socket: it returns one that is to be
# gone on with, speaking HTTP, or None when the connection is to be closed.

def secured(name='server', **settings):
    """TLS with NAME.pem and NAME.key; settings are the context's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('DEFAULT:@SECLEVEL=0')
    context.load_cert_chain(f'{FOLDER}/{name}.pem', f'{FOLDER}/{name}.key')
    for key, value in settings.items():
        setattr(context, key, value)
    return lambda s: context.wrap_socket(s, server_side=True)

class Connection(socketserver.BaseRequestHandler):
    front = staticmethod(lambda s: TLS(s))
    TIMEOUT = 60

    def setup(self):
        self.request.settimeout(self.TIMEOUT)
        self.request = self.front(self.request)
        if not self.request:
            raise ConnectionAbortedError
        self.data, self.waiting, self.cases = b'', [], set()

    def finish(self):
        # at once, whoever still refers to it
        self.request.close()

    def new(self, case):
        """Whether this is the first time that it is asked for that case."""
        return case not in self.cases and not self.cases.add(case)

    # Nothing is read that is not asked for, so that it can be said what has come.

    def receive(self):
        data = self.request.recv(65536)
        self.data += data
        return len(data) > 0

    def line(self):
        while b'\n' not in self.data and self.receive():
            pass
        line, _, self.data = self.data.partition(b'\n')
        return line.decode()

    def bytes(self, n):
        while len(self.data) < n and self.receive():
            pass
        data, self.data = self.data[:n], self.data[n:]
        return data

    def read(self):
        line = self.line()
        if not line:
            return None
        r = Request()
        r.connection = self
        r.method, r.path, _ = line.split()
        r.headers = {}
        while (line := self.line().strip()):
            name, _, value = line.partition(':')
            r.headers[name.lower()] = value.strip()
        r.body = self.bytes(int(r.headers.get('content-length', 0)))
        r.case = CASES.get(r.path.split('/')[1]) or ROOT
        return r

    def next(self):
        return self.waiting.pop(0) if self.waiting else self.read()

    def ahead(self, n):
        """Reads until n requests are waiting behind the one that is being answered."""
        while len(self.waiting) < n and (r := self.read()):
            self.waiting.append(r)

    def more(self, seconds):
        """Whether there is a request behind the one that is being answered, or comes within that time."""
        if self.waiting or self.data:
            return True
        self.request.settimeout(seconds)
        try:
            return self.receive()
        except TimeoutError:
            return False
        finally:
            self.request.settimeout(self.TIMEOUT)

    def send(self, reply, data):
        if reply.send:
            return reply.send(self.request, data)
        if reply.pace is None:
            self.request.sendall(data)
        for i in range(0, 0 if reply.pace is None else len(data)):
            self.request.sendall(data[i:i + 1])
            time.sleep(reply.pace)
        self.request.sendall(reply.later)

    def handle(self):
        try:
            while (r := self.next()):
                reply = r.case.reply(r)
                self.send(reply, reply.write(r))
                if reply.cut:
                    return
                if reply.ends():
                    break
            # an orderly end, or the client would take a body until close for cut off
            self.request.unwrap()
        except (OSError, ssl.SSLError):
            pass

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 32

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(6, 1, 1)      # TCP_NODELAY
        return connection, address

    def handle_error(self, request, address):
        if not issubclass(sys.exc_info()[0], OSError):
            super().handle_error(request, address)

TLS = secured()
ISSUER, ROOT_PEM = make_issuer()
exec(compile(open(TABLE).read(), TABLE, 'exec'))
CASES = {f'{i:03}': Case(f'{i:03}', r) for i, r in enumerate(ROWS, 1)}
ROOT = next((c for c in CASES.values() if c.root), None)
Server(('127.0.0.1', PORT), Connection).serve_forever()
