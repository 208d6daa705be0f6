import { type Static, Type } from "typebox";
import { Code, Id, Line, Lines, Nullable, Serial, StrictObject, Timestamp, Version } from "./common.ts";
import { LocalizedNames } from "./namespaces.ts";
import { Email } from "./users.ts";

const Names = Type.Record(Type.String(), Type.String());

/** A company inside a tenant: a tree of units. */
export const Organization = Type.Object({
  id: Id,
  serial: Serial,
  code: Code,
  name: Type.String(),
  names: Names,
  description: Type.String(),
  rootUnitId: Nullable(Id, { description: "The unit that stands for the organization as a whole" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Organization = Static<typeof Organization>;

const texts = {
  code: Type.Optional(Code),
  name: Type.Optional(Line(128)),
  names: Type.Optional(LocalizedNames),
  description: Type.Optional(Lines(1_024)),
};

export const CreateOrganization = StrictObject({ ...texts, code: Code });
export type CreateOrganization = Static<typeof CreateOrganization>;

export const UpdateOrganization = StrictObject(texts);
export type UpdateOrganization = Static<typeof UpdateOrganization>;

const Position = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "Place among its siblings; default 0",
});

/** A part of an organization: a department, a team. */
export const Unit = Type.Object({
  id: Id,
  serial: Serial,
  organizationId: Id,
  parentId: Nullable(Id, { description: "null: the organization as a whole" }),
  code: Code,
  name: Type.String(),
  names: Names,
  description: Type.String(),
  position: Position,
  path: Type.Array(Id, { description: "Ids from the root unit to this one" }),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Unit = Static<typeof Unit>;

export const CreateUnit = StrictObject({
  ...texts,
  organizationId: Id,
  parentId: Type.Optional(Id),
  code: Code,
  position: Type.Optional(Position),
});
export type CreateUnit = Static<typeof CreateUnit>;

export const UpdateUnit = StrictObject({
  ...texts,
  parentId: Type.Optional(
    Type.String({ pattern: "^[0-9a-f]{24}$", description: "Moves it, with all below it" }),
  ),
  position: Type.Optional(Position),
});
export type UpdateUnit = Static<typeof UpdateUnit>;

const Title = Line(128, { description: "What the user is there: a title" });

export const UnitMember = Type.Object({
  unitId: Id,
  userId: Id,
  main: Type.Boolean({
    description: "Whether the user mostly belongs here; true for one unit of a user at most",
  }),
  position: Type.String(),
  joinedAt: Timestamp,
});
export type UnitMember = Static<typeof UnitMember>;

export const PutUnitMember = StrictObject({
  main: Type.Optional(Type.Boolean({ description: "Absent: as it is" })),
  position: Type.Optional(Title),
});
export type PutUnitMember = Static<typeof PutUnitMember>;

export const UserUnits = Type.Object({ items: Type.Array(UnitMember) });

/** An offer to become a member. */
export const Invitation = Type.Object({
  id: Id,
  unitId: Id,
  email: Nullable(Type.String()),
  position: Type.String(),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  expiresAt: Timestamp,
  acceptedAt: Nullable(Timestamp),
  acceptedBy: Nullable(Id),
});
export type Invitation = Static<typeof Invitation>;

export const CreateInvitation = StrictObject({
  unitId: Id,
  email: Type.Optional(
    Type.String({
      ...Email,
      description: "Only for a user who has verified this address; default: for anybody",
    }),
  ),
  position: Type.Optional(Title),
  expiresInSeconds: Type.Optional(
    Type.Integer({ minimum: 60, maximum: 31_536_000, description: "Default: 7 days" }),
  ),
});
export type CreateInvitation = Static<typeof CreateInvitation>;

export const CreatedInvitation = Type.Object({
  ...Invitation.properties,
  token: Type.String({ description: "Shown this once; who is to accept needs it" }),
});
export type CreatedInvitation = Static<typeof CreatedInvitation>;

export const AcceptInvitation = StrictObject({
  token: Type.String({ minLength: 1, maxLength: 128, pattern: "^[A-Za-z0-9_-]+$" }),
});
