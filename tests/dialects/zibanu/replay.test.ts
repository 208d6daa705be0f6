import { describe, expect, it } from "vitest";
import { DEVIATIONS, NOT_REPLAYED } from "./deviations.ts";
import { OBSERVATIONS } from "./observations.ts";
import {
  comparable,
  EVERYTHING,
  inGroups,
  isRecording,
  type Observation,
  type Recording,
  Replay,
  SERVERS,
  SETTINGS,
} from "./recordings.ts";
import { SETUPS } from "./setups.ts";
import { type Answer, aZibanu, type World } from "./world.ts";

const groups = inGroups();
const nameOf = ({ config, name }: Recording | Observation) => `${config}: ${name}`;
const used = new Set<string>();
const seen = new Set<string>();

/** What differs, or undefined. */
function difference(recording: Recording, answer: Answer): object | undefined {
  const name = nameOf(recording);
  if (answer.status >= 500) return { name, is: answer.status, text: answer.text };
  const same = isSame(recording, answer);
  const deviation = DEVIATIONS.find(({ names }) => names.includes(name));
  if (deviation) {
    used.add(name);
    if (same === true) return { name, listed: "but it is the same" };
    return answer.status === deviation.status ? undefined : { name, deviates: true, is: answer.status };
  }
  return same === true ? undefined : { name, ...same };
}

function isSame(
  { status, kind, path, answer: their }: Recording,
  { status: our, body }: Answer,
): true | object {
  // What failed in the original by accident is refused properly.
  if (status === 500) return our >= 400 || { is: our };
  const isList = /^\/(utils|permission)\//.test(path);
  if (isList && our === 200 && status === 200) return true;
  const isJson = kind === "json";
  const theirs = { status, body: isJson ? comparable(their) : null };
  const ours = { status: our, body: isJson ? comparable(body) : null };
  return JSON.stringify(theirs) === JSON.stringify(ours) || { theirs, ours };
}

/** What was seen beside the answers, where we can see it too. */
async function otherwise(
  observation: Observation,
  world: World,
  replay: Replay,
  answer: Answer | undefined,
): Promise<object | undefined> {
  const name = nameOf(observation);
  const look = OBSERVATIONS[name];
  if (!look) return undefined;
  seen.add(name);
  const { observed } = observation;
  const [theirs, ours] = (await look({ world, replay, observed, answer })).map(comparable);
  return JSON.stringify(theirs) === JSON.stringify(ours) ? undefined : { name, theirs, ours };
}

describe("the recordings", () => {
  it.each([...groups.keys()])(
    "of %s have the same answers, but for the deviations that are listed",
    async (group) => {
      const recordings = groups.get(group) ?? [];
      const { config = "" } = recordings[0] ?? {};
      await using world = await aZibanu(
        { requireProfile: true, dangerTellUnknownEmail: true, ...SETTINGS[config] },
        { config: SERVERS[config] ?? {} },
      );
      const replay = new Replay(world);
      const differences = [];
      let answer: Answer | undefined;
      for (const one of recordings) {
        if (isRecording(one)) answer = await replay.play(one);
        const found = isRecording(one)
          ? answer && difference(one, answer)
          : await otherwise(one, world, replay, answer);
        if (found) differences.push(found);
      }
      expect(differences).toEqual([]);
    },
  );

  it("need every deviation and every set-up that is listed", () => {
    const names = DEVIATIONS.flatMap((deviation) => deviation.names);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
    const all = new Set(EVERYTHING.map(nameOf));
    expect(Object.keys(SETUPS).filter((name) => !all.has(name))).toEqual([]);
  });

  it("are 939: every answer is replayed, and each observation is compared or has its reason", () => {
    const answers = EVERYTHING.filter(isRecording).length;
    const listed = NOT_REPLAYED.flatMap(({ names }) => names);
    const notes = EVERYTHING.filter((one) => !isRecording(one)).map(nameOf);
    expect(notes.filter((name) => seen.has(name) === listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !notes.includes(name))).toEqual([]);
    expect(answers + seen.size + listed.length).toBe(939);
  });
});
