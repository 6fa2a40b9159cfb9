"""Content-Type by the end of a name: one table for all machines, whatever stands in their /etc/mime.types."""

import functools
import mimetypes

__all__ = ["COMPRESSED", "content_type"]

_OURS = {
    ".7z": "application/x-7z-compressed",
    ".avif": "image/avif",
    ".br": "application/octet-stream",
    ".bz2": "application/x-bzip2",
    ".css": "text/css",
    ".csv": "text/csv",
    ".flac": "audio/flac",
    ".gz": "application/gzip",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".log": "text/plain",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".map": "application/json",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/matroska",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".tgz": "application/gzip",
    ".toml": "application/toml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".vtt": "text/vtt",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",  # text/xml with a charset would overrule what the file says of itself
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}
"""What Python's table lacks, has otherwise, or has in some versions only."""

COMPRESSED = ("image/", "audio/", "video/", "font/woff", "application/zip", "application/gzip", "application/zstd")
"""What types begin with that another compression would not make smaller: nobody looks for siblings of theirs."""

_SMALLER_COMPRESSED = ("image/svg+xml", "image/bmp", "image/vnd.microsoft.icon")


@functools.cache
def _types() -> dict[str, str]:
    python = mimetypes.MimeTypes().types_map
    return {**python[False], **python[True], **_OURS}


@functools.lru_cache(1024)
def content_type(suffix: str) -> tuple[str, bool]:
    """Return the field value for a suffix such as `.html`, and whether a compressed sibling may be worth looking for.

    Text is UTF-8. A compressed file asked for by its own name is that: it has no Content-Encoding.
    """
    found = _types().get(suffix.lower(), "application/octet-stream")
    compressible = not found.startswith(COMPRESSED) or found in _SMALLER_COMPRESSED
    return f"{found}; charset=utf-8" if found.startswith("text/") else found, compressible
