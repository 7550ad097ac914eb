import type { RinglineClient } from "../client/client.js";
import type { Board, Cards } from "./board.js";
import { Ringer } from "./ringer.js";
import { ringback, ringtone, Tone } from "./tone.js";
import { turnsOf } from "./turns.js";

/** What the sounds depend on. A Phone is one. */
interface SoundSource {
  readonly client: Pick<RinglineClient, "userID">;
  readonly board: Pick<Board, "current" | "subscribe" | "changed">;
  readonly options: { sound?: boolean };
  pressedOn(where: keyof Cards, callID: string): unknown;
}

/** The sounds of a phone: a ringtone while a call rings here, a ringback while one rings at a callee. */
export class Sounds {
  readonly ringer: Ringer;
  private readonly ringback = new Tone(ringback);
  private backSounds = false;
  private readonly users = { ringtone: 0, ringback: 0 };
  private stop = (): void => {};

  constructor(private readonly phone: SoundSource) {
    const name = (): string => `ringline.ringtone.${phone.client.userID}`; // two users in two tabs both ring
    this.ringer = new Ringer(new Tone(ringtone), () => turnsOf(name()), () => phone.board.changed());
  }

  /** Registers an element that plays this sound, until the returned function is called. */
  use(what: "ringtone" | "ringback"): () => void {
    if (this.users.ringtone + this.users.ringback === 0) this.start();
    this.users[what]++;
    this.update();
    return () => {
      this.users[what]--;
      this.update();
      if (this.users.ringtone + this.users.ringback === 0) this.stop();
    };
  }

  private start(): void {
    const press = (): void => this.ringer.retry();
    const stopWatching = this.phone.board.subscribe(() => this.update());
    for (const event of ["pointerup", "keydown"]) document.addEventListener(event, press, true);
    this.stop = () => {
      stopWatching();
      for (const event of ["pointerup", "keydown"]) document.removeEventListener(event, press, true);
    };
  }

  private update(): void {
    const { board, options } = this.phone;
    const may = options.sound !== false;
    const { incoming, outgoing } = board.current;
    this.ringer.want(may && this.users.ringtone > 0 && incoming.some((c) => !c.outcome && !this.phone.pressedOn("incoming", c.callID)));
    const rings = outgoing.some(({ callID, rows, outcome }) => {
      const of = (progress: string): boolean => rows.some((row) => row.progress === progress);
      return !outcome && !this.phone.pressedOn("outgoing", callID) && of("ringing") && !of("accepted");
    });
    void this.ringBack(may && this.users.ringback > 0 && rings);
  }

  private async ringBack(sounds: boolean): Promise<void> {
    if (this.backSounds === sounds) return;
    this.backSounds = sounds;
    if (!sounds) return this.ringback.stop();
    const isAllowed = await this.ringback.isAllowed();
    if (isAllowed && this.backSounds) this.ringback.start();
  }
}
