"""httpx with a large body: downloads to standard output, or uploads a file and says what the answer is.

    python3 -I httpx_transfer.py download|upload DOWNLOAD-URL VERSION FILE"""

import sys

import httpx

WHAT, URL, VERSION, FILE = sys.argv[1:]
IS_2 = VERSION == "2"
PIECE_BYTES = 1 << 18


def pieces():
    with open(FILE, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


with httpx.Client(http2=IS_2, http1=not IS_2, verify=False, timeout=60) as client:
    if WHAT == "download":
        with client.stream("GET", URL) as answer:
            answer.raise_for_status()
            for piece in answer.iter_raw():
                sys.stdout.buffer.write(piece)
    else:
        answer = client.put(httpx.URL(URL).join("/upload"), content=pieces())
        answer.raise_for_status()
        sys.stdout.write(answer.text)
