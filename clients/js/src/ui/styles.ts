const dark = `  --surface: var(--ringline-surface, #1b1f27);
  --text: var(--ringline-text, #f1f3f7);
  --muted: var(--ringline-muted, #a5adbc);
  --line: var(--ringline-line, #333946);
  --accent: var(--ringline-accent, #8ea6ff);
  --accept: var(--ringline-accept, #57cf86);
  --on-accept: var(--ringline-on-accept, #06230f);
  --decline: var(--ringline-decline, #ff9a9c);
  --decline-soft: var(--ringline-decline-soft, #3d2326);
  --shadow: var(--ringline-shadow, 0 1px 2px rgb(0 0 0 / .4), 0 10px 32px rgb(0 0 0 / .5));
  --avatar: 28% 30%;
  --on-avatar: 60% 90%;
`;

/** Of all elements. What an app may change are the parts and the variables named `--ringline-…`; docs/client.md names them. */
export const styles = (): string => `
:host {
  --surface: var(--ringline-surface, #fff);
  --text: var(--ringline-text, #14171f);
  --muted: var(--ringline-muted, #5a6272);
  --line: var(--ringline-line, #e1e4ea);
  --accent: var(--ringline-accent, #3a5bd9);
  --accept: var(--ringline-accept, #14793d);
  --on-accept: var(--ringline-on-accept, #fff);
  --decline: var(--ringline-decline, #b8232f);
  --decline-soft: var(--ringline-decline-soft, #fdecec);
  --shadow: var(--ringline-shadow, 0 1px 2px rgb(16 24 40 / .06), 0 8px 28px rgb(16 24 40 / .12));
  --radius: var(--ringline-radius, 18px);
  --avatar: 45% 89%;
  --on-avatar: 55% 26%;
  display: block;
  color: var(--text);
  font: var(--ringline-font, 400 15px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Noto Sans CJK SC", sans-serif);
  text-align: start;
  -webkit-text-size-adjust: 100%;
}
:host([hidden]) { display: none }
/* One that shows nothing takes no room, but is there for a screen reader. */
:host(:is(ringline-incoming, ringline-outgoing, ringline-active):not([showing])) { position: absolute }
:host([theme=dark]) { ${dark} }
@media (prefers-color-scheme: dark) { :host(:not([theme=light])) { ${dark} } }

* { box-sizing: border-box }
.cards { display: grid; gap: 12px }
.card {
  display: grid;
  gap: 14px;
  padding: 16px;
  max-width: var(--ringline-width, 360px);
  min-width: 0;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
  box-shadow: var(--shadow);
  animation: come .22s cubic-bezier(.2, .8, .3, 1);
}
.head { display: flex; gap: 14px; align-items: center; min-width: 0 }
.who { min-width: 0; flex: 1 }
h2, p, ul { margin: 0; padding: 0; font: inherit }
h2 { font-size: 1.1em; line-height: 1.25; font-weight: 640; overflow-wrap: anywhere; display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden }
.sub { margin-top: 3px; color: var(--muted); overflow-wrap: anywhere }
.sub > span:not(:first-of-type, [hidden])::before { content: "\\a0\\b7  "; color: var(--muted); font-weight: 400 }
.time { font-variant-numeric: tabular-nums }
.others { color: var(--muted); font-size: .93em; overflow-wrap: anywhere }

.avatar {
  position: relative;
  flex: none;
  width: 56px;
  height: 56px;
  display: grid;
  place-items: center;
  border-radius: 50%;
  font-weight: 640;
  background: hsl(var(--hue, 220) var(--avatar));
  color: hsl(var(--hue, 220) var(--on-avatar));
}
.small::after { border-width: 1px !important; inset: -3px !important }
.avatar.small { width: 30px; height: 30px; font-size: .76em }
.ring { position: absolute; inset: -5px; transform: rotate(-90deg); overflow: visible }
.ring circle { fill: none; stroke-width: 4 }
.track { stroke: var(--line) }
.left { stroke: var(--accent); stroke-linecap: round; stroke-dasharray: 100; transition: stroke-dashoffset 1s linear }
.pulse :is(.head, .row[data-progress=ringing]) .avatar::after {
  content: "";
  position: absolute;
  inset: -5px;
  border-radius: 50%;
  border: 2px solid var(--accent);
  animation: pulse 2.8s ease-out infinite;
}

.rows { list-style: none; display: grid; gap: 8px }
.row { display: flex; gap: 10px; align-items: center; min-width: 0 }
.row .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.progress { color: var(--muted); white-space: nowrap }
.progress[data-progress=ringing] { color: var(--accent); font-weight: 560 }
.progress[data-progress=accepted] { color: var(--accept); font-weight: 560 }
:is(.progress[data-progress=declined], .progress[data-progress=busy], .progress[data-progress=no_answer]) { color: var(--decline) }

.note { color: var(--muted) }
.note.bad { color: var(--decline) }
/* This note is not in a card, and the page may be light while the system is dark. */
button.call + .note { width: fit-content; margin-top: 8px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 10px; background: var(--surface); max-width: 100%; overflow-wrap: anywhere }
.actions { display: flex; gap: 10px }
[hidden] { display: none !important }
button {
  font: inherit;
  font-weight: 600;
  color: inherit;
  display: inline-flex;
  gap: 8px;
  align-items: center;
  justify-content: center;
  min-height: 44px;
  padding: 8px 18px;
  border: 1px solid transparent;
  border-radius: 999px;
  background: none;
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}
.actions button { flex: 1 }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
button.accept, button.call { background: var(--accept); color: var(--on-accept) }
button.decline { background: var(--decline-soft); color: var(--decline) }
button:is([aria-disabled=true], :disabled) { opacity: .55; cursor: default }
@media (hover: hover) { button:not([aria-disabled=true], :disabled):hover { filter: brightness(.95) } }
.hints { display: flex; flex-wrap: wrap; gap: 0 8px }
button.hint { padding: 6px 12px; color: var(--text); font-weight: 500; font-size: .93em; background: var(--surface); border-color: var(--line); margin-top: 10px; min-height: 40px; box-shadow: var(--shadow) }
.icon { width: 1.25em; height: 1.25em; fill: currentcolor; flex: none }
.image { display: contents }
.announcements { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }

@keyframes come { from { opacity: 0; transform: translateY(-8px) scale(.985) } }
@keyframes pulse { 0% { transform: scale(1); opacity: .55 } 60%, 100% { transform: scale(1.35); opacity: 0 } }
@media (prefers-reduced-motion: reduce) {
  .card, .pulse .avatar::after { animation: none !important }
  .pulse .avatar::after { display: none }
  .left { transition: none }
}
@media (forced-colors: active) {
  .card, button, .avatar { border: 1px solid CanvasText }
  button { border-color: ButtonText }
  .track { stroke: GrayText }
  .left { stroke: Highlight }
  button:is([aria-disabled=true], :disabled) { color: GrayText; border-color: GrayText; opacity: 1 }
}
`;
