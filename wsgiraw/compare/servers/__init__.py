"""Servers to compare with: how each is started, running them, and what they use of the machine.

* `peers` is the table of servers, `command_lines` how each is told the same; `chosen` is what names on the command line
  mean, `custom` any other command line. `specification` is how all of them find the application.
* `runner` (a program) starts those without a command line; `application` (a module) is the application of a
  specification that only wsgiraw understands. Both run in the servers.
* `process` starts and ends servers, `session` finds their processes, `readiness` waits until they answer,
  `interruption` sees to it that they end when we are told to; `usage` reads CPU time and memory, `machine` says on what
  all that was.
"""

__all__: list[str] = []
