"""A connection to PostgreSQL by libpq: a program of its own for each question (psql) takes more than most answers."""
import ctypes
import ctypes.util
import threading

pq = ctypes.CDLL(ctypes.util.find_library("pq"))
for name, result in (("PQconnectdb", ctypes.c_void_p), ("PQexec", ctypes.c_void_p), ("PQerrorMessage", ctypes.c_char_p),
                     ("PQresultErrorMessage", ctypes.c_char_p), ("PQgetvalue", ctypes.c_char_p), ("PQfinish", None), ("PQclear", None),
                     ("PQstatus", ctypes.c_int), ("PQresultStatus", ctypes.c_int), ("PQntuples", ctypes.c_int), ("PQnfields", ctypes.c_int)):
    getattr(pq, name).restype = result
for name in ("PQerrorMessage", "PQfinish", "PQstatus", "PQresultStatus", "PQresultErrorMessage", "PQclear", "PQntuples", "PQnfields"):
    getattr(pq, name).argtypes = [ctypes.c_void_p]
pq.PQexec.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
pq.PQgetvalue.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
OK, DONE = 0, (0, 1, 2)             # CONNECTION_OK; PGRES_EMPTY_QUERY, PGRES_COMMAND_OK, PGRES_TUPLES_OK


class Connection:
    """Opened when it is needed; a server that was away meanwhile is asked once more.  Threads take turns."""

    def __init__(self, conninfo):
        self.conninfo, self.conn, self.lock = conninfo, None, threading.Lock()

    def close(self):
        with self.lock:
            self.end()

    def end(self):
        if self.conn:
            pq.PQfinish(self.conn)
        self.conn = None

    def rows(self, text):
        """The rows of the last statement as lists of strings, NULL as "".  RuntimeError: what PostgreSQL says."""
        with self.lock:
            if self.conn:
                result = pq.PQexec(self.conn, text.encode())
                if pq.PQstatus(self.conn) == OK:
                    return self.taken(result)
                pq.PQclear(result)
                self.end()
            self.conn = pq.PQconnectdb(self.conninfo.encode())
            if pq.PQstatus(self.conn) != OK:
                why = pq.PQerrorMessage(self.conn).decode()
                self.end()
                raise RuntimeError(why)
            return self.taken(pq.PQexec(self.conn, text.encode()))

    def taken(self, result):
        try:
            if pq.PQresultStatus(result) not in DONE:
                raise RuntimeError((pq.PQresultErrorMessage(result) or pq.PQerrorMessage(self.conn)).decode())
            return [[pq.PQgetvalue(result, row, column).decode() for column in range(pq.PQnfields(result))]
                    for row in range(pq.PQntuples(result))]
        finally:
            pq.PQclear(result)
