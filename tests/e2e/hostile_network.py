# ruff: noqa: N815, T201 - names of http.server; its lines are read in the log of its pod
"""Runs in a pod: a DNS server that gives its own address for every name, and a registry that notes who logs in.

    python3 hostile_network.py ADDRESS CERTIFICATE KEY PORT...

Each port speaks TLS or plain HTTP, whatever comes. `SAW ...` is printed for each request with credentials.
"""

import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS, CERTIFICATE, KEY = sys.argv[1:4]
FIRST_BYTE_OF_TLS = b"\x16"


def answer(query: bytes) -> bytes:
    """The answer to a DNS query: ADDRESS for A, nothing for any other type."""
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    is_a = question[-4:-2] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(ADDRESS)
    return query[:2] + b"\x85\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" + question + record * is_a


def serve_dns() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("", 53))
    while True:
        query, peer = server.recvfrom(4096)
        print("ASKED", query[12:60], flush=True)
        server.sendto(answer(query), peer)


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization")
        if authorization:
            print("SAW", self.command, self.path, authorization, flush=True)
        self.send_response(200 if authorization else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="private"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    def get_request(self) -> tuple[socket.socket, object]:
        connection, peer = super().get_request()
        connection.settimeout(10)
        if connection.recv(1, socket.MSG_PEEK) == FIRST_BYTE_OF_TLS:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, KEY)
            connection = context.wrap_socket(connection, server_side=True)
        return connection, peer

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate hangs up."""


for each in sys.argv[4:]:
    threading.Thread(target=Server(("", int(each)), Registry).serve_forever).start()
threading.Thread(target=serve_dns).start()
print("READY", flush=True)
