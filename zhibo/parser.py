"""The parser of `zhibo`: all commands in the order of its help, and the settings below them."""

import argparse

from gateway.settings import listing
from zhibo.commands import (
    access_list,
    audit,
    bays,
    bench,
    correct,
    destinations,
    doctor,
    forecast_eval,
    gateway,
    lot,
    migrate,
    open_history,
    press,
    privacy,
    push,
    recorder,
    report,
    reports,
    rollup,
    serve,
    sim,
    study,
    truth_check,
    up,
    user,
    wechat,
)
from zhibo.settings import SETTINGS

COMMANDS = (
    up.COMMAND,
    serve.COMMAND,
    gateway.COMMAND,
    push.COMMAND,
    bays.COMMAND,
    recorder.COMMAND,
    sim.COMMAND,
    rollup.COMMAND,
    report.COMMAND,
    press.COMMAND,
    open_history.COMMAND,
    study.COMMAND,
    truth_check.COMMAND,
    reports.COMMAND,
    correct.COMMAND,
    destinations.COMMAND,
    access_list.COMMAND,
    lot.COMMAND,
    user.COMMAND,
    audit.COMMAND,
    migrate.COMMAND,
    doctor.COMMAND,
    forecast_eval.COMMAND,
    wechat.COMMAND,
    privacy.COMMAND,
    bench.COMMAND,
)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zhibo",
        description="三水智泊: smart parking guidance for Sanshui District.",
        epilog="Settings (environment variables, or lines of a file .env):\n" + listing(SETTINGS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")
    for command in COMMANDS:
        made = names.add_parser(command.name, help=command.about, description=command.about)
        made.set_defaults(command=command)
        command.ask(made)
    return parser
