import { type Action, NOTHING } from "../../../packages/server/src/domain/sign-in/testing/explore.ts";
import { BY_PROGRAMS } from "./by-programs.ts";
import {
  ADDRESSES,
  choosePassword,
  forgetPassword,
  giveMailedCode,
  givePassword,
  giveTotp,
  open,
  sendAgain,
  signOut,
  signOutByBlueking,
  signOutByOidc,
  thiefSignsIn,
} from "./in-the-browser.ts";
import type { Device, Run } from "./ledger.ts";
import { lookAround } from "./verifiers.ts";
import { WITH_TOKENS } from "./with-tokens.ts";

type Browsing = (run: Run, device: Device) => Promise<void>;

/** Knows his own password, and sits down where somebody else did. */
const THIEF = { username: "thief", password: "some other battery staple" };
export const thief = THIEF;

const IN_THE_BROWSER: Record<string, Browsing> = {
  ...Object.fromEntries(
    Object.keys(ADDRESSES).map((name): [string, Browsing] => [
      `open ${name}`,
      (run, at) => open(run, at, name),
    ]),
  ),
  "give the password": givePassword,
  "give what the app shows": giveTotp,
  "forget the password": forgetPassword,
  "give the mailed code": giveMailedCode,
  "choose a password": choosePassword,
  "send the form of before again": sendAgain,
  "sign out on the page": signOut,
  "sign out by BlueKing": signOutByBlueking,
  "sign out by OpenID Connect": signOutByOidc,
  "a thief signs in": (run, device) => thiefSignsIn(run, device, THIEF),
};

const ELSEWHERE = [
  "open shop by OpenID Connect",
  "open vault by BlueKing",
  "give the password",
  "sign out on the page",
];

/** Everything that somebody may do, right or wrong, at every entrance; each is followed by a look at everything. */
export const ACTIONS: readonly Action<Run>[] = [
  ...Object.entries(IN_THE_BROWSER).map(
    ([name, act]): Action<Run> => ({
      name,
      try: (run) => watched(run, () => act(run, run.devices[0])),
    }),
  ),
  ...ELSEWHERE.map(
    (name): Action<Run> => ({
      name: `elsewhere: ${name}`,
      try: (run) => watched(run, () => IN_THE_BROWSER[name]?.(run, run.devices[1]) ?? Promise.resolve()),
    }),
  ),
  ...Object.entries({ ...WITH_TOKENS, ...BY_PROGRAMS }).map(
    ([name, act]): Action<Run> => ({
      name,
      try: (run) => watched(run, () => act(run)),
    }),
  ),
];

async function watched(run: Run, act: () => Promise<void>): Promise<unknown> {
  run.touched = false;
  await act();
  if (!run.touched) return NOTHING;
  if (run.quiet) for (const { value } of run.credentials) run.tested.add(value);
  else await lookAround(run);
  return undefined;
}
