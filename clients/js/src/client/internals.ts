import { systemClock, type Clock } from "../platform/clock.js";
import { CentrifugeSession, type Session, type SessionListener, type SessionOptions } from "../session/session.js";

/** The client's external dependencies, which tests replace. */
export interface Internals {
  clock: Clock;
  makeSession(options: SessionOptions, listener: SessionListener): Session;
}

export const defaults: Internals = {
  clock: systemClock,
  makeSession: (options, listener) => new CentrifugeSession(options, listener),
};
