import type * as wire from "../wire/messages.js";

/**
 * - `here`: this device shows the call: it rings here, was made here, or this user is in it here;
 * - `elsewhere`: this user is in it on another device;
 * - `nowhere`: it is over for this user, or was never shown.
 */
export type Place = "here" | "elsewhere" | "nowhere";

/** The newest known version of a call. */
export interface KnownCall {
  readonly call: wire.View;
  readonly place: Place;
  /** When it stops ringing for this user, by the clock of `receivedAt`. */
  readonly ringEndsAt: number | undefined;
}
