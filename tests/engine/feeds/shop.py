"""A small shop in the forms that feeds have, and a server for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CSV = b"""\xef\xbb\xbfSKU;Name;URL;Image URL;Price;Availability;Product Type;Colour
1;Linen shirt;https://shop.example/1;https://shop.example/1.jpg;"1.024,90 EUR";in stock;shirts;blue
2;"Wool ""socks""
two lines";https://shop.example/2;;9,50 EUR;in_stock;socks;
3;Felt hat;https://shop.example/3;;12 EUR;out of stock;hats;
;No id;https://shop.example/4;;1 EUR;in stock;hats;
"""
JSON = b"""{"products": [
 {"id": 1, "title": "Linen shirt", "link": "https://shop.example/1", "price": 24.9, "currency": "EUR",
  "category": "shirts"},
 {"id": 2, "title": "<b>Socks</b>", "link": "https://shop.example/2?a=1&b=2",
  "images": [{"src": "https://shop.example/2.jpg"}],
  "category": "socks", "in_stock": true}]}"""
LINES = b"""{"id": "1", "title": "Shirt", "url": "https://shop.example/1"}
{"id": "2", "name": "Hat", "url": "https://shop.example/2"}
"""
RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>Shop</title><link>https://shop.example</link>
<item><g:id>1</g:id><title>Shirt &amp; tie</title><link>https://shop.example/1</link><g:price>24.90 USD</g:price>
<g:image_link>https://shop.example/1.jpg</g:image_link><g:shipping><g:price>5 USD</g:price></g:shipping>
<g:availability>in_stock</g:availability><g:product_type><![CDATA[shirts]]></g:product_type></item>
<item><g:id>2</g:id><g:title>Hat</g:title><g:link>https://shop.example/2</g:link><g:sale_price>$1,009.50</g:sale_price></item>
</channel></rss>"""


@dataclass
class Shop:
    """What the server answers, and what it was asked."""

    url: str = ""
    body: bytes = JSON
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Shop]:
    """A web server on this machine; a request for its own ETag is answered with 304."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            same = shop.headers.get("ETag") and shop.headers["ETag"] == self.headers["If-None-Match"]
            self.send_response(304 if same else shop.status)
            for name, value in shop.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0" if same else str(len(shop.body)))
            self.end_headers()
            self.wfile.write(b"" if same else shop.body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}/feed"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
