"""User agents that are known not to be people. Matched as lower-case parts of the header, in this order.

Sources: Google's and Yahoo's help pages on image proxies; the crawlers' own documentation pages; the security
gateways' published agents. Add a row here, raise `classify.VERSION`, and stored hits can be judged again.
"""

from __future__ import annotations

PROXY_OPEN = (
    "googleimageproxy",  # Gmail fetches when the person opens, then caches
    "yahoomailproxy",
    "yahoo! slurp; mail",
)

SCANNER = (
    "barracuda",
    "proofpoint",
    "mimecast",
    "safelinks",
    "ciscosecureemail",
    "ironport",
    "fortinet",
    "fortimail",
    "kaspersky",
    "bitdefender",
    "avanan",
    "vadesecure",
    "virustotal",
    "microsoft office outlook-atp",
    "bingpreview",
    "trendmicro",
    "symantec",
    "forcepoint",
    "zscaler",
    "cloudmark",
    "fireeye",
    "sophos",
    "gmail-content-sampling",  # https://github.com/mssola/user_agent/issues/71
    "googlebot",
    "googleother",
    "apis-google",
    "feedfetcher-google",
    "google-safety",
    "google-inspectiontool",
    "bingbot",
    "yandexbot",
    "baiduspider",
    "duckduckbot",
    "applebot",
    "facebookexternalhit",
    "facebot",
    "slackbot",
    "slack-imgproxy",
    "twitterbot",
    "linkedinbot",
    "discordbot",
    "telegrambot",
    "mattermost-bot",
    "kakaotalk-scrap",
    "snap url preview",
    "pinterestbot",
    "redditbot",
    "embedly",
    "iframely",
    "whatsapp/",
    "skypeuripreview",
    "headlesschrome",
    "phantomjs",
    "python-requests",
    "python-urllib",
    "python-httpx",
    "aiohttp",
    "curl/",
    "wget/",
    "go-http-client",
    "okhttp",
    "java/",
    "libwww-perl",
    "lua-resty-http",
    "apache-httpclient",
    "guzzlehttp",
    "powershell",
    "ruby",
    "node-fetch",
    "axios/",
    "scrapy",
    "crawler",
    "spider",
    "+http",  # crawlers say where they are described, people's programs do not
)

UNKNOWN = ("mozilla/5.0",)
"""Exactly these: Apple's mail privacy proxy sends a bare `Mozilla/5.0` whether or not the person looked."""


def lookup(user_agent: str | None) -> str | None:
    """proxy_open, scanner or unknown, as far as the agent alone tells; None when it looks like a person's."""
    agent = (user_agent or "").strip().lower()
    if not agent or agent in UNKNOWN:
        return "unknown"
    if any(part in agent for part in PROXY_OPEN):
        return "proxy_open"
    return "scanner" if any(part in agent for part in SCANNER) else None
