"""What stands between a visitor and the page: proxies that show it under a path, keep silent of it, or hold it back."""

import contextlib
import http.client
import http.server
import threading
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}  # RFC 9110, 7.6.1, and what follows


@contextlib.contextmanager
def proxy(address, path="/", headers=(), *, holds=False, cuts=0):
    """Show the page of this address under a path, which is taken off every request; yield the address of that.

    `headers` are what it adds to a request, or puts in the place of what the browser sent. With `holds` it passes no
    answer on before its end, with `cuts` none longer than so many bytes: it breaks off there.
    """
    upstream = urlsplit(address)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            if not self.path.startswith(path):
                self.send_error(404, "the proxy shows nothing else")
                return
            sent = {name.lower(): value for name, value in self.headers.items()} | dict(headers)
            sent["connection"] = "close"
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection(upstream.hostname, upstream.port)
            connection.request(self.command, "/" + self.path[len(path) :], body or None, sent)
            answer = connection.getresponse()
            whole = answer.read() if holds else None
            self.close_connection = True
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("connection", "close")
            self.end_headers()
            left = cuts
            with contextlib.suppress(OSError):  # the visitor has gone
                for part in iter(answer.read1, b"") if whole is None else [whole]:
                    self.wfile.write(part[:left] if cuts else part)
                    self.wfile.flush()
                    left -= len(part)
                    if cuts and left <= 0:
                        break
            connection.close()

        do_GET = do_POST = do_DELETE = do_HEAD = pass_on

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{path}"
    server.shutdown()
    server.server_close()
