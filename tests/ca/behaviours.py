# Behaviours that break naive clients, one row each or a few with the same number:
# what the CA does, and what the client has to make of it.  The language is that of
# row() and its actions in server.py.  Exit statuses as in acme(1): 0 in place,
# 1 refused, 69 network, 75 later, 76 the server broke the protocol.

POSTS = ['newAccount', 'newOrder', 'authz', 'challenge', 'order', 'finalize', 'certificate']
PROCESSING = ['processing'] * 2
QUIET = dict(newNonce=1, refused=0)     # one HEAD, and nothing that a CA would refuse
NOW = {'Retry-After': '0'}

def on(action, *kinds):
    return {kind: action for kind in kinds or POSTS}

def wait(value):
    return change(headers={'Retry-After': value})

# --- nonces ---
bad_nonce = problem(400, 'badNonce', 'JWS has an invalid anti-replay nonce')
row(1, 'badNonce on any POST, also the first, repeatedly',
    on(bad_nonce, 'newAccount 1-3', 'newOrder 1', 'authz 1-4', 'challenge 1', 'order 1', 'finalize 1-2', 'certificate 1'),
    seen=QUIET)
row(1, 'badNonce for ever comes to an end', on(bad_nonce, 'newOrder'), 1, 'new order: badNonce: JWS has', seen=dict(newOrder=11))
row(2, 'badNonce in other words and of another type',
    {'newAccount 1': problem(400, 'malformed', 'JWS verification failed: The Replay Nonce is not recognized'),
     'newOrder 1': text(400, {'detail': 'Invalid Nonce'}),
     'finalize 1': text(400, 'invalid anti-replay nonce', 'text/plain')}, seen=QUIET)
row(3, 'no Replay-Nonce in 503, 429 and badNonce',
    {'newAccount 1': text(503, '<h1>503</h1>', headers=NOW, nonce=False),
     'newOrder 1': text(429, '', headers=NOW, nonce=False),
     'authz 1': text(400, {'type': URN + 'badNonce'}, nonce=False)}, seen=dict(newNonce=4))
row(3, 'no Replay-Nonce in any reply to a POST', on(change(nonce=False)))
row(4, 'newNonce is busy, twice', {'newNonce 1': text(429, 'slow', headers=NOW, nonce=False), 'newNonce 2': text(503, '<html>', nonce=False)})
row(4, 'newNonce is busy for long', {'newNonce': text(429, '', headers={'Retry-After': '3600'}, nonce=False)},
    75, 'new nonce: .*HTTP 429.*come back after 2')
row(5, 'a proxy repeats a nonce that was used',
    {'newNonce 2-3': change(headers={'Replay-Nonce': 'used'}), 'newAccount': change(nonce=False)}, seen={'refused .*nonce': 1, 'newNonce': 2})
row(6, 'newNonce answers HEAD with 204', {'newNonce': change(http=204)}, seen=QUIET)
row(7, 'nonces of 140 characters', nonce_length=140, seen=QUIET)
row(7, 'nonces of 500 characters', nonce_length=500, seen=QUIET)

# --- waiting ---
row(8, 'Retry-After is a date', on(wait(date(1)), 'finalize', 'order'), issuing=PROCESSING, seen=dict(order=3))
row(8, 'Retry-After is a date in the past', on(wait(date(-500)), 'finalize', 'order'), issuing=PROCESSING, seen=dict(order=3))
for value in '86400', '18446744073709551616', '-1', 'soon', '':
    row(9, f'Retry-After: {value}, while it takes a moment only', on(wait(value), 'challenge', 'finalize', 'order'), issuing=PROCESSING,
        run='issue a.example --timeout 6', seen=dict(order=3))
row(10, 'no Retry-After while processing', issuing=PROCESSING, seen=dict(order=3))
for status in 'processing', 'ready', 'pending':
    row(11, f'finalize answers {status}', {'finalize': change('certificate', status=status)}, seen=dict(finalize=1))
row(11, 'finalize answers valid', seen=dict(finalize=1, order=1))
row(12, 'an unrelated Location in the answer to finalize', on(change(headers={'Location': '/elsewhere'}), 'finalize', 'order'), issuing=PROCESSING)

# --- orders and authorizations ---
row(13, 'an order is ready at once', authorization='valid', seen=dict(authz=0, hook=0))
row(13, 'an authorization is valid and lists nothing', {'newOrder': change(status='pending'), 'authz': change(challenges=[])},
    authorization='valid', seen=dict(hook=0))
KEY = 'openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out key.pem; '
row(13, 'an order is valid at once, for our key', same_order=True,
    run=KEY + 'issue a.example --key "$PWD/key.pem"; issue a.example --key "$PWD/key.pem" -f', seen=dict(finalize=1, certificate=2))
row(13, 'an order is valid at once, for another key', {}, 76, 'it is for another key', same_order=True, run='issue a.example; issue a.example -f')
row(14, 'an old order is given for the same names', {'authz 1': problem(503, 'serverInternal', headers={'Retry-After': '999'})},
    same_order=True, run='issue a.example; rm -r home/certs/a.example/pending; issue a.example', seen=dict(newOrder=2), err='come back after')

def spent(authz):
    authz['challenges'][0]['status'] = 'invalid'
    return authz
row(15, 'one challenge of a pending authorization was used up', {'authz': edit(spent)}, seen={'challenge .*/dns-01': 1, 'challenge': 1})
for status in 'deactivated', 'expired', 'revoked', 'invalid':
    row(16, f'an authorization is {status}', {'authz': change(status=status)}, 1, f'validation of a.example failed: {status}', seen=dict(order=0, hook=0))
row(16, 'an authorization expired and is gone', {'authz': text(404, '')}, 1, r'fetching .*HTTP 404')
row(16, 'after that the next run makes a new order', {'authz 1': change(status='expired')}, 0, run='issue a.example; issue a.example', seen=dict(newOrder=2))
row(17, 'a challenge is invalid, its order pending: the answer tells', {}, 1, 'validation of a.example failed: connection: nobody is there',
    answers=['invalid alone'], seen=dict(order=0))
row(17, 'a challenge is invalid, its order pending: polling tells', {'challenge': change('error', status='pending')}, 1,
    'validation of a.example failed: connection: nobody is there', answers=['invalid alone'], run='issue a.example --timeout 5')
row(17, 'after that the next run makes a new order', answers=['invalid alone', 'valid'], run='issue a.example; issue a.example', seen=dict(newOrder=2))
row(18, 'pending with an error wants a new answer', answers=['transient', 'transient', 'valid'], seen=dict(challenge=3, hook=2))
row(18, 'pending with an error for ever', {}, 75, 'still pending.* connection: nobody is there', answers=['transient'], run='issue a.example --timeout 3')
row(18, 'a challenge is processing for ever', {}, 75, 'still pending; the next run', answers=['processing'], run='issue a.example --timeout 2')
row(18, 'an order is pending for long: the next run goes on', {'order 1-8': change(status='pending')}, run='issue a.example --timeout 2; issue a.example',
    seen=dict(newOrder=1, finalize=1))
row(18, 'an order is processing for long: the next run goes on', issuing=['processing'] * 8, run='issue a.example --timeout 2; issue a.example',
    seen=dict(newOrder=1, finalize=1))
row(19, 'an answer is lost and repeated: 409', {'challenge 1': lost, 'challenge 2': problem(409, 'conflict')}, seen=dict(challenge=2))
row(19, 'an answer is lost and repeated: 400', {'challenge 1': lost, 'challenge 2': problem(400, 'malformed')}, seen=dict(challenge=2))

def strange(authz):
    more = [{'type': 'new-99', 'url': 'https://ca.example/x'}, {'type': 'tls-alpn-01', 'status': 'pending', 'url': 'https://ca.example/y'},
            {'type': 'dns-persist-01', 'status': 'pending', 'url': 'https://ca.example/z', 'issuer-domain-names': ['ca.example']}]
    return dict(authz, challenges=more + authz['challenges'], more={'a': [{}]})
row(20, 'challenges of unknown types, and without a token', {'authz': edit(strange)}, seen=dict(hook=2))
row(21, 'null for members that are not there', {
    'directory': change(meta={'termsOfService': None, 'caaIdentities': None, 'profiles': None, 'externalAccountRequired': None}, keyChange=None),
    'newAccount': change(contact=None, orders=None, more=None), 'authz': change(wildcard=None, expires=None),
    'newOrder': change(error=None, certificate=None, notBefore=None, replaces='', more=[1, {}]),
    'challenge': change(error=None, validated=None)})
row(21, 'meta null', {'directory': change(meta=None)})
row(21, 'no meta', {'directory': change('meta')})
row(21, 'authorizations null in a ready order', {'newOrder': change(authorizations=None)}, authorization='valid')
row(21, 'an order without authorizations that is ready', {'newOrder': change('authorizations')}, authorization='valid')
row(21, 'an identifier of an unknown kind', {'newOrder': change(identifiers=[{'type': 'x', 'value': 'a.example'}, {'type': 'y', 'value': 'z'}])}, 76, 'not asked for')

def identifiers(*names):
    return {'newOrder': change(identifiers=[{'type': 'dns', 'value': n} for n in names])}
row(22, 'identifiers in another order and case', identifiers('C.Example', 'a.EXAMPLE', 'b.example'), run='issue a.example B.example c.example')
row(22, 'an identifier was altered', identifiers('a.example', 'b.examp1e'), 76, 'leaves out b.example', run='issue a.example b.example')
row(22, 'an identifier was left out', identifiers('a.example'), 76, 'b.example', run='issue a.example b.example')
row(22, 'an identifier was added', identifiers('a.example', 'b.example'), 76, 'b.example')

# --- the directory, URLs, HTTP ---
row(23, 'a random key in the directory', {'directory': change(AbCdEf='https://community.example/t/why', number=1)})
row(23, 'the directory is redirected', {'directory 1': text(301, '', headers={'Location': lambda r: r.path + '?again'})}, seen=dict(directory=2))
row(23, 'a directory URL without a path', root=True)
row(24, 'URLs are relative', {'*': relative})
row(25, 'chunked replies', {'*': change(frame='chunked')})
row(25, 'chunked replies, oddly written', {'*': change(frame='odd-chunks')})
row(25, 'replies that end with the connection', on(change(frame='until-close'), 'directory', *POSTS))
row(25, 'an HTTP/1.0 proxy', on(change(frame='http10'), 'directory', *POSTS))
row(25, 'Connection: close with each reply', {'*': change(frame='close')})
row(25, 'Connection: close with an error', {'newOrder 1': [bad_nonce, change(frame='close')]}, seen=QUIET)
row(25, 'interim replies', {'*': change(interim=[100, 103, 103])})
row(25, 'the connection is closed before an answer', {k + ' 1': gone for k in ['directory', 'newNonce', 'newAccount', 'newOrder', 'authz', 'challenge', 'order', 'certificate']})

TERMS = 'https://ca.example/terms?v=1,8'
def links(*lines):
    return {'newOrder': problem(403, 'userActionRequired', 'the terms have changed', headers={'Link': list(lines)})}
row(26, 'Link: several lines', links('<https://ca.example/dir>;rel="index"', f'<{TERMS}>;rel="terms-of-service"'), 1, r'v=1,8$')
row(26, 'Link: joined by commas', links(f'<https://ca.example/dir>; title="a, b;c"; rel=index, <{TERMS}>; rel=terms-of-service'), 1, r'v=1,8$')
row(26, 'Link: parameters in any order, two relations', links(f'<{TERMS}> ; type=text/html;Rel = "alternate terms-of-service";x'), 1, r'v=1,8$')
row(26, 'terms of service with the scheme data:', {'directory': change(meta={'termsOfService': 'data:text/plain,Do%20no%20harm'})}, err='data:text/plain,Do%20no%20harm')
row(27, 'header names in lower case', header_names=str.lower)
row(27, 'header names in upper case', header_names=str.upper)
row(28, 'Content-Type with parameters', {'certificate': change(headers={'Content-Type': 'Application/PEM-certificate-chain ; charset=utf-8'}),
    'order': change(headers={'Content-Type': 'application/json; charset=utf-8'})})
row(28, 'problems as application/json', {'newOrder 1': [bad_nonce, change(headers={'Content-Type': 'application/json'})]}, seen=QUIET)

# --- problems ---
for what, body, err in [
    ('without status', {'type': URN + 'caa', 'detail': 'no way'}, 'caa: no way .HTTP 403.'),
    ('without type', {'detail': 'no way', 'status': 403}, 'new order: no way .HTTP 403.'),
    ('of type about:blank', {'type': 'about:blank', 'title': 'Forbidden', 'detail': 'no way'}, 'new order: no way .HTTP 403.'),
    ('whose type has no URN', {'type': 'malformed', 'detail': 'no way'}, 'malformed: no way .HTTP 403.'),
    ('that is a string', '"no way"', 'new order: no way .HTTP 403.'),
    ('in HTML', '<html>\r\n<h1>Forbidden</h1>', r'new order: <html>.*<h1>Forbidden</h1> .HTTP 403.'),
    ('that is text', 'no way\n', 'new order: no way.* .HTTP 403.'),
    ('with a message only', {'message': 'Missing Authentication Token'}, 'new order: Missing Authentication Token .HTTP 403.'),
    ('with a title only', {'type': 'about:blank', 'title': 'Forbidden here'}, 'new order: Forbidden here .HTTP 403.'),
    ('that is empty', '', 'new order: .HTTP 403.')]:
    row(29, 'a problem ' + what, {'newOrder': text(403, body)}, 1, err)
row(29, 'an empty 404', {'newOrder': text(404, '')}, 1, 'new order https.*HTTP 404')
row(30, 'subproblems', {'newOrder': problem(400, 'compound', 'two of them', subproblems=[
    {'type': URN + 'caa', 'detail': 'forbidden', 'identifier': {'type': 'dns', 'value': 'a.example'}},
    {'type': URN + 'dns', 'detail': 'NXDOMAIN', 'identifier': {'type': 'dns', 'value': 'b.example'}}])},
    1, 'compound: two of them; a.example: forbidden; b.example: NXDOMAIN')
row(30, 'control bytes in a detail', {'newOrder': problem(400, 'malformed', 'one\ntwo\x1b[2J\x07\x9b\u2028')}, 1, r'one\\x0atwo\\x1b\[2J')
row(30, 'a detail of 100 KB', {'newOrder': problem(400, 'malformed', 'x' * 100000)}, 1, 'malformed: xxxx')
limited = problem(429, 'rateLimited', 'too many certificates (1) already issued, retry after 2099-02-23 19:46:34 UTC: see https://ca.example/limits')
row(31, 'rateLimited, the moment in the detail only', {'newOrder': limited}, 75, 'rateLimited: too many.*come back after 2099-02-23T19:46:34Z', seen=dict(newOrder=1))
row(31, 'rateLimited, with Retry-After', {'newOrder': problem(429, 'rateLimited', 'too many', headers={'Retry-After': '7961561'})},
    75, 'rateLimited: too many.*come back after 20', seen=dict(newOrder=1))
row(31, 'rateLimited, without a moment', {'newOrder': problem(429, 'rateLimited', 'too many')}, 75, 'rateLimited: too many', seen=dict(newOrder=1))
row(31, 'rateLimited as 403', {'newOrder': problem(403, 'rateLimited', 'too many')}, 75, 'rateLimited: too many')
row(32, '503 with Retry-After, at each step', {k + ' 1': text(503, '<html>', headers={'Retry-After': '0'}) for k in ['directory', 'newNonce'] + POSTS},
    seen=dict(newOrder=2, finalize=2))
row(32, '500 with Retry-After 60', {'finalize': problem(500, 'serverInternal', 'oops', headers={'Retry-After': '60'})}, 75, 'oops.*come back after 2', run='issue a.example --timeout 5')
row(32, '502: a new order was made perhaps, and is not asked for again', {'newOrder': after(text(502, '<html>Bad Gateway'))}, 75, 'new order: <html>Bad Gateway', seen=dict(newOrder=1))
row(32, '504: the order was finalized', {'finalize': after(text(504, '<html>'))}, seen=dict(finalize=1))
row(32, '502: the order was not finalized', {'finalize 1': text(502, '<html>')}, seen=dict(finalize=2))
row(33, 'the answer to finalize is lost', {'finalize': lost}, seen=dict(finalize=1))
row(33, 'finalize was not heard', {'finalize 1': gone}, seen=dict(finalize=2))
row(33, 'the order is finalized already, says finalize', {'finalize': after(problem(403, 'orderNotReady'))}, seen=dict(finalize=1))
row(33, 'the order is not ready yet, says finalize', {'finalize 1': problem(403, 'orderNotReady')}, seen=dict(finalize=2))

window = change(suggestedWindow={'start': '2026-01-01T00:00:00Z', 'end': '2026-01-02T00:00:00Z'})
for status, kind in (409, 'alreadyReplaced'), (400, 'malformed'), (404, 'malformed'), (500, 'serverInternal'):
    row(34, f'replaces is refused with {status} {kind}', {'renewalInfo': window, 'newOrder 2': problem(status, kind)},
        run='issue a.example; renew -f', seen=dict(newOrder=3))
row(35, 'replaces is not echoed', {'renewalInfo': window}, run='issue a.example; renew -f', seen=dict(newOrder=2))
row(36, 'userActionRequired with the new terms', {'newOrder': problem(403, 'userActionRequired', 'agree first',
    headers={'Link': f'<{TERMS}>;rel="terms-of-service"'})}, 1, r'userActionRequired: agree first .* https://ca.example/terms\?v=1,8$')
row(36, 'userActionRequired with a place to do it', {'newOrder': problem(403, 'userActionRequired', 'agree first', instance='https://ca.example/agree')},
    1, r'agree first .* https://ca.example/agree$')
row(37, 'externalAccountRequired', {'newAccount': problem(403, 'externalAccountRequired', 'no binding')}, 1, 'externalAccountRequired: no binding .*external account binding')
row(37, 'the binding was used before', {'newAccount': problem(403, 'unauthorized', 'Unknown external account binding (EAB) key')}, 1, 'unauthorized: Unknown external account binding')
row(38, 'the CA has lost the account', {'newOrder': problem(400, 'accountDoesNotExist', 'no such account')}, 1,
    'accountDoesNotExist: no such account.*acme account register', run='account register; issue a.example', seen=dict(newAccount=1))
row(39, 'the account was deactivated', {'newAccount': problem(403, 'unauthorized', 'account is deactivated')}, 1, 'unauthorized: account is deactivated')
UNKNOWN = problem(400, 'accountDoesNotExist')
ROLL = 'account register && account rollover'
row(40, 'keyChange: 200 without effect', {'keyChange': text(200, ''), 'newAccount 2': UNKNOWN}, 76, 'but it was not - the old key stays', run=ROLL)
row(40, 'keyChange: 501', {'keyChange': text(501, ''), 'newAccount 2': UNKNOWN}, 1, '501.*the old key stays', run=ROLL)
row(40, 'keyChange: 409', {'keyChange': problem(409, 'conflict', headers={'Location': '/elsewhere'}), 'newAccount 2': UNKNOWN}, 1, 'another account at the CA has that key - the old key stays', run=ROLL)
for status, kind in (400, 'badCSR'), (403, 'unauthorized'), (400, 'malformed'):
    row(41, f'the request is refused as {kind}', {'finalize': problem(status, kind, 'weak key')}, 1, f'{kind}: weak key', seen=dict(finalize=1))
row(42, 'invalidProfile at newOrder', {'newOrder': problem(400, 'invalidProfile', 'no such profile')}, 1, 'invalidProfile: no such profile')
row(42, 'invalidProfile at finalize', {'finalize': problem(400, 'invalidProfile', 'no such profile')}, 1, 'invalidProfile: no such profile', seen=dict(finalize=1))
for what, orders in ('missing', None), ('there and of no interest', f'{BASE}/orders'):
    row(43, f'the URL of the orders is {what}', {'newAccount': change(orders=orders)}, run='issue a.example; account show', seen=dict(orders=0))

# --- certificates ---
row(44, 'PEM with CRLF', chain=lambda leaf, issuer: (leaf + issuer).replace('\n', '\r\n'))
row(44, 'PEM with blank lines', chain=lambda leaf, issuer: '\n\n' + leaf + '\n\n' + issuer + '\n\n')
row(44, 'PEM with text', chain=lambda leaf, issuer: 'subject: a\nissuer: b\n' + leaf + 'issuer: c\n' + issuer)
row(44, 'PEM without a final newline', chain=lambda leaf, issuer: (leaf + issuer).rstrip())
row(44, 'PEM with the root', chain=lambda leaf, issuer: leaf + issuer + ROOT_PEM)
row(44, 'PEM without its issuer', chain=lambda leaf, issuer: leaf)
row(44, 'PEM in the wrong order', {}, 76, 'did not issue|another key', chain=lambda leaf, issuer: issuer + leaf)
UP = change(headers={'Content-Type': 'application/pkix-cert', 'Link': lambda r: f'<{r.path}/issuer>;rel="up"'})
row(44, 'application/pkix-cert and its issuer by rel="up"', {'certificate 1': [edit(der), UP], 'certificate 2': [
    edit(lambda pem: der(ISSUER)), change(headers={'Content-Type': 'application/pkix-cert'})]}, run='issue a.example && [ -s home/certs/a.example/live/chain.pem ]')
row(44, 'issuers by rel="up" without end', {'certificate': [edit(der), UP]}, 76, 'more than .* certificates|did not issue')

# --- renewal information ---
HALF = 'issue a.example; half_over a.example; renew'
for what, window in [
    ('fractions of seconds', {'start': '2026-01-01T00:00:00.721Z', 'end': '2026-01-02T00:00:00.5Z'}),
    ('offsets', {'start': '2026-01-01T00:00:00+02:00', 'end': '2026-01-02T00:00:00-05:30'})]:
    row(45, 'renewal information with ' + what, {'renewalInfo': change(suggestedWindow=window)}, run=HALF, seen=dict(newOrder=2, renewalInfo=1))
for what, action in [
    ('whose window ends before it begins', change(suggestedWindow={'start': '2026-01-02T00:00:00Z', 'end': '2026-01-01T00:00:00Z'})),
    ('that is 404', problem(404, 'malformed')), ('that is 500', text(500, 'oops'))]:
    row(45, 'renewal information ' + what, {'renewalInfo': action}, run=HALF, seen=dict(newOrder=1))

# --- the rest ---
UNPAUSE = 'https://ca.example/sfe/v1/unpause?jwt=' + 'x' * 700
for status in 403, 400, 429:
    row(46, f'the account is paused: {status}', {'newOrder': problem(status, 'rateLimited', f'Your account is temporarily prevented. Please visit: {UNPAUSE}.')},
        75, 'visit: ' + UNPAUSE.replace('?', '.') + r'\. ', seen=dict(newOrder=1))
row(47, 'ES384 is not known to the CA, which says what is', {'newAccount': problem(400, 'badSignatureAlgorithm', 'no', algorithms=['RS256', 'ES256'])},
    1, 'badSignatureAlgorithm: no; the server accepts RS256 ES256', run='issue a.example --account-key-type ec384')
row(48, 'an account without contact', {'newAccount': change('contact')}, run='issue a.example -m a@example.com; account show')
row(49, 'an IPv6 address of the CA leads nowhere', see='tests/unit/tls.c: black hole')
row(50, 'the clock here is behind', {'*': change(headers={'Date': date(86400 * 3)})}, 0, "clock.* the CA's")
row(50, 'a date in Retry-After is meant by the clock of the CA', {'finalize': change(headers={'Date': date(86400), 'Retry-After': date(86401)})}, 0, "clock.* the CA's",
    issuing=PROCESSING, run='issue a.example --timeout 8')
for token in '../../x', 'a/b', '..', 'a;reboot', '$(x)', '', 'x' * 200, 'a\u00e9', 'a\0b':
    row(51, 'a token that is ' + ascii(token[:20]), {'authz': edit(lambda z, token=token: dict(z, challenges=[dict(c, token=token) for c in z['challenges']]))},
        76, 'token', seen=dict(hook=0))
LONG = 'l=$(printf %050d 0 | tr 0 a); n=$(seq 100 199 | sed "s/.*/$l-&.$l-&.$l-&.$l.$l/" | cut -c 1-240 | sed "s/[-.]*\\$/.example/"); '
row(52, 'a hundred long names: no request is larger than 50000 bytes', run=LONG + 'issue -k rsa2048 $n', seen=dict(newOrder=1, refused=0))
row(53, 'one token for several authorizations', same_token=True, run='issue a.example b.example', seen=dict(hook=4))
row(53, 'one token for a name and its wildcard', same_token=True, run='issue a.example "*.a.example" -t dns-01', seen=dict(hook=2, challenge=2))
