import { type Static, Type } from "typebox";
import {
  Code,
  Id,
  Line,
  Lines,
  Nullable,
  OneOf,
  Serial,
  StrictObject,
  Timestamp,
  Version,
} from "./common.ts";

/** Texts by language tag (BCP 47): `{ "zh-CN": "研发部" }`. */
export const LocalizedNames = Type.Record(
  Type.String({ maxLength: 35, pattern: "^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$" }),
  Line(128, { minLength: 1 }),
  {
    additionalProperties: false,
    maxProperties: 50,
    description: "Names by language tag (BCP 47)",
    examples: [{ "zh-CN": "研发部" }],
  },
);
export type LocalizedNames = Static<typeof LocalizedNames>;

/** Where codes of resources, roles and policies are unique. */
export const Namespace = Type.Object({
  id: Id,
  serial: Serial,
  code: Code,
  name: Type.String(),
  description: Type.String(),
  applicationId: Nullable(Id, { description: "The application whose namespace it is" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Namespace = Static<typeof Namespace>;

export const CreateNamespace = StrictObject({
  code: Code,
  name: Type.Optional(Line(128, { description: "Default: the code" })),
  description: Type.Optional(Lines(1_024)),
});
export type CreateNamespace = Static<typeof CreateNamespace>;

export const UpdateNamespace = StrictObject({
  code: Type.Optional(Code),
  name: Type.Optional(Line(128)),
  description: Type.Optional(Lines(1_024)),
});
export type UpdateNamespace = Static<typeof UpdateNamespace>;

export const RESOURCE_TYPES = ["DATA", "API", "MENU", "BUTTON", "UI"] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];
export const ResourceTypeName = OneOf(RESOURCE_TYPES);

const ActionName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[^\\s\\u0000-\\u001F\\u007F-\\u009F*]+$",
  description: "No white space or `*`",
  examples: ["read"],
});
const ResourceAction = StrictObject({ name: ActionName, description: Type.Optional(Lines(1_024)) });
/** By name, or with a description. */
const Actions = Type.Array(Type.Union([ActionName, ResourceAction]), { maxItems: 200, uniqueItems: true });

/** Something that can be acted on. What is granted need not be defined here; what is, has a type and names. */
export const Resource = Type.Object({
  id: Id,
  namespace: Code,
  code: Code,
  type: ResourceTypeName,
  name: Type.String(),
  names: Type.Record(Type.String(), Type.String()),
  description: Type.String(),
  actions: Type.Array(Type.Object({ name: Type.String(), description: Type.String() })),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Resource = Static<typeof Resource>;

const resource = {
  name: Type.Optional(Line(128, { description: "Default: the code" })),
  names: Type.Optional(LocalizedNames),
  description: Type.Optional(Lines(1_024)),
  actions: Type.Optional(Actions),
};

export const CreateResource = StrictObject({
  namespace: Type.Optional(Code),
  code: Code,
  type: OneOf(RESOURCE_TYPES),
  ...resource,
});
export type CreateResource = Static<typeof CreateResource>;

export const UpdateResource = StrictObject({
  code: Type.Optional(Code),
  type: Type.Optional(OneOf(RESOURCE_TYPES)),
  ...resource,
});
export type UpdateResource = Static<typeof UpdateResource>;
