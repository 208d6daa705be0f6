"""Serves project.py on a free port and prints {"port": …}. POST /_control changes settings and reads the log.

    {"settings": {…}}            as django.test's override_settings does it
    {"command": "name", "arguments": […]}   a management command; its exit code comes back
    {"log": true}                what was logged since the last time
    {"forget": true}             empties the cache of user details
"""

import contextlib
import io
import json
import logging
import os
import socketserver
import sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["DJANGO_SETTINGS_MODULE"] = "project"
os.environ["NO_PROXY"] = "*"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.test.signals import setting_changed  # noqa: E402

RECORDS = []


class Keeper(logging.Handler):
    def emit(self, record):
        RECORDS.append({"logger": record.name, "level": record.levelname, "text": record.getMessage()})


def control(order):
    for name, value in order.get("settings", {}).items():
        setattr(settings, name, value)
    for name, value in order.get("settings", {}).items():
        setting_changed.send(sender=None, setting=name, value=value, enter=True)
    answer = {}
    if order.get("forget"):
        cache.clear()
    if order.get("command"):
        answer["output"] = io.StringIO()
        with contextlib.redirect_stdout(answer["output"]), contextlib.redirect_stderr(answer["output"]):
            try:
                call_command(order["command"], *order.get("arguments", []))
                answer["exit"] = 0
            except SystemExit as ending:
                answer["exit"] = ending.code
            except Exception as error:  # as on the command line: its words, and 1
                answer["output"].write(repr(error))
                answer["exit"] = 1
        answer["output"] = answer["output"].getvalue()
    if order.get("log"):
        answer["log"] = RECORDS[:]
        RECORDS.clear()
    return answer


def application(environ, start_response):
    if environ["PATH_INFO"] != "/_control":
        return pages(environ, start_response)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer = json.dumps(control(json.loads(body))).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


logging.basicConfig(handlers=[Keeper()], level=logging.DEBUG, force=True)
logging.getLogger("asyncio").setLevel(logging.WARNING)
call_command("migrate", verbosity=0)
pages = get_wsgi_application()
server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Quiet)
server.set_app(application)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
