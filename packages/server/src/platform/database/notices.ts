import type { ChangeFeed } from "../../kernel/changes.ts";

export const CHANGES_CHANNEL = "ostiary_changes";

/** PostgreSQL's limit for a notice is 8,000 bytes. */
const NOTICE_BYTES = 7_500;

/** What one notification tells: `from:<origin>.<number>`, then the keys of what changed, with spaces between. */
interface Notice {
  /** Of this notice among all; none where nobody in the sending process listens. */
  name: string | undefined;
  keys: readonly string[];
}

let count = 0;

/** As few notices as the keys fit into, named for the feed of the process that sends them. */
export function* noticesOf(keys: Iterable<string>, feed: ChangeFeed | undefined): Generator<Notice> {
  let bytes = 0;
  let group: string[] = [];
  const name = () => feed && `from:${feed.origin}.${++count}`;
  for (const key of keys) {
    if (bytes + key.length + 1 > NOTICE_BYTES) {
      yield { name: name(), keys: group };
      bytes = 0;
      group = [];
    }
    bytes += key.length + 1;
    group.push(key);
  }
  if (group.length > 0) yield { name: name(), keys: group };
}

export function toPayload({ name, keys }: Notice): string {
  return (name === undefined ? keys : [name, ...keys]).join(" ");
}

/** Publishes a notification. The process's own may have been heard at the commit already. */
export function publishPayload(feed: ChangeFeed, payload: string): void {
  const words = payload.split(" ");
  const [first = ""] = words;
  if (!first.startsWith("from:")) feed.publish(words);
  else if (first.startsWith(`from:${feed.origin}.`)) feed.publishOnce(first, words.slice(1));
  else feed.publish(words.slice(1));
}
