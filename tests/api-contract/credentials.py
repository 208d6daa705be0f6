"""Credentials for schemathesis: it may delete its own API key, or the user it is, so it gets new ones all the time.

`/me` and the acceptance of an invitation are for people: their calls have the access token of an administrator who has just signed in. All others have an
API key.
"""

import json
import os
import secrets
import urllib.request

import schemathesis

API = os.environ["OSTIARY_API"]
OPERATOR = os.environ["OSTIARY_OPERATOR"]
SECONDS = 2


def call(path: str, body: dict | None = None, method: str = "POST") -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": OPERATOR} | ({} if data is None else {"content-type": "application/json"})
    request = urllib.request.Request(API + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer) if answer.status != 204 else {}


def undo_what_forbids_new_users() -> None:
    call("/settings", {"passwordPolicy": {"minLength": 8, "maxLength": 256}}, "PATCH")
    for field in call("/custom-fields?limit=200", method="GET")["items"]:
        if field["required"]:
            call(f"/custom-fields/{field['id']}", method="DELETE")


class Bearer:
    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=SECONDS).skip_for(path_regex="/me(/|$)|/invitations/accept$")
class ApiKey(Bearer):
    def get(self, case, context):
        return call("/api-keys", {"name": "schemathesis", "type": "global", "permissions": ["*"]})["key"]


@schemathesis.auth(refresh_interval=SECONDS).apply_to(path_regex="/me(/|$)|/invitations/accept$")
class AccessToken(Bearer):
    def get(self, case, context):
        undo_what_forbids_new_users()
        name = f"st-{secrets.token_hex(8)}"
        password = secrets.token_urlsafe(24)
        application = call("/applications", {"slug": name, "name": name, "scopes": ["openid", "account", "manage"]})
        call("/users", {"username": name, "password": {"plain": password}, "roles": ["administrator"]})
        signed_in = call(
            "/sign-in",
            {
                "applicationId": application["id"],
                "applicationSecret": application["secret"],
                "identifier": name,
                "password": password,
            },
        )
        return signed_in["accessToken"]
