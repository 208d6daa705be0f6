import { type Static, Type } from "typebox";
import { Code, Id, Line, Lines, Nullable, Serial, StrictObject, Timestamp, Version } from "./common.ts";

const Level = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "A rank; a smaller number is a higher one",
});

/** A set of users to whom things can be given together. */
export const Group = Type.Object({
  id: Id,
  serial: Serial,
  code: Code,
  name: Type.String(),
  description: Type.String(),
  level: Nullable(Level),
  version: Version,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type Group = Static<typeof Group>;

export const CreateGroup = StrictObject({
  code: Code,
  name: Type.Optional(Line(128, { description: "Default: the code" })),
  description: Type.Optional(Lines(1_024)),
  level: Type.Optional(Nullable(Level)),
});
export type CreateGroup = Static<typeof CreateGroup>;

export const UpdateGroup = StrictObject({
  code: Type.Optional(Code),
  name: Type.Optional(Line(128)),
  description: Type.Optional(Lines(1_024)),
  level: Type.Optional(Nullable(Level)),
});
export type UpdateGroup = Static<typeof UpdateGroup>;

/** Users by id. */
export const UserIds = StrictObject({
  userIds: Type.Array(Id, { minItems: 1, maxItems: 1_000, uniqueItems: true }),
});
export type UserIds = Static<typeof UserIds>;

export const Membership = Type.Object({ userId: Id, joinedAt: Timestamp });
export type Membership = Static<typeof Membership>;

/** How many of the named users were no members before, or were. */
export const MembershipChange = Type.Object({ changed: Type.Integer({ minimum: 0 }) });

/** A rank with the name that people know it by. */
export const GroupLevel = Type.Object({ level: Level, name: Type.String() });
export const GroupLevels = Type.Object({ items: Type.Array(GroupLevel) });

/** How high a user stands. */
export const UserLevel = Type.Object({
  level: Type.Integer({
    minimum: 0,
    maximum: 9,
    description: "0 for administrators, 1 for staff, else the highest of the groups and at least 5",
  }),
  isSuperuser: Type.Boolean({ description: "Has the role of administrators" }),
  isStaff: Type.Boolean({ description: "Has the role that the setting `zibanu.staffRole` names" }),
});
