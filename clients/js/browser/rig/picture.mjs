import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync, inflateSync } from "node:zlib";

/** The pictures in docs/client.md. DOCS_IMAGES=../../docs/images npm run browser recreates them. */
const inDocs = new Set(["incoming-light", "incoming-dark", "group-light", "active-light", "missed-light", "demo-page-light"]);

/** Saves a picture: all pictures in the folder PICTURES, those of the docs in DOCS_IMAGES. */
export async function keep(name, shoot) {
  const { PICTURES, DOCS_IMAGES } = process.env;
  const folder = inDocs.has(name) && DOCS_IMAGES ? DOCS_IMAGES : PICTURES;
  if (folder) writeFileSync(join(folder, `${name}.png`), small(await shoot()));
}

/** Reduces the picture to its 256 most frequent colors and maps all others to the nearest one. That halves its size. */
function small(png) {
  const { width, height, step, rows } = read(png);
  const color = (at) => (rows[at] << 16) | (rows[at + 1] << 8) | rows[at + 2];
  const counts = new Map();
  for (let at = 0; at < rows.length; at += step) counts.set(color(at), (counts.get(color(at)) ?? 0) + 1);
  const palette = [...counts].sort(([, a], [, b]) => b - a).slice(0, 256).map(([c]) => c);
  const indices = new Map([...counts.keys()].map((c) => [c, nearest(palette, c)]));
  const lines = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) lines[y * (width + 1) + 1 + x] = indices.get(color((y * width + x) * step));
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colors = Buffer.from(palette.flatMap(channels));
  const parts = [["IHDR", head], ["PLTE", colors], ["IDAT", deflateSync(lines, { level: 9 })], ["IEND", Buffer.alloc(0)]];
  return Buffer.concat([png.subarray(0, 8), ...parts.map(([type, data]) => chunk(type, data))]);
}

const channels = (c) => [c >> 16, (c >> 8) & 255, c & 255];

function nearest(palette, c) {
  const [r, g, b] = channels(c);
  const far = palette.map((p) => (((p >> 16) - r) ** 2 + (((p >> 8) & 255) - g) ** 2 + ((p & 255) - b) ** 2));
  return far.indexOf(Math.min(...far));
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body) >>> 0);
  return Buffer.concat([length, body, sum]);
}

/** The pixels of a PNG as a browser writes it: 8 bits, RGB or RGBA, not interlaced. */
function read(png) {
  const data = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const [width, height, step] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25] === 6 ? 4 : 3];
  const raw = inflateSync(Buffer.concat(data));
  const line = width * step;
  const rows = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < line; x++) {
      const left = x < step ? 0 : rows[y * line + x - step];
      const up = y === 0 ? 0 : rows[(y - 1) * line + x];
      const corner = x < step || y === 0 ? 0 : rows[(y - 1) * line + x - step];
      rows[y * line + x] = raw[y * (line + 1) + 1 + x] + predicted(raw[y * (line + 1)], left, up, corner);
    }
  }
  return { width, height, step, rows };
}

/** The byte that the filter of a line predicts. */
function predicted(filter, left, up, corner) {
  if (filter < 3) return [0, left, up][filter];
  if (filter === 3) return (left + up) >> 1;
  const [a, b, c] = [left, up, corner].map((v) => Math.abs(left + up - corner - v));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
