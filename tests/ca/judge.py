"""
What is not as a row of server.py's table has it: judge.py FOLDER..., each of a case
that was run, gets a file "faults", a line for each.  In a folder are the files of
server.py; got, the exit status; begun, whose age at that moment is the time that
was taken; got.out and got.err; home; home.hook, the calls of the hook; and, if
these were to stay as they were, the live files in before.
"""
import glob, os, re, sys

SECONDS = 45    # that a row takes at most, on a machine that is busy

def read(name):
    with open(name, 'rb') as f:
        return f.read().decode('latin-1')

def lines(name):
    return [line for line in read(name).split('\n') if line] if os.path.exists(name) else []

def count(kind):
    """The requests of one kind, or the calls of the hook (by its first argument)."""
    if kind.startswith('hook'):
        return sum(line.startswith(kind[5:]) for line in lines('home.hook'))
    return sum(bool(re.match(f'(?:{kind})( |$)', line)) for line in lines('log'))

def secrets():
    """The lines of all private keys."""
    for key in glob.glob('home/certs/*/*/privkey.pem') + glob.glob('home/accounts/*/key.pem'):
        yield from (line for line in lines(key) if '-----' not in line)

def residue():
    for folder, folders, files in os.walk('home'):
        yield from (name for name in folders + files if name.startswith('.') or '.tmp' in name)

def wrong():
    status, want, pattern, run = int(read('got')), int(read('status')), read('err'), read('run')
    err, out = lines('got.err'), read('got.out')
    if status != want:
        yield f'exit status {status}, want {want}'
    if pattern and not any(re.search(pattern, line) for line in err):
        yield 'stderr is not like: ' + pattern
    for line in lines('seen'):
        number, _, kind = line.partition(' ')
        if count(kind) != int(number):
            yield f'{kind}: seen {count(kind)}, want {number}'
    # what holds for all of them
    said = sum('registered an account' not in line for line in err)
    if not re.search('[;&]', run) and (said != 1 if status else said and not pattern):
        yield f'{said} lines on stderr'
    if re.search('[^ -~]', ''.join(err) + out.replace('\n', '')):
        yield 'bytes in the output that are not printable'
    if any(not line.startswith('acme: ') for line in err):
        yield 'a line that is not ours on stderr'
    if any(secret in out + '\n'.join(err) for secret in secrets()):
        yield 'a key is shown'
    if os.path.exists('before'):
        for name in os.listdir('before'):
            if read('before/' + name) != read('home/certs/a.example/live/' + name):
                yield f'{name} was changed'
    if count('hook begin') != count('hook done') + count('hook failed'):
        yield 'a hook is left standing'
    for name in residue():
        yield 'left: ' + name
    if os.stat('got').st_mtime - os.stat('begun').st_mtime > SECONDS:
        yield 'it took too long'

for folder in sys.argv[1:]:
    os.chdir(folder)
    if os.path.exists('got'):
        with open('faults', 'w') as f:
            f.writelines(line + '\n' for line in wrong())
