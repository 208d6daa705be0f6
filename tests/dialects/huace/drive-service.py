"""Is a service that uses the unmodified huace-aigc-auth-client: one order for each line of JSON.

    {"do": "open", "client": {…AigcAuthClient's arguments…}}
    {"result": …} or {"error": "…"}

Unlike drive.py it keeps its client: heartbeats and reports go on between the orders.
"""

import asyncio
import json
import logging
import os
import sys

import huace_aigc_auth_client as package
from huace_aigc_auth_client import api_stats_collector

logging.disable(logging.CRITICAL)
package.setLogger(logging.getLogger("quiet"))

client = None
changes = []


def open_client(**options):
    global client
    client = package.AigcAuthClient(**options)
    return {}


def open_from_environment(environment, **options):
    os.environ.update(environment)
    try:
        package.AigcAuthClient(**options)
    finally:
        for name in environment:
            del os.environ[name]
    return {"opened": True}


def start(name, **options):
    changes.clear()
    registered = client.start_service(
        name, on_config_change=lambda config, version: changes.append([config, version]), **options
    )
    return vars(registered)


def stop(name):
    client.stop_service(name)
    return {}


def beat(**options):
    return client.service_heartbeat(**options)


def register(name, **options):
    return vars(client.register_service(name, **options))


def config(name):
    return {"config": client.get_service_config(name), "changes": changes}


def begin_reports(**options):
    package.init_api_stats_collector(**options)
    return {}


def report(tokens, **stat):
    """One statistic for each token."""
    for token in tokens:
        package.collect_api_stat(token=token, **stat)
    return {}


def end_reports():
    collector = package.get_api_stats_collector()
    collector.running = False
    collector.worker_thread.join(timeout=10)
    api_stats_collector._global_collector = None
    return {}


def trace(trace_id, token):
    package.set_request_context(trace_id=trace_id)
    return vars(client.verify_token(token))


def session_get(url, **context):
    package.set_request_context(**context)
    with package.AuthSession() as session:
        return {"status": session.get(url).status_code}


def httpx_get(url, **context):
    async def run():
        package.set_request_context(**context)
        return await package.async_auth_httpx_request_get(url)

    return {"status": asyncio.run(run()).status_code}


ORDERS = {
    "open": open_client,
    "open_from_environment": open_from_environment,
    "start": start,
    "stop": stop,
    "beat": beat,
    "register": register,
    "config": config,
    "begin_reports": begin_reports,
    "report": report,
    "end_reports": end_reports,
    "trace": trace,
    "session_get": session_get,
    "httpx_get": httpx_get,
}

for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = {"result": ORDERS[order.pop("do")](**order)}
    except Exception as error:  # whatever a service would see
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
