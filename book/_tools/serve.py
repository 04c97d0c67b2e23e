"""Serve the built book on loopback: python serve.py FOLDER PORT. Takes a free port if that one is in use."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def server(folder, port):
    pages = partial(Quiet, directory=folder)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), pages)
    except OSError:  # in use
        return ThreadingHTTPServer(("127.0.0.1", 0), pages)


if __name__ == "__main__":
    with server(sys.argv[1], int(sys.argv[2])) as running:
        print(f"The book: http://127.0.0.1:{running.server_address[1]}   (Ctrl + C to stop)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()
