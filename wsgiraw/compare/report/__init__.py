"""Reports of a comparison, all from the same results: `terminal`, `markdown`, `html`, `svg`, `png`.

* `rows` and `notes` are what they say, `words` how numbers are written; nobody else decides about either.
* `bars` and `curves` draw charts, in `colours`, for the page and for the picture alike.
"""

__all__: list[str] = []
