"""PostgreSQL and Redis on one machine, without anything to install or to set up."""

from workers.embedded.postgres import Postgres, start_postgres
from workers.embedded.redis_server import RedisServer, start_redis
from workers.embedded.running import Running
from workers.embedded.servers import Embedded, Urls, servers, started

__all__ = [
    "Embedded",
    "Postgres",
    "RedisServer",
    "Running",
    "Urls",
    "servers",
    "start_postgres",
    "start_redis",
    "started",
]
