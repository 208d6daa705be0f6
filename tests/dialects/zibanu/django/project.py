"""A minimal Django project with the unmodified zibanu-django-auth, for tests.

    python project.py FOLDER

Serves the package under /zibanu/ on a free port of 127.0.0.1, which it prints, from an SQLite file in FOLDER.
GET /dump/ answers what `manage.py dumpdata` writes of users, groups, permissions and profiles.
"""

import io
import logging
import sys
from datetime import timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

FOLDER = Path(sys.argv[1])
PASSWORD = "Passw0rd.x1"

settings.configure(
    SECRET_KEY="a key for tests " * 5,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "db.sqlite3")}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    MEDIA_ROOT=str(FOLDER / "media"),
    USE_TZ=True,
    TIME_ZONE="UTC",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    # As the package needs it, with as few rounds as the format allows: tests sign in often.
    PASSWORD_HASHERS=[f"{__name__}.QuickHasher"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
        "zibanu.django",
        "zibanu.django.auth",
        "zibanu.django.logging",
    ],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    SIMPLE_JWT={
        "ALGORITHM": "HS512",
        "AUTH_HEADER_TYPES": ("JWT",),
        "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",),
        "SLIDING_TOKEN_LIFETIME": timedelta(hours=1),
        "SLIDING_TOKEN_REFRESH_LIFETIME": timedelta(hours=1),
        "SLIDING_TOKEN_OBTAIN_SERIALIZER": "zibanu.django.auth.api.serializers.EmailTokenObtainSlidingSerializer",
        "SLIDING_TOKEN_REFRESH_SERIALIZER": "zibanu.django.auth.api.serializers.EmailTokenRefreshSlidingSerializer",
    },
    ZB_AUTH_DEFAULT_THEME="corporate",
    ZB_MAIL_DEFAULT_FROM="no-reply@example.com",
    ZB_MAIL_REPLY_TO="help@example.com",
)
sys.modules["project"] = sys.modules[__name__]
from django.contrib.auth.hashers import PBKDF2PasswordHasher  # noqa: E402


class QuickHasher(PBKDF2PasswordHasher):
    iterations = 1_000


django.setup()

from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from zibanu.django.auth.models import GroupLevel, User, UserProfile  # noqa: E402

GROUPS = [("Admins", 3), ("Supervisors", 4), ("Operators", 5), ("Guests", 9), ("NoLevel", None)]
MANAGES = [f"{verb}_{noun}" for verb in ("add", "change", "delete") for noun in ("user", "userprofile")]
PEOPLE = [
    # name, flags, profile (None: none), group, permissions
    ("root", {"is_superuser": True, "is_staff": True}, None, None, []),
    ("admin", {"is_superuser": True, "is_staff": True}, {}, None, []),
    ("staff", {"is_staff": True}, {"multiple_login": True}, None, []),
    ("manager", {}, {}, "Admins", [*MANAGES, "view_user", "view_permission"]),
    ("plain", {}, {"timezone": "America/Bogota"}, "Operators", []),
    ("multi", {}, {"multiple_login": True}, None, []),
    ("inactive", {"is_active": False}, {}, None, []),
    ("noprofile", {}, None, None, []),
    ("secure", {}, {"secure_password": True}, None, []),
    ("viewer", {}, {}, "Supervisors", ["view_user"]),
    ("guest", {}, {}, "Guests", ["view_user"]),
    ("victim", {}, {}, None, []),
]


def seed():
    for name, level in GROUPS:
        group = Group.objects.create(name=name)
        if level is not None:
            GroupLevel.objects.create(group=group, level=level)
    for name, flags, profile, group, permissions in PEOPLE:
        user = User(username=name, email=f"{name}@example.com", first_name=name.capitalize(), last_name="Test", **flags)
        user.set_password(PASSWORD)
        user.save()
        if group:
            user.groups.add(Group.objects.get(name=group))
        for codename in permissions:
            # The proxy model has a second set that nothing asks for; the first is auth's.
            user.user_permissions.add(Permission.objects.filter(codename=codename).order_by("id").first())
        if profile is not None:
            UserProfile.objects.create(user=user)
            UserProfile.objects.filter(user=user).update(**profile)


def dump(_request):
    out = io.StringIO()
    models = ["auth.user", "auth.group", "auth.permission", "contenttypes", "zb_auth.userprofile", "zb_auth.grouplevel"]
    call_command("dumpdata", *models, stdout=out)
    return HttpResponse(out.getvalue(), content_type="application/json")


urlpatterns = [
    path("zibanu/", include("zibanu.django.auth.urls")),
    path("zibanu/utils/", include("zibanu.django.urls")),
    path("dump/", dump),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    call_command("migrate", verbosity=0)
    seed()
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
