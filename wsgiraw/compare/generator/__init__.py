"""The load of a comparison, in a process of its own, which checks every octet of every answer.

* `job` is what to send: `Question`s, for so many seconds, over so many connections, perhaps at a rate.
* `answers` reads what comes back; `connections` opens, sends and receives.
* `closed` is the loop for capacity, `open` the one for latency, `histogram` what the latter fills.
* `process` starts `__main__`, gives it jobs and takes their results; `calibration` and `responder` say what it can do.
* `external` has wrk or h2load do what `closed` does.
"""

from wsgiraw.compare.generator.calibration import calibrate
from wsgiraw.compare.generator.job import Question
from wsgiraw.compare.generator.process import Generator, GeneratorFailed, generator

__all__ = ["Generator", "GeneratorFailed", "Question", "calibrate", "generator"]
