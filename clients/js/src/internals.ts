import { systemClock, type Clock } from "./clock.js";
import { CentrifugeSession, type Session, type SessionListener, type SessionOptions } from "./session.js";

/** What a client takes of the world, and what a test puts in its place. */
export interface Internals {
  clock: Clock;
  makeSession(options: SessionOptions, listener: SessionListener): Session;
}

export const world: Internals = {
  clock: systemClock,
  makeSession: (options, listener) => new CentrifugeSession(options, listener),
};
