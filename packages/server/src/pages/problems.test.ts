import { ERRORS, type ErrorCode, IdentityError } from "@ostiary/contracts";
import { describe, expect, it } from "vitest";
import { errorKindOf } from "./error.page.ts";
import { missingFields, noticeOf, passwordsDiffer, problemsOf } from "./problems.ts";

const SIGN_UP = ["username", "email", "phone", "nickname", "password"] as const;

describe("a refusal of the domain in a form", () => {
  it("stands at its field", () => {
    expect(problemsOf(new IdentityError("user.email_taken"), SIGN_UP)).toEqual({
      email: "problem.emailTaken",
    });
  });

  it("stands above the form when the form has no such field", () => {
    expect(problemsOf(new IdentityError("user.email_taken"), ["nickname"])).toEqual({
      form: "problem.emailTaken",
    });
  });

  it("says in minutes how long to wait", () => {
    const error = new IdentityError("credential.locked", { retryAfter: 61 });
    expect(problemsOf(error, [])).toEqual({ form: { key: "problem.wait", values: { count: 2 } } });
  });

  it("names the current and the new password where both are asked for", () => {
    const fields = ["currentPassword", "newPassword", "newPasswordAgain"] as const;
    expect(problemsOf(new IdentityError("credential.rejected"), fields)).toEqual({
      currentPassword: "problem.currentPasswordWrong",
    });
    expect(problemsOf(new IdentityError("password.reused"), fields)).toEqual({
      newPassword: "problem.passwordReused",
    });
  });

  it("says which fields are not valid", () => {
    const fields = [
      { path: "/email", message: "must match format" },
      { path: "/nickname", message: "too long" },
    ];
    expect(problemsOf(new IdentityError("request.invalid", { fields }), SIGN_UP)).toEqual({
      email: "problem.emailInvalid",
      nickname: { key: "problem.invalidValue", values: { field: "field.nickname" } },
    });
  });

  it("is left to the error page when the person cannot correct it here", () => {
    const fields = [{ path: "/flow", message: "must be a string" }];
    expect(problemsOf(new IdentityError("request.invalid", { fields }), SIGN_UP)).toBeNull();
    expect(problemsOf(new IdentityError("request.invalid"), SIGN_UP)).toBeNull();
    expect(problemsOf(new IdentityError("server.error"), SIGN_UP)).toBeNull();
  });
});

it("finds the fields that are missing", () => {
  expect(missingFields({ username: "ann", email: "" }, ["username", "email"])).toEqual({
    email: { key: "problem.required", values: { field: "field.email" } },
  });
});

it("compares a password typed twice", () => {
  expect(passwordsDiffer("a", "a")).toBeUndefined();
  expect(passwordsDiffer("a", "b")).toBe("problem.passwordMismatch");
});

it("shows only the notices it knows", () => {
  expect(noticeOf("profile-saved")).toBe("profile.saved");
  for (const name of [undefined, "", "<b>", "toString", "__proto__"]) expect(noticeOf(name)).toBeUndefined();
});

it("has an error page for every code of the registry", () => {
  for (const [code, { status }] of Object.entries(ERRORS)) {
    const kind = errorKindOf(code as ErrorCode, status);
    if (status === 500) expect(kind, code).toBe("internal");
    if (status < 500) expect(kind, code).not.toBe("internal");
  }
});
