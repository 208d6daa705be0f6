"""A service as the vendor's README describes it: middleware, webhook receiver and legacy adapter, all unmodified.

    python service.py fastapi|flask '{…AigcAuthClient's arguments…}' LEGACY_USERS

Prints its address. /whoami is guarded; /state shows what the adapter did; /secret sets the webhook secret.
"""

import json
import logging
import os
import socket
import sys

import huace_aigc_auth_client as package
from huace_aigc_auth_client import AigcAuthClient, AuthMiddleware
from huace_aigc_auth_client.legacy_adapter import LegacySystemAdapter, LegacyUserData, create_sync_config

logging.disable(logging.CRITICAL)
package.setLogger(logging.getLogger("quiet"))

framework, arguments, legacy_users = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
client = AigcAuthClient(**arguments)
middleware = AuthMiddleware(
    client,
    exclude_paths=["/state", "/secret", "/webhook/auth", "/api/webhook/auth"],
    enable_stats=False,
)
state = {"events": [], "created": [], "updated": [], "deleted": []}


class Adapter(LegacySystemAdapter):
    """A system with its own users, in memory."""

    def __init__(self):
        super().__init__(create_sync_config(), client)
        self.users = {}

    async def get_user_by_username_async(self, username):
        return LegacyUserData(data=self.users[username]) if username in self.users else None

    async def _create_user_async(self, user_data):
        self.users[user_data["username"]] = {"id": len(self.users) + 1, **user_data}
        state["created"].append(user_data)
        return len(self.users)

    async def _update_user_async(self, username, user_data):
        self.users[username].update(user_data)
        state["updated"].append(user_data)
        return True

    async def _delete_user_async(self, username):
        state["deleted"].append(username)
        return True

    async def get_all_users_async(self):
        return [
            LegacyUserData(data={"username": f"legacy-{framework}-{n}", "nickname": f"旧用户{n}"})
            for n in range(legacy_users)
        ]


adapter = Adapter()


async def handle(data):
    state["events"].append(data)
    return await adapter.handle_webhook(data.get("event"), data.get("data", {}))


def serve_fastapi(listener):
    import uvicorn
    from fastapi import APIRouter, FastAPI, Request
    from huace_aigc_auth_client.webhook import register_webhook_router

    app = FastAPI()

    @app.middleware("http")
    async def auth(request: Request, call_next):
        return await middleware.fastapi_middleware(request, call_next)

    router = APIRouter()
    register_webhook_router(router, handle)
    app.include_router(router)

    @app.get("/whoami")
    async def whoami(request: Request):
        user = middleware.get_current_user_fastapi(request)
        return {"username": user.username, "is_admin": user.is_admin}

    @app.get("/state")
    async def show():
        return state

    @app.post("/secret")
    async def secret(request: Request):
        os.environ["AIGC_AUTH_WEBHOOK_SECRET"] = (await request.json())["secret"]
        return {}

    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])


def serve_flask(listener):
    from flask import Flask, jsonify, request
    from huace_aigc_auth_client.webhook_flask import create_flask_webhook_blueprint
    from werkzeug.serving import make_server

    app = Flask(__name__)

    @app.before_request
    def before():
        return middleware.flask_before_request()

    @app.after_request
    def after(response):
        return middleware.flask_after_request(response)

    app.register_blueprint(create_flask_webhook_blueprint(handle))

    @app.get("/whoami")
    def whoami():
        user = middleware.get_current_user_flask()
        return jsonify({"username": user.username, "is_admin": user.is_admin})

    @app.get("/state")
    def show():
        return jsonify(state)

    @app.post("/secret")
    def secret():
        os.environ["AIGC_AUTH_WEBHOOK_SECRET"] = request.get_json()["secret"]
        return jsonify({})

    make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno()).serve_forever()


listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
(serve_fastapi if framework == "fastapi" else serve_flask)(listener)
