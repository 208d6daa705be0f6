"""A service that asks Ostiary about tokens, with the unmodified huace-aigc-auth-client."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from huace_aigc_auth_client import AigcAuthClient, AigcAuthError

auth = AigcAuthClient(
    app_id=os.environ.get("AIGC_AUTH_APP_ID", "5f0c00000000000000000002"),
    app_secret=os.environ.get("AIGC_AUTH_APP_SECRET", "reports-secret"),
    base_url=os.environ.get("AIGC_AUTH_BASE_URL", "http://localhost:4100/huace"),
)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/hello":
            return self.answer(404, {"error": "not found"})
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self.answer(401, {"error": "no token"})
        try:
            if not auth.verify_token(token).valid:
                return self.answer(401, {"error": "invalid token"})
            user = auth.get_user_info(token)
        except AigcAuthError as error:
            # -1: the identity server cannot be reached
            return self.answer(503 if error.code == -1 else error.code, {"error": error.message})
        if not user.has_permission("report:read"):
            return self.answer(403, {"error": "not permitted"})
        self.answer(200, {"hello": user.nickname, "roles": user.roles})

    def answer(self, status, body):
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9002"))), Handler)
print(f"ready at http://localhost:{server.server_port}", flush=True)
server.serve_forever()
