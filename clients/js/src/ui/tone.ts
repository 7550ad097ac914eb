/** A sound of a few notes that repeats. Times are in seconds, frequencies in hertz. */
export interface Melody {
  notes: readonly { at: number; lasts: number; frequencies: readonly number[] }[];
  every: number;
  volume: number;
  wave: OscillatorType;
}

/** Two soft bells, twice. */
export const ringtone: Melody = {
  notes: [
    { at: 0, lasts: 0.55, frequencies: [659.25, 1318.5] },
    { at: 0.18, lasts: 0.7, frequencies: [830.6, 1661.2] },
    { at: 0.72, lasts: 0.55, frequencies: [659.25, 1318.5] },
    { at: 0.9, lasts: 0.9, frequencies: [987.8, 1975.5] },
  ],
  every: 2.8,
  volume: 0.16,
  wave: "sine",
};

/** The ringback of most countries: 425 Hz, one second of every five. */
export const ringback: Melody = {
  notes: [{ at: 0, lasts: 1, frequencies: [425] }],
  every: 5,
  volume: 0.05,
  wave: "sine",
};

/** How long a browser may take to allow sound, in milliseconds. A browser that waits for a press reports nothing. */
const readyWithin = 400;

/** Plays a melody until it is stopped, without a file. */
export class Tone {
  private context: AudioContext | undefined;
  private playing: { gain: GainNode; timer: ReturnType<typeof setInterval> } | undefined;

  constructor(private readonly melody: Melody) {}

  /** Whether the browser allows sound. A refusal may end with the next press. */
  async isAllowed(): Promise<boolean> {
    if (typeof AudioContext === "undefined") return false;
    try {
      const context = (this.context ??= new AudioContext());
      if (context.state !== "running") {
        await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, readyWithin))]);
      }
      return (context.state as AudioContextState) === "running";
    } catch {
      return false; // no audio device
    }
  }

  start(): void {
    const { context, melody } = this;
    if (!context || this.playing) return;
    const gain = context.createGain();
    gain.gain.value = melody.volume;
    gain.connect(context.destination);
    let next = context.currentTime + 0.05;
    const ahead = (): void => {
      // A timer in a hidden page fires once a second at best, so the notes due by then are scheduled now.
      while (next < context.currentTime + 1.5) {
        for (const note of melody.notes) this.sound(context, gain, next + note.at, note);
        next += melody.every;
      }
    };
    this.playing = { gain, timer: setInterval(ahead, 500) };
    ahead();
  }

  stop(): void {
    const { context, playing } = this;
    this.context = undefined;
    this.playing = undefined;
    if (!context) return;
    if (playing) {
      clearInterval(playing.timer);
      playing.gain.gain.setTargetAtTime(0, context.currentTime, 0.02); // a ramp avoids a click
    }
    setTimeout(() => void context.close().catch(() => {}), 150);
  }

  private sound(context: AudioContext, to: AudioNode, at: number, note: Melody["notes"][number]): void {
    note.frequencies.forEach((frequency, overtone) => {
      const envelope = context.createGain();
      const oscillator = context.createOscillator();
      oscillator.type = this.melody.wave;
      oscillator.frequency.value = frequency;
      envelope.gain.setValueAtTime(0, at);
      envelope.gain.linearRampToValueAtTime(1 / (1 + 3 * overtone), at + 0.02);
      if (note.frequencies.length > 1) envelope.gain.exponentialRampToValueAtTime(0.001, at + note.lasts);
      else envelope.gain.setValueAtTime(1, at + note.lasts - 0.03);
      envelope.gain.linearRampToValueAtTime(0, at + note.lasts);
      oscillator.connect(envelope).connect(to);
      oscillator.start(at);
      oscillator.stop(at + note.lasts + 0.05);
    });
  }
}
