"""The load of a comparison, in a process of its own, which checks every octet of every answer.

* `job` is what to send: `Question`s, for so many seconds, over so many connections, perhaps at a rate.
* `answers` reads what comes back; `connections` opens, sends and receives.
* `closed` is the loop for capacity, `open` the one for latency, `histogram` what the latter fills.
* `process` starts `__main__` with a job and takes the result; `calibration` and `responder` say what it can do at most.
* `external` has wrk or h2load do what `closed` does.
"""

from wsgiraw.compare.generator.calibration import bound, calibrate
from wsgiraw.compare.generator.histogram import Histogram, percentile
from wsgiraw.compare.generator.job import Question
from wsgiraw.compare.generator.process import GeneratorFailed, closed_loop, open_loop

__all__ = [
    "GeneratorFailed",
    "Histogram",
    "Question",
    "bound",
    "calibrate",
    "closed_loop",
    "open_loop",
    "percentile",
]
