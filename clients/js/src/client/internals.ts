import type { State } from "../calls/reducer.js";
import { systemClock, type Clock } from "../platform/clock.js";
import { CentrifugeSession, type Session, type SessionListener, type SessionOptions } from "../session/session.js";

/** The client's external dependencies, which tests replace, and what it continues. */
export interface Internals {
  clock: Clock;
  /** The calls of an earlier client of the same user in this page. */
  calls?: State | undefined;
  makeSession(options: SessionOptions, listener: SessionListener): Session;
}

export const defaults: Internals = {
  clock: systemClock,
  makeSession: (options, listener) => new CentrifugeSession(options, listener),
};
