import type { Callback, CallStart } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import type { KnownCall } from "./known.js";

type How = CallStart["how"];

/** The commands of this client that explain how it got into a call, or out of it. */
export interface Sent {
  /** Its invitations of one user, as long as their own call is unseen: the call id, and the callee. */
  readonly invitations: ReadonlyMap<string, string>;
  /** The attempts that it accepted, left, and wants to take: the call id and the attempt. */
  readonly accepts: ReadonlySet<string>;
  readonly leaves: ReadonlySet<string>;
  readonly takes: ReadonlySet<string>;
}

export const nothingSent: Sent = { invitations: new Map(), accepts: new Set(), leaves: new Set(), takes: new Set() };

/** The number of commands that are remembered. */
const remembered = 256;

/** Remembers an invitation of a single user. The server may merge it into a call of that user. */
export function sentInvitation(sent: Sent, callID: string, callee: string): Sent {
  return { ...sent, invitations: new Map([...sent.invitations, [callID, callee] as const].slice(-remembered)) };
}

export function sentAbout(sent: Sent, verb: "accepts" | "leaves" | "takes", callID: string, attempt: number | undefined): Sent {
  return { ...sent, [verb]: new Set([...sent[verb], key(callID, attempt)].slice(-remembered)) };
}

/** Forgets a take: the call is here, or the server refused it. */
export function withoutTake(sent: Sent, callID: string): Sent {
  const others = [...sent.takes].filter((x) => x.slice(0, x.lastIndexOf(" ")) !== callID);
  return others.length === sent.takes.size ? sent : { ...sent, takes: new Set(others) };
}

/** Forgets an invitation: its own call was seen, or the server refused it. */
export function withoutInvitation(sent: Sent, callID: string): Sent {
  if (!sent.invitations.has(callID)) return sent;
  return { ...sent, invitations: new Map([...sent.invitations].filter(([id]) => id !== callID)) };
}

function key(callID: string, attempt = 0): string {
  return `${callID} ${attempt}`;
}

/** Whether this client has sent that about this attempt. The attempt was unknown if it did not know the call. */
function includes(sent: ReadonlySet<string>, callID: string, attempt: number | undefined): boolean {
  return sent.has(key(callID, attempt)) || sent.has(key(callID));
}

/** What brings a version of a call: the first snapshot of a client, a later one, or a notification or answer. */
export type Source = "first snapshot" | "snapshot" | "message";

/** How this device enters a call with a certain frame, or has left it before that. */
export class Entry {
  constructor(
    private readonly sent: Sent,
    private readonly source: Source,
    /** The verb of this client's command that the frame answers, or `take` if it reports that this user took the call. */
    private readonly verb: string,
  ) {}

  ofCaller(before: KnownCall | undefined, { call_id }: wire.View): How {
    if (before?.place === "elsewhere" || this.isTaken(call_id)) return "taken";
    return this.source === "first snapshot" && !before ? "restored" : "answered";
  }

  ofCallee(before: KnownCall | undefined, { call_id, caller }: wire.View, own: wire.Callee): How {
    const wasIn = before?.place === "elsewhere" && before.call.callees.some((x) => x.user_id === own.user_id && x.attempt === own.attempt);
    if (wasIn || this.isTaken(call_id, own.attempt)) return "taken";
    if (this.source === "first snapshot" && !before) return "restored";
    const { accepts, invitations } = this.sent;
    if (includes(accepts, call_id, own.attempt)) return "accepted";
    const wasMerged = this.verb === "invite" || [...invitations.values()].includes(caller?.user_id ?? "");
    return wasMerged ? "glare" : "accepted";
  }

  /**
   * Why the attempt of a callee who was in the call ended, if the frame has a later one, which does not say it. Presence
   * takes out only devices that it watches, and only while they have no connection: the next frame is then a snapshot.
   */
  endOf(callID: string, { attempt, watched }: wire.Callee): "left" | "lost" {
    return watched && this.source !== "message" && !includes(this.sent.leaves, callID, attempt) ? "lost" : "left";
  }

  private isTaken(callID: string, attempt?: number): boolean {
    return this.verb === "take" || includes(this.sent.takes, callID, attempt);
  }
}

export function started(call: wire.View, how: How): Callback {
  return { name: "onCallStarted", args: [call.call_id, call.room_id, { callType: call.call_type, how }] };
}
