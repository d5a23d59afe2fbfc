"""PostgreSQL and Redis on one machine, without anything to install or to set up."""

from workers.embedded.postgres import Postgres, start_postgres
from workers.embedded.redis_server import RedisServer, start_redis

__all__ = ["Postgres", "RedisServer", "start_postgres", "start_redis"]
