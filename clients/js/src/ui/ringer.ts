import type { Turns } from "./turns.js";

/**
 * - `silent`: nothing rings here;
 * - `sounding`: this tab rings;
 * - `elsewhere`: another tab of this browser rings, or has not reported yet that it does not;
 * - `blocked`: the browser blocks sound until the user presses something here.
 */
export type RingerState = "silent" | "sounding" | "elsewhere" | "blocked";

export interface RingerTone {
  isAllowed(): Promise<boolean>;
  start(): void;
  stop(): void;
}

/** How often a tab that may not play sound checks whether another one does, in milliseconds. */
const checkEvery = 1_000;

/** Rings in one tab of a browser. Only a tab that may play sound takes the turn. */
export class Ringer {
  state: RingerState = "silent";
  /** Set while another tab rings and this one may not play sound. */
  isCovered = false;
  private isWanted = false;
  private attempt = 0; // events of an earlier attempt are late and ignored
  private stopWaiting = new AbortController();
  private over = (): void => {};
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tone: RingerTone,
    private readonly turns: () => Turns,
    private readonly changed: () => void,
  ) {}

  want(rings: boolean): void {
    if (rings === this.isWanted) return;
    this.isWanted = rings;
    if (rings) void this.ring();
    else this.silence();
  }

  /** The user has pressed something, so a blocked sound may be allowed now. */
  retry(): void {
    if (this.state === "blocked") void this.ring();
  }

  private async ring(): Promise<void> {
    const attempt = ++this.attempt;
    clearTimeout(this.timer);
    const isAllowed = await this.tone.isAllowed();
    if (this.attempt !== attempt) return;
    if (!isAllowed) return this.check(attempt);
    this.setState("elsewhere");
    const { signal } = (this.stopWaiting = new AbortController());
    let over: () => void;
    try {
      over = await this.turns().take(signal);
    } catch {
      return; // no longer wanted
    }
    if (this.attempt !== attempt) return over();
    this.over = over;
    this.tone.start();
    this.setState("sounding");
  }

  private async check(attempt: number): Promise<void> {
    const areTaken = await this.turns().areTaken();
    if (this.attempt !== attempt) return;
    this.setState("blocked", areTaken);
    this.timer = setTimeout(() => void this.check(attempt), checkEvery);
  }

  private setState(state: RingerState, isCovered = false): void {
    if (this.state === state && this.isCovered === isCovered) return;
    this.state = state;
    this.isCovered = isCovered;
    this.changed();
  }

  private silence(): void {
    this.attempt++;
    clearTimeout(this.timer);
    this.stopWaiting.abort();
    this.tone.stop();
    this.over();
    this.over = () => {};
    this.setState("silent");
  }
}
