"""Credentials for schemathesis: it may delete its own API key, or the user it is, so it gets new ones all the time.

It also notes how each operation answered, for what was refused to everybody was not tested.

`/me`, the acceptance of an invitation and acting as somebody else are for people: their calls have the access token of an
administrator who has just signed in. All others have an API key.
"""

import atexit
import json
import os
import secrets
import urllib.error
import urllib.request

import schemathesis

API = os.environ["OSTIARY_API"]
OPERATOR = os.environ["OSTIARY_OPERATOR"]
ANSWERS = os.environ["OSTIARY_ANSWERS"]
SECONDS = 2
PERSONAL = "/me(/|$)|/invitations/accept$|/impersonation$"


def call(path: str, body: dict | None = None, method: str = "POST") -> dict:
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": OPERATOR} | ({} if data is None else {"content-type": "application/json"})
    request = urllib.request.Request(API + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer) if answer.status != 204 else {}
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from None


def undo_what_forbids_sign_in() -> None:
    settings = {
        "passwordPolicy": {"minLength": 8, "maxLength": 256, "checkBreached": False},
        "signIn": {"methods": ["password"], "secondFactor": "never", "secondFactorRoles": [], "verifyEmail": False},
        "sessions": {"idleSeconds": 3600, "absoluteSeconds": 3600, "maximum": None},
        "tokens": {"accessTokenSeconds": 900},
    }
    call("/settings", settings, "PATCH")
    for field in call("/custom-fields?limit=200", method="GET")["items"]:
        if field["required"]:
            call(f"/custom-fields/{field['id']}", method="DELETE")


class Bearer:
    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=SECONDS).skip_for(path_regex=PERSONAL)
class ApiKey(Bearer):
    def get(self, case, context):
        return call("/api-keys", {"name": "schemathesis", "type": "global", "permissions": ["*"]})["key"]


@schemathesis.auth(refresh_interval=SECONDS).apply_to(path_regex=PERSONAL)
class AccessToken(Bearer):
    def get(self, case, context):
        undo_what_forbids_sign_in()
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


answers: dict[str, set[int]] = {}


@schemathesis.hook
def after_call(context, case, response):
    if case.method.lower() == case.operation.method.lower():
        answers.setdefault(case.operation.definition.raw["operationId"], set()).add(response.status_code)


@atexit.register
def write_answers():
    with open(ANSWERS, "w") as file:
        json.dump({operation: sorted(statuses) for operation, statuses in answers.items()}, file)
