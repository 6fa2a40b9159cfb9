"""The ABNF of RFC 9110, RFC 9112 and RFC 3986, rule by rule, as regular expressions for `fullmatch`. No meaning.

It is written from the RFCs and not from `wsgiraw.http11.grammar`: where the two disagree, one of them is wrong. Text is
latin-1, a character for each octet.
"""

import re

__all__ = [
    "ABSOLUTE_FORM",
    "AUTHORITY_FORM",
    "CHUNK_LINE",
    "FIELD_LINE",
    "HOST",
    "HTTP_VERSION",
    "ORIGIN_FORM",
    "TOKEN",
    "VISIBLE",
]

ALPHA, DIGIT, HEXDIG, VCHAR, OBS_TEXT = "A-Za-z", "0-9", "0-9A-Fa-f", r"\x21-\x7e", r"\x80-\xff"
OWS = BWS = r"[ \t]*"  # RFC 9110 §5.6.3

# RFC 9110 §5.6.2, §5.6.4
token = rf"[!#$%&'*+\-.^_`|~{DIGIT}{ALPHA}]+"
qdtext = rf"[\t \x21\x23-\x5b\x5d-\x7e{OBS_TEXT}]"
quoted_pair = rf"\\[\t {VCHAR}{OBS_TEXT}]"
quoted_string = rf'"(?:{qdtext}|{quoted_pair})*"'

# RFC 9110 §5.5, RFC 9112 §5
field_vchar = rf"[{VCHAR}{OBS_TEXT}]"
field_value = rf"(?:{field_vchar}(?:[ \t{VCHAR}{OBS_TEXT}]*{field_vchar})?)?"
field_line = rf"({token}):{OWS}({field_value}){OWS}"

# RFC 3986 §3.2.2
unreserved, sub_delims = rf"{ALPHA}{DIGIT}\-._~", "!$&'()*+,;="
pct_encoded = f"%[{HEXDIG}]{{2}}"
dec_octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]|[0-9])"
ipv4address = rf"{dec_octet}\.{dec_octet}\.{dec_octet}\.{dec_octet}"
h16 = f"[{HEXDIG}]{{1,4}}"
ls32 = f"(?:{h16}:{h16}|{ipv4address})"
ipv6address = "(?:" + "|".join(
    [
        f"(?:{h16}:){{6}}{ls32}",
        f"::(?:{h16}:){{5}}{ls32}",
        f"(?:{h16})?::(?:{h16}:){{4}}{ls32}",
        f"(?:(?:{h16}:){{0,1}}{h16})?::(?:{h16}:){{3}}{ls32}",
        f"(?:(?:{h16}:){{0,2}}{h16})?::(?:{h16}:){{2}}{ls32}",
        f"(?:(?:{h16}:){{0,3}}{h16})?::{h16}:{ls32}",
        f"(?:(?:{h16}:){{0,4}}{h16})?::{ls32}",
        f"(?:(?:{h16}:){{0,5}}{h16})?::{h16}",
        f"(?:(?:{h16}:){{0,6}}{h16})?::",
    ]
) + ")"  # fmt: skip
ipvfuture = rf"[vV][{HEXDIG}]+\.[{unreserved}{sub_delims}:]+"
ip_literal = rf"\[(?:{ipv6address}|{ipvfuture})\]"
# Decided in docs/server-behaviour.md: a name is not empty (RFC 9110 §4.2.1), has no comma; a port has up to 5 digits.
reg_name = rf"(?:[{unreserved}{sub_delims.replace(',', '')}]|{pct_encoded})+"
uri_host = f"(?:{ip_literal}|{reg_name})"
host = f"{uri_host}(?::[{DIGIT}]{{0,5}})?"  # RFC 9110 §7.2

# RFC 9112 §3.2. Decided: any visible ASCII but # may stand in path and query.
anything = r"[\x21\x22\x24-\x7e]"
path = anything.replace(r"\x24-\x7e", r"\x24-\x3e\x40-\x7e")  # without the question mark

TOKEN = re.compile(token)
VISIBLE = re.compile(f"[{VCHAR}]+")
HTTP_VERSION = re.compile(f"HTTP/([{DIGIT}])[.]([{DIGIT}])")  # RFC 9112 §2.3
FIELD_LINE = re.compile(field_line)
HOST = re.compile(host)
ORIGIN_FORM = re.compile(rf"(/{path}*)(?:\?({anything}*))?")  # RFC 9112 §3.2.1
ABSOLUTE_FORM = re.compile(rf"(?i:https?)://({host})((?:/{path}*)?)(?:\?({anything}*))?")  # RFC 9112 §3.2.2
AUTHORITY_FORM = re.compile(f"{uri_host}:[{DIGIT}]{{1,5}}")  # RFC 9112 §3.2.3

# RFC 9112 §7.1, §7.1.1. Decided: a size has up to 16 digits.
chunk_ext = f"(?:{BWS};{BWS}{token}(?:{BWS}={BWS}(?:{token}|{quoted_string}))?)*"
CHUNK_LINE = re.compile(f"([{HEXDIG}]{{1,16}}){chunk_ext}\r\n")
