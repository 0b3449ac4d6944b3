"""`zhibo serve`: the web service, with what routing and the official account add to it."""

from argparse import ArgumentParser, Namespace

import gateway.process
import occupancy.config
import occupancy.web.config
import routing.config
import wechat.config
from gateway.process import now_ms
from zhibo.command import Command, Environ
from zhibo.field import list_signs
from zhibo.settings import SETTINGS, tls_addresses


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("--port")
    parser.add_argument("--workers", metavar="N")


def run(_: Namespace, environ: Environ) -> int:
    from occupancy.web.admin.settings_told import tell_settings
    from occupancy.web.server import run_web
    from occupancy.web.workers import WORKER, run_workers
    from routing.floor import guidance_floor
    from wechat.floor import account_floor

    settings = occupancy.web.config.load_settings(environ)
    if settings.workers > 1 and not environ.get(WORKER):
        logs = occupancy.config.DATA.read(environ) / "logs"
        gateway.process.run(lambda stop: run_workers(settings.workers, environ, logs, stop))
        return 0
    upper = account_floor(wechat.config.load_settings(environ), settings.public_url)
    floors = [guidance_floor(routing.config.load_settings(environ), settings.public_url, upper)]
    told = tell_settings(SETTINGS, environ)
    tls = tls_addresses(environ)
    gateway.process.run(
        lambda stop: run_web(settings, list_signs(), now_ms, stop, floors, told, tls)
    )
    return 0


COMMAND = Command("serve", "the web service: API, board, pages", run, ask)
