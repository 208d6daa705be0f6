"""Drives the unmodified huace-aigc-auth-client: one call for each line of JSON, answered by one line of JSON.

    {"client": {…AigcAuthClient's arguments…}, "call": "verify_token", "arguments": ["…"]}
    {"result": {…}} or {"error": {"type": "AigcAuthError", "code": 401, "message": "…"}}

Every call has a client of its own, as the client keeps answers for five minutes.
"""

import dataclasses
import json
import logging
import sys

import huace_aigc_auth_client as package

logging.disable(logging.CRITICAL)
package.setLogger(logging.getLogger("quiet"))


def answer(question: dict) -> dict:
    try:
        client = package.AigcAuthClient(**question["client"])
        method = getattr(client, question["call"])
        result = method(*question["arguments"], **question.get("named", {}))
    except Exception as error:  # whatever a service would see
        return {
            "error": {
                "type": type(error).__name__,
                "code": getattr(error, "code", None),
                "message": str(error),
                "data": getattr(error, "data", None),
            }
        }
    shown = plain(result)
    if question["call"] == "get_user_info":
        shown["can"] = {code: result.has_permission(code) for code in ("user:read", "user:delete")}
    return {"result": shown}


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
