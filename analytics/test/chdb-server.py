"""ClickHouse's HTTP interface in front of its real engine (chdb): as much of it as @clickhouse/client uses.

python3 chdb-server.py SITE FOLDER PORT
"""
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, sys.argv[1])
from chdb import session  # noqa: E402

engine = session.Session(sys.argv[2])
one_at_a_time = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"Ok.\n")

    def do_POST(self):
        given = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        body = self.body().decode()
        text = given.get("query", "") + ("\n" if "query" in given else "") + body
        params = {name[6:]: value for name, value in given.items() if name.startswith("param_")}
        try:
            with one_at_a_time:
                engine.query("USE " + given.get("database", "default"))
                if "mutations_sync" in given:
                    engine.query("SET mutations_sync = " + str(int(given["mutations_sync"])))
                result = engine.query(text, given.get("default_format", "TabSeparated"), params=params)
            self.answer(200, result.bytes() or b"")
        except Exception as error:
            code = re.search(r"Code: (\d+)", str(error))
            self.answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code.group(1) if code else "0"})

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(pieces)

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
