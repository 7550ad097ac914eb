import type { RinglineError } from "../api/error.js";
import type { ActiveCard, CalleeProgress, IncomingCard, Outcome, OutgoingCard, Press } from "./cards.js";
import { fill, listed, type UITexts } from "./texts.js";

/** The current facts of a card, one sentence each. */
export type Sentences = readonly string[];

/** The words of an element, in its language. */
export interface Words {
  texts: UITexts;
  language: string;
}

export function progressText(texts: UITexts, progress: CalleeProgress): string {
  switch (progress) {
    case "calling":
      return texts.stateCalling;
    case "ringing":
      return texts.stateRinging;
    case "accepted":
      return texts.stateAccepted;
    case "declined":
      return texts.stateDeclined;
    case "busy":
      return texts.stateBusy;
    case "no_answer":
      return texts.stateNoAnswer;
    case "canceled":
      return texts.stateCanceled;
    case "left":
      return texts.stateLeft;
  }
}

export function outcomeText(texts: UITexts, outcome: Outcome, name: string): string {
  switch (outcome) {
    case "missed":
      return fill(texts.missed, { name });
    case "answered_elsewhere":
      return texts.answeredElsewhere;
    case "declined_elsewhere":
      return texts.declinedElsewhere;
    case "lost":
      return texts.lost;
    case "ended":
    case "unanswered":
      return texts.ended;
  }
}

export function pressText(texts: UITexts, press: Press): string {
  switch (press) {
    case "accept":
      return texts.answering;
    case "decline":
      return texts.declining;
    case "cancel":
      return texts.canceling;
    case "take":
      return texts.taking;
    case "leave":
      return texts.leaving;
  }
}

/**
 * The text of an error for the user who pressed the button. Errors that only a developer can fix show the client's own
 * message.
 */
export function failureText(texts: UITexts, error: RinglineError): string {
  switch (error.code) {
    case "caller_busy":
      return texts.failedBusy;
    case "disconnected":
    case "timeout":
    case "unavailable":
      return texts.failedOffline;
    case "rate_limited":
      return texts.failedRate;
    case "exhausted":
      return texts.failedFull;
    case "not_found":
    case "call_ended":
    case "not_pending":
      return texts.failedOver;
    case "answered_elsewhere":
      return texts.answeredElsewhere;
    case "invalid_argument":
    case "already_exists":
    case "permission_denied":
    case "internal":
      return fill(texts.failed, { name: error.message });
  }
}

export function typeText(texts: UITexts, callType: 0 | 1): string {
  return callType === 1 ? texts.videoCall : texts.voiceCall;
}

export function describeIncoming({ texts, language }: Words, { caller, callType, outcome, others }: IncomingCard): Sentences {
  if (outcome) return [outcomeText(texts, outcome, caller.name)];
  const with_ = others.length > 0 ? `, ${fill(texts.withOthers, { names: listed(language, others) })}` : "";
  return [`${fill(texts.incoming, { name: caller.name })}, ${typeText(texts, callType)}${with_}`];
}

/** The names of all callees form one sentence. Each callee's progress is a sentence of its own. */
export function describeOutgoing({ texts, language }: Words, { rows, outcome }: OutgoingCard): Sentences {
  const names = listed(language, rows.map((row) => row.name));
  const of = rows.filter((row) => row.progress !== "calling").map((row) => `${row.name}: ${progressText(texts, row.progress)}`);
  return [fill(texts.outgoing, { names }), ...of, ...(outcome ? [outcomeText(texts, outcome, names)] : [])];
}

export function describeActive({ texts, language }: Words, { names, outcome, isElsewhere }: ActiveCard): Sentences {
  if (outcome) return [outcomeText(texts, outcome, "")];
  if (isElsewhere) return [names.length > 0 ? fill(texts.elsewhere, { names: listed(language, names) }) : texts.elsewhereAlone];
  return [names.length > 0 ? fill(texts.active, { names: listed(language, names) }) : texts.alone];
}

/** The sentences that are new, by card. Facts that no longer hold are not announced: their successors are. */
export function newSentences(before: ReadonlyMap<string, Sentences>, now: ReadonlyMap<string, Sentences>): string[] {
  return [...now].flatMap(([callID, said]) => said.filter((text) => !before.get(callID)?.includes(text)));
}
