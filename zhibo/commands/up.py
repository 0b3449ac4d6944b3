"""`zhibo up`: everything on one machine, with the simulated town."""

from argparse import ArgumentParser, Namespace

import gateway.config
import gateway.process
import lot_sim.config
import occupancy.config
import occupancy.web.config
from zhibo.arguments import ask_town
from zhibo.command import Command, Environ, say
from zhibo.field import joined_folder


def ask(parser: ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--port")
    ask_town(parser)


def run(_: Namespace, environ: Environ) -> int:
    from occupancy.together import Town, run_together

    car_parks = gateway.config.list_shipped()
    configs = [gateway.config.load_config(path) for path in car_parks]
    speed = lot_sim.config.load_settings(environ).speed
    town = Town(
        data=occupancy.config.DATA.read(environ),
        host=occupancy.web.config.HOST.read(environ),
        port=occupancy.web.config.PORT.read(environ),
        sim_port=lot_sim.config.TRUTH_PORT.read(environ),
        postgres_url=occupancy.config.POSTGRES_URL.read(environ),
        redis_url=gateway.config.REDIS_URL.read(environ),
        scenario=lot_sim.config.SCENARIO.read(environ),
        car_parks=car_parks,
        joined=sorted(joined_folder(environ).glob("*.toml")),
        modbus_ports=[
            link.port for config in configs for link in config.car_park.links if link.port
        ],
    )
    # Cars of a town that runs faster come as much closer together.
    faster = {gateway.config.RATE_FACTOR.name: str(max(1.0, speed)), **environ}
    gateway.process.run(lambda stopping: run_together(town, faster, stopping, say))
    return 0


COMMAND = Command(
    "up",
    "everything on one machine, with five simulated car parks",
    run,
    ask,
    joins_running=False,
)
