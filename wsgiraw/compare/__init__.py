"""`wsgiraw compare`: the same application under several servers, measured alike. Our own modules of it, in order:

* `command` reads the command line; `plan` is what was asked for; `requests` are the requests that are sent.
* `comparison` is the whole of it, from a plan to results; `progress` says how far it is.
* `entrants` are the servers with the application that they are to run. `servers/` knows how each is started, starts it,
  and reads what it uses of the machine; `pinning` and `loopback` are on which cores, and where it listens.
* `agreement` sees to it that all give the same answers; `behaviour/` checks what they do with what clients do.
* `generator/` is the load, in a process of its own: closed loop, open loop, histogram, calibration.
* `rounds` measures, interleaved and shuffled; `results` is all that was found, and becomes JSON and comes back.
* `percentiles`, `statistics` and `ranking` say what that means: medians, intervals, who is first; `report/` draws it,
  and `output` writes what was drawn.
* `baseline` says whether it has become slower than it was.
"""

__all__: list[str] = []
