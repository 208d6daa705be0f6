import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findPython, pythonWith } from "../../python/environment.ts";

const PYTHON = "3.11";

/** Contemporaries of 1.1.8; zibanu-django 1.4.2 is the only one that it can be imported with. */
const REQUIREMENTS = [
  "zibanu-django-auth==1.1.8",
  "zibanu-django==1.4.2",
  "zibanu-django-logging==1.2.1",
  "Django==5.0.8",
  "djangorestframework==3.15.2",
  "djangorestframework-simplejwt==5.3.1",
  "PyJWT==2.9.0",
  "drf-extra-fields==3.7.0",
  "django-timezone-utils==0.15.0",
  "pytz==2024.1",
  "Pillow==10.4.0",
  "filetype==1.2.0",
  "asgiref==3.8.1",
  "sqlparse==0.5.1",
];

/** Why the package cannot run here; undefined when it can. */
export const DJANGO_MISSING =
  findPython(PYTHON) === undefined
    ? `there is no Python ${PYTHON} with venv for zibanu-django-auth 1.1.8`
    : undefined;
if (DJANGO_MISSING) console.warn(`Skipped: ${DJANGO_MISSING}`);

export interface Django extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** What its `dumpdata` writes. */
  dump(): Promise<string>;
  /** Its data base. */
  file: string;
}

/** The unmodified package, seeded as `aZibanu()` is. */
export async function startDjango(): Promise<Django> {
  const python = await pythonWith({ name: "zibanu-1.1.8", version: PYTHON }, ...REQUIREMENTS);
  const folder = mkdtempSync(join(tmpdir(), "ostiary-django-"));
  const child = spawn(python, [join(import.meta.dirname, "django", "project.py"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" },
  });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, "line").then(([line]) => String(line)),
    once(child, "exit").then(() => undefined),
  ]);
  if (first === undefined) throw new Error("the Django project did not start");
  const url = `http://127.0.0.1:${first}`;
  return {
    url,
    file: join(folder, "db.sqlite3"),
    dump: async () => (await fetch(`${url}/dump/`)).text(),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
