import type { ChangeKey } from "../../kernel/changes.ts";

/** Values a statement parameter may have; objects and arrays of objects are sent as JSON by the stores. */
export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | Buffer
  | null
  | undefined
  | readonly string[]
  | readonly number[]
  | readonly Buffer[]
  | readonly Date[];

export interface Queryable {
  /**
   * Runs one statement as a named prepared statement (the name is a hash of the text, so `text` must not carry
   * values). Row keys are the column names as written: alias to camelCase in the statement.
   */
  query<Row extends object>(text: string, values?: readonly SqlValue[]): Promise<Row[]>;
}

/** A running transaction. A function that takes one cannot be called outside of it. */
export interface Transaction extends Queryable {
  readonly isTransaction: true;
  /** The database it runs on, for work that must go on after it. */
  readonly outer: Database;
  /** Joins: an error rolls the whole outer transaction back. */
  transaction<T>(run: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Runs after a successful commit, never after a roll-back. */
  afterCommit(run: () => void): void;
  /**
   * Runs a statement last of all, sent together with the commit. For what nothing in the transaction reads; when it
   * fails the transaction fails. Arguments as `query` has them.
   */
  atCommit(text: string, values: readonly SqlValue[]): void;
  /**
   * Tells every process, at commit, that these things changed. This process has heard it when `transaction` returns,
   * the others within a second.
   */
  notify(keys: readonly ChangeKey[]): void;
}

export interface Database extends Queryable {
  /** Read committed. Retried up to 3 times when PostgreSQL reports a deadlock or serialization failure. */
  transaction<T>(run: (tx: Transaction) => Promise<T>): Promise<T>;
}
