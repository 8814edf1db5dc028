"""probe.py - how fast the CA itself is, for the bench: probe.py DIRECTORY CA WAY NAME...

A client that does only what cannot be left out: one connection, all requests of a
kind in one flight (as many as it has nonces, twelve), polls every 5 ms.
WAY is plain, or spec: each poll of the order has a finalize right behind it in the
same flight, until one is accepted; or spec0: the first such pair goes out in the flight of the
last challenge answers.  Prints lines "name value": wall_us from the first byte
to the certificate, polls, early (finalizes that were refused, and with what),
and what the order said in the end.  http-01 files go to /bench/www.
"""

import base64
import hashlib
import json
import os
import socket
import ssl
import sys
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

POOL = 12
WEBROOT = "/bench/www/.well-known/acme-challenge"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Probe:
    def __init__(self, directory, bundle):
        self.url = urllib.parse.urlsplit(directory)
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {"crv": "P-256", "kty": "EC", "x": b64(numbers.x.to_bytes(32, "big")),
                    "y": b64(numbers.y.to_bytes(32, "big"))}
        self.thumbprint = b64(hashlib.sha256(json.dumps(
            self.jwk, separators=(",", ":"), sort_keys=True).encode()).digest())
        self.kid = None
        self.nonces = []
        self.context = ssl.create_default_context(cafile=bundle)

    def connect(self):
        raw = socket.create_connection((self.url.hostname, self.url.port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = self.context.wrap_socket(raw, server_hostname=self.url.hostname)
        self.file = self.tls.makefile("rb")

    def request(self, method, url, body=b""):
        path = urllib.parse.urlsplit(url).path
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.url.netloc}\r\nUser-Agent: probe\r\n"
        if body:
            head += f"Content-Type: application/jose+json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def signed(self, url, payload):
        protected = {"alg": "ES256", "nonce": self.nonces.pop(), "url": url}
        protected.update({"kid": self.kid} if self.kid else {"jwk": self.jwk})
        first = b64(json.dumps(protected).encode())
        second = b64(json.dumps(payload).encode()) if payload is not None else ""
        r, s = utils.decode_dss_signature(
            self.key.sign(f"{first}.{second}".encode(), ec.ECDSA(hashes.SHA256())))
        body = json.dumps({"protected": first, "payload": second,
                           "signature": b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))})
        return self.request("POST", url, body.encode())

    def reply(self, head=False):
        status = int(self.file.readline().split()[1])
        headers = {}
        while True:
            line = self.file.readline().strip().decode()
            if not line:
                break
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        if "replay-nonce" in headers:
            self.nonces.append(headers["replay-nonce"])
        if head:
            return status, headers, b""
        if headers.get("transfer-encoding") != "chunked":
            return status, headers, self.file.read(int(headers.get("content-length", 0)))
        body = b""
        while True:
            size = int(self.file.readline(), 16)
            body += self.file.read(size)
            self.file.readline()
            if size == 0:
                return status, headers, body

    def flight(self, requests):
        """(url, payload) pairs, a pool of nonces at a time; their replies."""
        replies = []
        while requests:
            now, requests = requests[:len(self.nonces)], requests[len(self.nonces):]
            self.tls.sendall(b"".join(self.signed(url, payload) for url, payload in now))
            replies += [self.reply() for _ in now]
        return replies

    def one(self, url, payload=None):
        return self.flight([(url, payload)])[0]

    def issue(self, way, names):
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False).sign(key, hashes.SHA256())
        finalize = {"csr": b64(csr.public_bytes(serialization.Encoding.DER))}
        began = time.monotonic()
        self.connect()
        self.tls.sendall(self.request("GET", self.url.geturl()))
        directory = json.loads(self.reply()[2])
        count = min(POOL, len(names) + 2)
        self.tls.sendall(self.request("HEAD", directory["newNonce"]) * count)
        for _ in range(count):
            self.reply(head=True)
        self.kid = self.one(directory["newAccount"], {"termsOfServiceAgreed": True})[1]["location"]
        _, headers, body = self.one(directory["newOrder"], {
            "identifiers": [{"type": "dns", "value": name} for name in names]})
        order, where = json.loads(body), headers["location"]
        answers = []
        for _, _, body in self.flight([(url, None) for url in order["authorizations"]]):
            for challenge in json.loads(body)["challenges"]:
                if challenge["type"] == "http-01":
                    with open(f"{WEBROOT}/{challenge['token']}", "w", encoding="ascii") as file:
                        file.write(f"{challenge['token']}.{self.thumbprint}")
                    answers.append((challenge["url"], {}))
        pair = [(where, None), (order["finalize"], finalize)]
        polls, early, accepted = 0, [], False
        if way == "spec0":
            last = self.flight(answers + pair)[-1]
        else:
            self.flight(answers)
            last = None
        while not accepted:
            if way == "plain":
                polls += 1
                status = json.loads(self.one(where)[2])["status"]
                if status == "ready":
                    last = self.one(order["finalize"], finalize)
            elif last is None:
                polls += 1
                last = self.flight(pair)[-1]
            if last is not None:
                accepted = last[0] == 200
                if not accepted:
                    early.append(f"{last[0]} {json.loads(last[2]).get('type', '?').split(':')[-1]}")
                last = None
            if not accepted:
                time.sleep(0.005)
        while order["status"] != "valid":
            polls += 1
            order = json.loads(self.one(where)[2])
            if order["status"] == "invalid":
                break
            if order["status"] != "valid":
                time.sleep(0.005)
        chain = self.one(order["certificate"])[2] if order["status"] == "valid" else b""
        ended = time.monotonic()
        print(f"wall_us {int((ended - began) * 1e6)}")
        print(f"polls {polls}")
        print(f"early {len(early)}" + (f" x {early[0]}" if early else ""))
        print(f"order {order['status']}, {chain.count(b'BEGIN CERT')} certificates")
        return chain


def main():
    directory, bundle, way, chain = sys.argv[1:5]
    os.makedirs(WEBROOT, exist_ok=True)
    pem = Probe(directory, bundle).issue(way, sys.argv[5:])
    with open(chain, "wb") as file:
        file.write(pem)


main()
