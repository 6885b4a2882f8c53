"""A venue's side of a FIX 4.4 session over real TCP, which misbehaves as it is told to."""

import socket
import threading
import time

import simplefix

from .reports import US, VENUE, fill, message


class Acceptor:
    """
    Accept one connection after the other; keep what was sent, and send it again when asked to.

    spoil       called with (number, bytes) of each execution when it is first sent; returns the
                bytes to put on the wire instead, b"" for none
    received    all messages of the client, in order
    """

    def __init__(self, spoil=lambda number, raw: raw, port=0):
        self.sent = {}  # number → ExecID and changes, or None for a session message
        self.next_number = 1
        self.received, self.problems = [], []
        self.spoil, self.logons, self.on_logon = spoil, 0, None
        self._lock = threading.RLock()
        self._connection = None
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(0.2)
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self.drop()
        self._thread.join(10)
        self._listener.close()
        assert not self.problems, self.problems

    def drop(self):
        """Break the line without a word."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def execute(self, exec_id, **changes):
        """Send an execution to a client that is there; keep it for one that is not."""
        with self._lock:
            number = self._take((exec_id, changes))
            self._write(self.spoil(number, fill(number, exec_id, **changes)))

    def send(self, kind, fields=(), **header):
        with self._lock:
            self._write(message(kind, self._take(None), fields, **header))

    def write(self, raw):
        with self._lock:
            self._write(raw)

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"nothing came: {self.kinds()[-12:]}"
            time.sleep(0.01)

    def kinds(self):
        return [made.get(35).decode() for made in self.received]

    def _take(self, kept):
        number, self.next_number = self.next_number, self.next_number + 1
        self.sent[number] = kept
        return number

    def _write(self, raw):
        if self._connection is not None and raw:
            try:
                self._connection.sendall(raw)
            except OSError:
                self._connection = None

    def _serve(self):
        while not self._ended.is_set():
            try:
                made, _ = self._listener.accept()
            except TimeoutError:
                continue
            made.settimeout(0.1)
            try:
                self._talk(made)
            except OSError:
                pass
            except Exception as error:  # noqa: BLE001 - told by `stop`
                self.problems.append(repr(error))
            finally:
                made.close()
                with self._lock:
                    if self._connection is made:
                        self._connection = None

    def _talk(self, made):
        parser = simplefix.FixParser()
        while not self._ended.is_set():
            try:
                arrived = made.recv(65536)
            except TimeoutError:
                continue
            if not arrived:
                return
            parser.append_buffer(arrived)
            while (found := parser.get_message()) is not None:
                self._check(found)
                self.received.append(found)
                self._answer(made, found)

    def _check(self, found):
        if (found.get(49), found.get(56)) != (US.encode(), VENUE.encode()):
            self.problems.append(f"strangers: {found}")
        if found.encode() != found.encode(raw=True):  # simplefix works length and sum out again
            self.problems.append(f"length or sum: {found}")

    def _answer(self, made, found):
        kind = found.get(35)
        with self._lock:
            if kind == b"A":
                self.logons += 1
                self._connection = made
                if found.get(141) == b"Y":
                    self.next_number, self.sent = 1, {}
                answer = self.on_logon and self.on_logon(self)
                if not answer:
                    self.send("A", [(98, 0), (108, found.get(108).decode())])
            elif kind == b"1":
                self.send("0", [(112, found.get(112).decode())])
            elif kind == b"2":
                self._send_again(int(found.get(7)), int(found.get(16)))
            elif kind == b"5":
                self.send("5")

    def _send_again(self, first, last):
        number, end = first, (last or self.next_number - 1) + 1
        while number < end:
            kept = self.sent[number]
            if kept is not None:
                exec_id, changes = kept
                self._write(fill(number, exec_id, possible_duplicate=True, **changes))
                number += 1
                continue
            following = number
            while following < end and self.sent[following] is None:
                following += 1
            self._write(
                message("4", number, [(123, "Y"), (36, following)], possible_duplicate=True)
            )
            number = following
