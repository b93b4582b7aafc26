"""HPACK (RFC 7541): reads everything that a peer may send, writes plain literals only."""

STATIC_TABLE = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""),
    ("vary", ""), ("via", ""), ("www-authenticate", ""),
]

# The code is canonical, so lengths are enough. Symbols with codes of 19 bits and more are left out:
# none of them is printable ASCII but the backslash.
_SYMBOLS_BY_LENGTH = {
    5: "012aceiost", 6: " %-./3456789=A_bdfghlmnpru", 7: ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: "&*,;XZ", 10: "!\"()?", 11: "'+|", 12: "#>", 13: "\0$@[]~", 14: "^}", 15: "<`{", 19: "\\",
}


def _huffman_codes() -> dict:
    codes = {}
    code, last_length = 0, 0
    for length, symbols in _SYMBOLS_BY_LENGTH.items():
        code <<= length - last_length
        for symbol in symbols:
            codes[(length, code)] = symbol
            code += 1
        last_length = length
    return codes


_CODES = _huffman_codes()


def _huffman_decode(data: bytes) -> str:
    text = []
    code, length = 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code = code << 1 | byte >> bit & 1
            length += 1
            symbol = _CODES.get((length, code))
            if symbol is not None:
                text.append(symbol)
                code, length = 0, 0
    if length > 7 or code != (1 << length) - 1:
        raise ValueError("a Huffman code that we do not know")
    return "".join(text)


def _write_integer(value: int, prefix: int, first: int) -> bytes:
    limit = (1 << prefix) - 1
    if value < limit:
        return bytes([first | value])
    out = [first | limit]
    value -= limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def _bytes_of(text) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def encode(fields) -> bytes:
    """Literals without indexing; names and values may be bytes, to say what no one should."""
    out = b""
    for name, value in fields:
        name, value = _bytes_of(name), _bytes_of(value)
        out += b"\0" + _write_integer(len(name), 7, 0) + name
        out += _write_integer(len(value), 7, 0) + value
    return out


class Decoder:
    def __init__(self):
        self.table: list = []
        self.limit = 4096
        self.data = b""
        self.at = 0

    def _integer(self, prefix: int) -> int:
        limit = (1 << prefix) - 1
        value = self.data[self.at] & limit
        self.at += 1
        shift = 0
        while value >= limit or shift:
            byte = self.data[self.at]
            self.at += 1
            value += (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        return value

    def _text(self) -> str:
        is_huffman = self.data[self.at] & 128
        length = self._integer(7)
        raw = self.data[self.at:self.at + length]
        self.at += length
        return _huffman_decode(raw) if is_huffman else raw.decode("latin-1")

    def _entry(self, index: int) -> tuple:
        if index <= len(STATIC_TABLE):
            return STATIC_TABLE[index - 1]
        return self.table[index - len(STATIC_TABLE) - 1]

    def _evict(self):
        while sum(len(name) + len(value) + 32 for name, value in self.table) > self.limit:
            self.table.pop()

    def _literal(self, prefix: int) -> tuple:
        index = self._integer(prefix)
        name = self._entry(index)[0] if index else self._text()
        return name, self._text()

    def decode(self, block: bytes) -> list:
        self.data, self.at = block, 0
        fields = []
        while self.at < len(block):
            byte = block[self.at]
            if byte & 0x80:
                fields.append(self._entry(self._integer(7)))
            elif byte & 0x40:
                fields.append(self._literal(6))
                self.table.insert(0, fields[-1])
                self._evict()
            elif byte & 0x20:
                self.limit = self._integer(5)
                self._evict()
            else:
                fields.append(self._literal(4))
        return fields
