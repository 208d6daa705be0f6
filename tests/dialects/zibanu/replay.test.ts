import { describe, expect, it } from "vitest";
import { DEVIATIONS } from "./deviations.ts";
import { comparable, groupOf, RECORDINGS, type Recording, Replay, SETTINGS } from "./recordings.ts";
import { type Answer, aZibanu } from "./world.ts";

const groups = Map.groupBy(RECORDINGS, groupOf);
const nameOf = ({ config, name }: Recording) => `${config}: ${name}`;
const used = new Set<string>();

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

describe("the recordings", () => {
  it.each([...groups.keys()])(
    "of %s have the same answers, but for the deviations that are listed",
    async (group) => {
      const recordings = groups.get(group) ?? [];
      const settings = SETTINGS[recordings[0]?.config ?? ""] ?? {};
      await using world = await aZibanu({ requireProfile: true, dangerTellUnknownEmail: true, ...settings });
      const replay = new Replay(world);
      const differences = [];
      for (const recording of recordings) {
        const found = difference(recording, await replay.play(recording));
        if (found) differences.push(found);
      }
      expect(differences).toEqual([]);
    },
  );

  it("need every deviation that is listed", () => {
    const names = DEVIATIONS.flatMap((deviation) => deviation.names);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });
});
