"""Coverage-guided fuzzing of `wsgiraw.http11`, beside a model of RFC 9112 that shares no code with it."""
