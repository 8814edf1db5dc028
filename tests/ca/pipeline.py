# Requests that go out together, and what becomes of them when the CA, or what stands
# before it, does not bear that: rows as in behaviours.py, with the shell functions
# of e2e/pipeline.sh.  Numbers are those of the parts below.

PATIENCE = 0.02     # s in which the next request of a flight is there
HEADS = 10          # at once, and the size of a flight of signed requests
NOW = {'Retry-After': '0'}
BAD_NONCE = problem(400, 'badNonce', 'JWS has an invalid anti-replay nonce')

half = wire(lambda s, data: s.sendall(data[:len(data) // 2]))     # done; a part of the answer

def busy(status, **headers):
    """What a front end says: no JSON, no nonce."""
    return text(status, '<html>\r\n<h1>Slow down</h1>', headers=headers, nonce=False)

def flight(kind, n=HEADS):
    """The first of them is not answered before all are there: who waits for it waits for ever."""
    return {kind + ' 1': behind(n - 1)}

def counts(n, times=1):
    """Requests for n names; further polls are not in it."""
    return dict(newNonce=min(n, HEADS) * times, newOrder=times, authz=n * times, challenge=n * times,
                order=times, finalize=times, certificate=times, refused=0)

# --- 1: how many ---
LATER = {'finalize': change('certificate', status='processing')}
PAST = change(suggestedWindow={'start': '2026-01-01T00:00:00Z', 'end': '2026-01-02T00:00:00Z'})
for n in 1, 2, 10:
    row(1, f'2N+8 requests and N-1 HEADs for a first certificate, N = {n}', LATER, run=f'issue $(names {n}) && requests {2 * n + 8 + n - 1}',
        seen=dict(counts(n), order=2, directory=1, newAccount=1, connection=1))
    row(1, f'2N+7 requests and N-1 HEADs for a renewal, N = {n}', dict(LATER, renewalInfo=PAST),
        run=f'issue $(names {n}) && half_over n1.example && renew && requests {(2 * n + 8 + n - 1) + (2 * n + 7 + n - 1)}',
        seen=dict(counts(n, 2), order=4, directory=1, newAccount=1, renewalInfo=1))
row(1, 'with more than ten names there are more nonces than ten', {'authz': delay(0.03), 'challenge': delay(0.03)},
    run='issue $(names 30) && heads 30', seen=dict(authz=30, challenge=30))

# --- 2: connections ---
row(2, 'a slow server, ten names: one connection', {'*': delay(0.04)}, run='issue $(names 10)', seen=dict(counts(10), connection=1))
row(2, 'a slow server, many names: up to four', {'*': delay(0.1)}, run='issue $(names 25) && connections 2 4', seen=dict(authz=25, challenge=25, newOrder=1))
row(2, 'a quick server, many names: one', run='issue $(names 30) && connections 1 1 || quick')
row(2, 'one of these ends in the middle', {'*': delay(0.1), 'authz 20': gone}, run='issue $(names 25) && connections 2 5',
    seen=dict(challenge=25, newOrder=1))

# --- 3: flights ---
row(3, 'a new order and the HEADs for what follows it', flight('newOrder'), run='issue $(names 10)', seen=counts(10))
row(3, 'ten authorizations', flight('authz'), run='issue $(names 10)', seen=counts(10))
row(3, 'ten answers', flight('challenge'), run='issue $(names 10)', seen=counts(10))
row(3, 'ten HEADs ahead of the order of a renewal', {'newNonce 11': behind(9)}, run='issue $(names 10) && renew -f', seen=counts(10, 2))

# --- 4: the end of a connection ---
for kind in 'authz', 'challenge':
    for what, action in ('the end, before a byte of the answer', gone), ('the end, within the answer', half), ('a reset within the answer', wire(lambda s, data: reset(s, data[:100]))):
        row(4, f'{kind} 4 of a flight: {what}; it is remembered', {f'{kind} 4': [action, behind(6)]}, patience=PATIENCE,
            run=f'issue $(names 10) && single && renew -f && single && in_flights_until {kind} 4',
            seen={'newOrder': 2, 'connection': 3, 'refused': 0, 'authz': 20, 'challenge': 20, kind: 21})
        row(4, f'{kind} 1 of a flight: {what}', {f'{kind} 1': [action, behind(9)]}, patience=PATIENCE,
            run=f'issue $(names 10) && single && in_flights_until {kind} 1',
            seen={'newOrder': 1, 'connection': 2, 'refused': 0, 'authz': 10, 'challenge': 10, kind: 11})
for what, left, alone in ('in force', '3 days', True), ('past', '-1 days', False), ('absurd', '8 days', False), ('in 2099', '27000 days', False), ('no date', '', False):
    row(4, f'singleUntil is {what}', {} if alone else flight('authz'), patience=PATIENCE,
        run=f'account register && single_until "{left}" && issue $(names 10) && ' + ('alone' if alone else '! alone'), seen=dict(authz=10, connection=2))

# --- 5: too many ---
for status in 503, 429:
    for what, headers in ('without Retry-After', {}), ('with Retry-After: 1', {'Retry-After': '1'}):
        for kind in 'authz', 'challenge':
            row(5, f'{status} {what} to {kind} 4 of a flight', {f'{kind} 4': busy(status, **headers)}, patience=PATIENCE,
                run=f'timed issue $(names 10) && took 1 15 && single && in_flights_until {kind} 10',
                seen={'newOrder': 1, 'refused': 0, 'authz': 10, 'challenge': 10, kind: 11})
    row(5, f'{status} to all of a flight but one', {'authz 2-10': busy(status, **NOW)}, patience=PATIENCE,
        run='issue $(names 10) && single && in_flights_until authz 10', seen=dict(newOrder=1, authz=19))
    row(5, f'{status} to HEADs of a flight: no more of them', {'newNonce 2-4': busy(status)}, patience=PATIENCE,
        run='issue $(names 10) && ! single', seen=dict(newNonce=10, newOrder=1, authz=10, challenge=10))
    row(5, f'{status} to a lone request says nothing of flights', {'newOrder 1': busy(status, **NOW)}, patience=PATIENCE,
        run='issue a.example && renew -f && ! single', seen=dict(newOrder=3))
row(5, '503 to every second HEAD, and nonces by HEADs only', {'authz': change(nonce=False), 'challenge': change(nonce=False),
    **{f'newNonce {n}': busy(503, **NOW) for n in range(12, 60, 2)}}, run='issue $(names 10)', seen=dict(newOrder=1, authz=10, challenge=10))
row(5, '503 is all that comes', {'authz 4-': busy(503, **NOW)}, 75, 'come back after', run='issue $(names 10)', seen=dict(newOrder=1))
row(5, 'rateLimited within a flight is no fault of the flight', {'authz 4': problem(429, 'rateLimited', 'too many', headers={'Retry-After': '3600'})},
    75, 'rateLimited: too many.*come back after', run='issue $(names 10)', seen=dict(newOrder=1, authz=10))
for kind in 'authz', 'challenge':
    row(5, f'badNonce to three of a flight of {kind}', {f'{kind} 2': BAD_NONCE, f'{kind} 5-6': BAD_NONCE, **flight(kind)}, patience=PATIENCE,
        run='issue $(names 10) && ! single', seen=dict(counts(10), connection=1, **{kind: 13}))

# --- 6: a new order with HEADs behind it ---
row(6, 'the connection ends before an answer', {'newOrder 1': [gone, behind(9)]}, run='issue $(names 10)', seen=dict(newOrder=2, authz=10, connection=2))
row(6, 'and once more', {'newOrder': [gone, behind(9)], 'newOrder 2': gone}, 69, 'new order', run='issue $(names 10)', seen=dict(newOrder=2))
row(6, 'the connection ends after the answer was begun', {'newOrder 1': [half, behind(9)]}, 69, 'new order', run='issue $(names 10)', seen=dict(newOrder=1))
row(6, 'the answer is there, then the connection ends', {'newNonce 2': [gone, behind(8)]}, patience=PATIENCE, run='issue $(names 10) && single && in_flights_until newNonce 2', seen=dict(newOrder=1, authz=10, connection=2))

# --- 7: renewal information ---
at = lambda days: time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 86400 * days))
SOON = change(suggestedWindow={'start': at(10), 'end': at(20)})
ASKED = {'renewalInfo': SOON, 'renewalInfo 1': behind(9)}
row(7, 'of forty certificates, by GETs in flights', ASKED, run='issue n1.example && copies 40 && renew && windows 40',
    seen=dict(renewalInfo=40, newOrder=1, directory=1, connection=2))
row(7, 'some are not there, some make no sense', {**ASKED, 'renewalInfo 7': problem(404, 'malformed'), 'renewalInfo 9': text(404, ''),
    'renewalInfo 20': text(200, 'junk', 'application/json'), 'renewalInfo 33': change(suggestedWindow={'start': 'x', 'end': 'y'}), 'renewalInfo 35': text(500, '<html>')},
    run='issue n1.example && copies 40 && renew && windows 36', seen=dict(renewalInfo=41, newOrder=1, connection=2))
row(7, 'a CA that is down does not keep others waiting', ASKED, run='issue n1.example && copies 40 && elsewhere 15 && timed renew && took 0 15 && windows 25',
    seen=dict(renewalInfo=25, newOrder=1, connection=2))
for what, action in ('before a byte of the answer', gone), ('within the answer', half):
    row(7, 'one connection ends, ' + what, {'renewalInfo': SOON, 'renewalInfo 4': [action, behind(6)]}, run='issue n1.example && copies 40 && renew && windows 40',
    seen=dict(renewalInfo=41, newOrder=1, connection=3))

# --- 8: a directory that is stale ---
STALE = 'issue $(names 3) && stale %s && renew -f && fresh && renew -f'
row(8, 'newOrder is elsewhere', run=STALE % 'newOrder', seen=dict(directory=2, old=1, newOrder=3))
row(8, 'newNonce is elsewhere', run=STALE % 'newNonce', seen=dict(directory=2, newOrder=3))
row(8, 'all is elsewhere', run=STALE % 'newNonce newOrder newAccount', seen=dict(directory=2, newOrder=3))

# --- 9: one after the other ---
row(9, '--serial answers one challenge at a time, however slow it is', {'authz': delay(0.1), 'challenge': delay(0.1)}, patience=PATIENCE,
    run='issue --serial $(names 4) && one_by_one', seen={'newOrder': 1, 'challenge': 4, 'more challenge': 0})
