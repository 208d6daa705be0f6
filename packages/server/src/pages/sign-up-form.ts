import { Email, IdentityError, Password, Phone, Username } from "@ostiary/contracts";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { Errors } from "typebox/value";
import type { SignUp } from "../domain/sign-in/index.ts";
import { formOf } from "./respond.ts";
import type { SignUpField } from "./views.ts";

export const SIGN_UP_FIELDS = [
  "username",
  "email",
  "phone",
  "nickname",
  "password",
] as const satisfies SignUpField[];

/** What the form may hold. The rules of the password are the tenant's. */
const SignUpForm = Type.Object({
  username: Username,
  email: Type.Optional(Email),
  phone: Type.Optional(Phone),
  nickname: Type.Optional(Type.String({ maxLength: 128, pattern: "^[^\\u0000-\\u001F\\u007F-\\u009F]*$" })),
  password: Password,
});

/** An address must be given where it is to be confirmed. */
export function requiredFields({ tenant }: FastifyRequest): ("username" | "email" | "password")[] {
  return tenant.settings.signIn.verifyEmail ? ["username", "email", "password"] : ["username", "password"];
}

/** @throws IdentityError `request.invalid` with the fields that cannot be as they are. */
export function readSignUpForm(request: FastifyRequest): SignUp {
  const form = formOf(request);
  const { phone } = form;
  const typed = {
    username: form.username?.trim(),
    email: form.email?.trim() || undefined,
    // People put marks between digits; `domain/users` takes them out too.
    phone: phone?.replace(/[\s().-]/g, "") || undefined,
    nickname: form.nickname?.trim() || undefined,
    password: form.password ?? "",
  };
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
  const fields = Errors(SignUpForm, given).map(({ instancePath, message }) => ({
    path: instancePath,
    message,
  }));
  if (fields.length > 0) throw new IdentityError("request.invalid", { fields });
  return { ...given, password: typed.password };
}
