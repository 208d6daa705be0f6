"""A minimal Django application behind unmodified bkpaas-auth: settings, URLs and views in one module.

Settings come as JSON in DJANGO_PROJECT; whatever they name replaces what is here.
"""

import json
import os
import tempfile

from django.apps import AppConfig
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils import timezone

GIVEN = json.loads(os.environ.get("DJANGO_PROJECT", "{}"))


def module_exists(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


HAS_APIGW = module_exists("apigw_manager")
IS_4 = module_exists("httpx2")

SECRET_KEY = "for tests only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "project"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
FOLDER = tempfile.mkdtemp(prefix="django-")
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(FOLDER, "db.sqlite3")}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "bkpaas_auth",
    *(["apigw_manager.apigw"] if HAS_APIGW else []),
    "project.ProjectConfig",
]
AUTH_USER_MODEL = "bkpaas_auth.User"
AUTHENTICATION_BACKENDS = [
    "bkpaas_auth.backends.UniversalAuthBackend",
    "bkpaas_auth.backends.APIGatewayAuthBackend",
]
APIGW_MIDDLEWARE = "apigw_manager.apigw.authentication.ApiGatewayJWT%sMiddleware"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bkpaas_auth.middlewares.CookieLoginMiddleware",
    *([APIGW_MIDDLEWARE % name for name in ("Generic", "App", "User")] if HAS_APIGW else []),
    *(["bkpaas_auth.middlewares.UserTimezoneMiddleware"] if IS_4 else []),
]
BKAUTH_BACKEND_TYPE = "bk_token"
BKAUTH_DEFAULT_PROVIDER_TYPE = "BK"
globals().update(GIVEN)


class ProjectConfig(AppConfig):
    name = "project"
    path = os.path.dirname(os.path.abspath(__file__))

    def ready(self):
        from bkpaas_auth.monkey import patch_middleware_get_user

        patch_middleware_get_user()


FACTS = ["username", "bkpaas_user_id", "provider_type", "display_name", "tenant_id", "time_zone", "nickname"]


def whoami(request):
    user = request.user
    app = getattr(request, "app", None)
    return JsonResponse(
        {
            "authenticated": user.is_authenticated,
            **{name: plain(getattr(user, name, None)) for name in FACTS},
            "session": request.session.session_key,
            "zone": timezone.get_current_timezone_name(),
            "app": None if app is None else dict(app._asdict()),
            "posted": request.method == "POST",
        }
    )


def plain(value):
    return getattr(value, "value", value)


def info(request):
    from bkpaas_auth import get_user_by_user_id

    try:
        user = get_user_by_user_id(request.GET["id"], username_only=False)
    except (AttributeError, ValueError) as error:
        return JsonResponse({"failure": type(error).__name__, "message": str(error)})
    names = ["username", "nickname", "chinese_name", "email", "phone", "display_name", "time_zone", "tenant_id"]
    return JsonResponse({name: getattr(user, name, None) for name in names})


def private(request):
    """Sends the browser to the login service, as BlueKing's frameworks do."""
    if not request.user.is_authenticated:
        here = request.build_absolute_uri()
        return HttpResponseRedirect(f"{GIVEN['LOGIN_URL']}?c_url={here}&app_code=shop")
    return HttpResponse(f"<h1>Hello {request.user.username}</h1>")


def embedding(request):
    """A page whose session has ended: it shows the small login page in a frame."""
    success = request.build_absolute_uri("/success")
    return HttpResponse(
        f"""<!doctype html><title>embedding</title><p id="state">waiting</p>
<iframe width="460" height="490" src="{GIVEN["LOGIN_URL"]}plain/?size=big&app_code=shop&c_url={success}"></iframe>
<script>addEventListener("message", (event) => {{ state.textContent = event.data; }});</script>"""
    )


def success(request):
    return HttpResponse("<script>parent.postMessage('signed in', location.origin)</script>")


urlpatterns = [
    path("whoami", whoami),
    path("info", info),
    path("private", private),
    path("embedding", embedding),
    path("success", success),
]
