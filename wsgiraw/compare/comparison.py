"""A whole comparison, from the plan to its results: all applications under all servers, and how the servers behave."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from wsgiraw.compare import behaviour
from wsgiraw.compare.entrants import Entrant, enter
from wsgiraw.compare.generator import GeneratorFailed, calibrate
from wsgiraw.compare.generator.external import BUILT_IN, executable
from wsgiraw.compare.plan import Plan
from wsgiraw.compare.progress import progress
from wsgiraw.compare.requests import Wanted
from wsgiraw.compare.results import FORMAT, Comparison, Results
from wsgiraw.compare.rounds import Measurement, check_behaviour, steps
from wsgiraw.compare.servers.chosen import chosen
from wsgiraw.compare.servers.machine import cores, machine, versions
from wsgiraw.compare.servers.process import START_SECONDS
from wsgiraw.compare.servers.specification import environment
from wsgiraw.compare.servers.usage import cpu_seconds
from wsgiraw.errors import ConfigError
from wsgiraw.version import __version__

__all__ = ["measured"]

_CALIBRATING = 0.5
"""Seconds that tell the generator's ceiling."""


def measured(plan: Plan, applications: Sequence[str], requests: Sequence[Wanted], command: list[str]) -> Results:
    """Measure everything, and say on standard error how far it is. Raises ConfigError.

    What would make all of it worthless comes first: applications that do not answer. `command` is for the record.
    """
    if plan.behaviour:
        applications = []
    elif not applications:
        raise ConfigError("name an application, as in: wsgiraw compare mysite.web:app --get /")
    else:
        cpu_seconds(())  # cannot be read everywhere
        if plan.generator != BUILT_IN:
            executable(plan.generator, len(requests))
    peers = chosen(plan.servers)
    for application in applications:
        _refuse_what_is_none(application)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    facts = machine(plan.workers)  # its load is that before
    for_servers, for_us = cores(plan.workers) or (None, None)
    subjects = enter(peers, behaviour.APPLICATION, Wanted("GET", "/"), plan, for_servers)
    entered = [enter(peers, application, requests[0], plan, for_servers) for application in applications]
    looked_at = [subject for subject in subjects if subject.runs]
    with progress(sys.stderr, steps(plan, len(looked_at), len(applications))) as shown:
        ceiling = _ceiling(plan, for_servers, for_us) if applications else 0.0
        measurements = [
            Measurement(application, requests, entrants, plan, for_us, ceiling, shown)
            for application, entrants in zip(applications, entered, strict=True)
        ]
        for measurement in measurements:
            measurement.agree()
        check_behaviour(looked_at, min(plan.patience, behaviour.PATIENCE), shown)
        for measurement in measurements:
            measurement.run()
    return Results(
        format=FORMAT,
        version=__version__,
        began=began,
        command=command,
        plan={name: value for name, value in asdict(plan).items() if value is not None},
        machine=facts,
        versions=versions(),
        ceiling=ceiling if plan.generator == BUILT_IN else 0.0,  # nobody knows that of others
        comparisons=[_found(measurement, subjects) for measurement in measurements] or [_behaviour_alone(subjects)],
    )


def _ceiling(plan: Plan, for_servers: set[int] | None, for_us: set[int] | None) -> float:
    seconds = min(_CALIBRATING, plan.duration)
    try:
        return calibrate(connections=plan.connections, seconds=seconds, server_cores=for_servers, cores=for_us)
    except GeneratorFailed as error:
        raise ConfigError(f"{error}: is the machine too busy?") from None


def _found(measurement: Measurement, subjects: Sequence[Entrant]) -> Comparison:
    """Return what was found of one application, with how the same servers behave."""
    for entrant, subject in zip(measurement.entrants, subjects, strict=True):
        entrant.behaviour = subject.behaviour
        if subject.state == "failed":
            entrant.remark(f"its behaviour could not be checked: {subject.note}")
    return Comparison(
        application=measurement.application,
        requests=[wanted.shown for wanted in measurement.requests],
        servers=[entrant.result() for entrant in measurement.entrants],
        remarks=measurement.remarks,
    )


def _behaviour_alone(subjects: Sequence[Entrant]) -> Comparison:
    servers = [subject.result() for subject in subjects]
    return Comparison(application=behaviour.APPLICATION, requests=[], servers=servers)


def _refuse_what_is_none(application: str) -> None:
    """Raise ConfigError for what cannot be imported: one process finds that out sooner than all servers do."""
    check = [sys.executable, "-m", "wsgiraw", "--config", os.devnull, "--check", application]
    try:
        tried = subprocess.run(
            check,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment({}),
            check=False,
            timeout=START_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{application!r} cannot be imported within {START_SECONDS:g} seconds") from None
    if tried.returncode:
        lines = tried.stderr.decode(errors="replace").strip().splitlines()
        # There is no --chdir here: the directory is the one that we are started in.
        raise ConfigError("\n".join(lines[-15:]).removeprefix("wsgiraw: ").replace(" (see --chdir)", ""))
