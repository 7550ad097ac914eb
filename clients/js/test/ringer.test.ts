import assert from "node:assert/strict";
import { test } from "node:test";
import { Ringer } from "../src/ui/ringer.js";
import { ChannelTurns, type Channel, type Turns } from "../src/ui/turns.js";
import { FakeClock, settle } from "./fakes.js";

/** Grants turns in the order of the requests, as web locks do. */
class FakeTurns implements Turns {
  private queue: (() => void)[] = [];
  private isTaken = false;

  async take(signal: AbortSignal): Promise<() => void> {
    if (this.isTaken) {
      await new Promise<void>((resolve, reject) => {
        this.queue.push(resolve);
        signal.addEventListener("abort", () => {
          this.queue = this.queue.filter((x) => x !== resolve);
          reject(new Error("aborted"));
        });
      });
    }
    this.isTaken = true;
    return () => {
      this.isTaken = false;
      this.queue.shift()?.();
    };
  }

  areTaken = () => Promise.resolve(this.isTaken);
}

function tab(turns: Turns, isAllowed = true) {
  const tone = { sounds: false, may: isAllowed, isAllowed: () => Promise.resolve(tone.may), start: () => void (tone.sounds = true), stop: () => void (tone.sounds = false) };
  const ringer = new Ringer(tone, () => turns, () => {});
  return { tone, ringer };
}

test("one tab rings at a time, and another continues when it stops", async () => {
  const turns = new FakeTurns();
  const [a, b] = [tab(turns), tab(turns)];
  for (const { ringer } of [a, b]) ringer.want(true);
  await settle();
  assert.deepEqual([a.ringer.state, b.ringer.state, a.tone.sounds, b.tone.sounds], ["sounding", "elsewhere", true, false]);
  a.ringer.want(false);
  await settle();
  assert.deepEqual([a.tone.sounds, b.tone.sounds, b.ringer.state], [false, true, "sounding"]);
  b.ringer.want(false);
  await settle();
  assert.deepEqual([await turns.areTaken(), b.ringer.state, b.tone.sounds], [false, "silent", false]);
});

test("a tab that may not play sound takes no turn, reports that, and rings after a press", async () => {
  const turns = new FakeTurns();
  const a = tab(turns, false);
  a.ringer.want(true);
  await settle();
  assert.deepEqual([a.ringer.state, a.ringer.isCovered, await turns.areTaken()], ["blocked", false, false]);
  a.tone.may = true;
  a.ringer.retry();
  a.ringer.retry();
  await settle();
  assert.deepEqual([a.ringer.state, a.tone.sounds], ["sounding", true]);
  a.ringer.want(false);
});

test("a tab that may not play sound reports nothing while another one rings", async () => {
  const turns = new FakeTurns();
  const [a, b] = [tab(turns), tab(turns, false)];
  a.ringer.want(true);
  await settle();
  b.ringer.want(true);
  await settle();
  assert.deepEqual([b.ringer.state, b.ringer.isCovered], ["blocked", true]);
  for (const { ringer } of [a, b]) ringer.want(false);
});

test("a ringer that stops while it waits for its turn keeps none", async () => {
  const turns = new FakeTurns();
  const [a, b] = [tab(turns), tab(turns)];
  a.ringer.want(true);
  await settle();
  b.ringer.want(true);
  b.ringer.want(false);
  a.ringer.want(false);
  await settle();
  assert.deepEqual([await turns.areTaken(), a.tone.sounds, b.tone.sounds], [false, false, false]);
});

/** The channel between the tabs of one browser. */
function air() {
  const open = new Set<Channel>();
  return (): Channel => {
    const channel: Channel = {
      onmessage: null,
      close: () => void open.delete(channel),
      postMessage: (data) => {
        const others = [...open].filter((x) => x !== channel);
        queueMicrotask(() => others.forEach((x) => x.onmessage?.({ data } as never)));
      },
    };
    open.add(channel);
    return channel;
  };
}

test("without web locks: of tabs that start at once one has the turn, and the next one when it ends or is gone", async () => {
  const clock = new FakeClock();
  const channel = air();
  const have: string[] = [];
  const overs = new Map<string, () => void>();
  const never = new AbortController().signal;
  for (const id of ["b", "a", "c"]) {
    void new ChannelTurns(channel, clock, id).take(never).then((over) => {
      have.push(id);
      overs.set(id, over);
    });
  }
  await settle();
  await clock.pass(3_000);
  assert.deepEqual(have, ["a"]);
  assert.equal(await taken(channel, clock), true);
  overs.get("a")!();
  await clock.pass(1_000);
  assert.deepEqual(have, ["a", "b"]);
  await clock.pass(30_000);
  assert.deepEqual(have, ["a", "b"], "a tab keeps its turn");
  overs.get("b")!();
  await clock.pass(1_000);
  overs.get("c")!();
  assert.deepEqual(have, ["a", "b", "c"]);
  assert.equal(await taken(channel, clock), false);
});

test("without web locks: a later tab with a smaller id does not take the turn, and a tab that gives up does not wait", async () => {
  const clock = new FakeClock();
  const channel = air();
  const have: string[] = [];
  const take = (id: string, signal = new AbortController().signal) =>
    new ChannelTurns(channel, clock, id).take(signal).then(() => have.push(id), () => have.push(`${id} gave up`));
  void take("m");
  await clock.pass(1_000);
  const abort = new AbortController();
  void take("a", abort.signal);
  await clock.pass(10_000);
  abort.abort();
  await clock.pass(1_000);
  assert.deepEqual(have, ["m", "a gave up"]);
});

async function taken(channel: () => Channel, clock: FakeClock): Promise<boolean> {
  const answer = new ChannelTurns(channel, clock, "x").areTaken();
  await clock.pass(1_000);
  return answer;
}
