// A QR code (ISO/IEC 18004) as SVG: bytes, error correction M, versions 1 to 20, which hold 666 bytes.
import { html } from '/app/html.js';

const ECC_PER_BLOCK = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
const QUIET = 4; // modules of margin

const MASKS = [
  (x, y) => (x + y) % 2,
  (_, y) => y % 2,
  (x) => x % 3,
  (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

/** How many modules carry data and error correction. */
function rawModules(version) {
  let n = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const align = Math.floor(version / 7) + 2;
    n -= (25 * align - 10) * align - 55;
    if (version >= 7) n -= 36;
  }
  return n;
}
const dataBytes = (version) => Math.floor(rawModules(version) / 8) - ECC_PER_BLOCK[version] * BLOCKS[version];

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(a, b) {
  let z = 0;
  for (let i = 7; i >= 0; i--) z = (z << 1) ^ ((z >> 7) * 0x11d) ^ (((b >> i) & 1) * a);
  return z;
}

function generator(degree) {
  const poly = new Array(degree).fill(0);
  poly[degree - 1] = 1;
  let root = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) poly[j] = multiply(poly[j], root) ^ (poly[j + 1] ?? 0);
    root = multiply(root, 2);
  }
  return poly;
}

function remainder(data, poly) {
  const rest = new Array(poly.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift();
    rest.push(0);
    poly.forEach((one, i) => {
      rest[i] ^= multiply(one, factor);
    });
  }
  return rest;
}

/** Mode, length, bytes and padding, as code words. */
function encode(bytes, version) {
  const bits = [];
  const put = (value, n) => {
    for (let i = n - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  const capacity = dataBytes(version) * 8;
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, capacity - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < capacity; pad ^= 0xec ^ 0x11) put(pad, 8);
  return Array.from({ length: capacity / 8 }, (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((all, bit) => all * 2 + bit, 0));
}

/** The code words of all blocks and their error correction, interleaved. */
function interleave(data, version) {
  const n = BLOCKS[version];
  const ecc = ECC_PER_BLOCK[version];
  const total = Math.floor(rawModules(version) / 8);
  const short = n - (total % n);
  const length = Math.floor(total / n) - ecc;
  const poly = generator(ecc);
  const blocks = [];
  for (let i = 0, at = 0; i < n; i++) {
    const part = data.slice(at, at + length + (i < short ? 0 : 1));
    at += part.length;
    blocks.push({ part, ecc: remainder(part, poly) });
  }
  const out = [];
  for (let i = 0; i <= length; i++) for (const { part } of blocks) if (i < part.length) out.push(part[i]);
  for (let i = 0; i < ecc; i++) for (const block of blocks) out.push(block.ecc[i]);
  return out;
}

function alignments(version, size) {
  if (version === 1) return [];
  const n = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (n * 2 - 2)) * 2;
  return [6, ...Array.from({ length: n - 1 }, (_, i) => size - 7 - i * step).reverse()];
}

/** The modules that are the same whatever the text says: dark[y][x], and which they are. */
function drawFunctions(version, size) {
  const dark = Array.from({ length: size }, () => new Array(size).fill(0));
  const fixed = Array.from({ length: size }, () => new Array(size).fill(false));
  const set = (x, y, on) => {
    if (x < 0 || y < 0 || x >= size || y >= size) return;
    dark[y][x] = on ? 1 : 0;
    fixed[y][x] = true;
  };
  for (let i = 0; i < size; i++) {
    set(6, i, i % 2 === 0);
    set(i, 6, i % 2 === 0);
  }
  for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]]) {
    for (let dy = -4; dy <= 4; dy++)
      for (let dx = -4; dx <= 4; dx++) {
        const ring = Math.max(Math.abs(dx), Math.abs(dy));
        set(cx + dx, cy + dy, ring !== 2 && ring !== 4);
      }
  }
  const places = alignments(version, size);
  const last = places.length - 1;
  places.forEach((cx, i) => {
    places.forEach((cy, j) => {
      if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) return;
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) set(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    });
  });
  if (version >= 7) {
    let rest = version;
    for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
    const bits = (version << 12) | rest;
    for (let i = 0; i < 18; i++) {
      const [a, b] = [size - 11 + (i % 3), Math.floor(i / 3)];
      set(a, b, (bits >> i) & 1);
      set(b, a, (bits >> i) & 1);
    }
  }
  return { dark, fixed, set };
}

/** Which mask and error correction it is, twice. */
function drawFormat(set, size, mask) {
  let rest = mask; // error correction M is 00
  for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  const bit = (i) => (bits >> i) & 1;
  for (let i = 0; i <= 5; i++) set(8, i, bit(i));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let i = 9; i < 15; i++) set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i++) set(size - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i++) set(8, size - 15 + i, bit(i));
  set(8, size - 8, 1);
}

/** Two columns at a time, from the right, up and down in turn. */
function drawData(words, { dark, fixed }, size) {
  let i = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (fixed[y][x] || i >= words.length * 8) continue;
        dark[y][x] = (words[i >> 3] >> (7 - (i & 7))) & 1;
        i++;
      }
    }
  }
}

/** How hard it is to read: long runs, blocks, patterns like a finder's, too dark or too light. */
function penalty(dark, size) {
  const line = (get) => {
    let points = 0;
    for (let i = 0; i < size; i++) {
      const text = Array.from({ length: size }, (_, j) => get(i, j)).join('');
      for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) points += run.length - 2;
      for (const pattern of ['10111010000', '00001011101'])
        for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) points += 40;
    }
    return points;
  };
  let points = line((i, j) => dark[i][j]) + line((i, j) => dark[j][i]);
  let count = 0;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      count += dark[y][x];
      if (y === 0 || x === 0) continue;
      const sum = dark[y][x] + dark[y - 1][x] + dark[y][x - 1] + dark[y - 1][x - 1];
      if (sum === 0 || sum === 4) points += 3;
    }
  return points + Math.floor(Math.abs((count * 20) / (size * size) - 10)) * 10;
}

/** The modules of a text's code: rows of 0 (light) and 1 (dark). */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version < BLOCKS.length && bytes.length + (version < 10 ? 2 : 3) > dataBytes(version)) version++;
  if (version === BLOCKS.length) throw new RangeError('the text is too long for a QR code');
  const size = version * 4 + 17;
  const words = interleave(encode(bytes, version), version);
  let best = null;
  for (let mask = 0; mask < MASKS.length; mask++) {
    const grid = drawFunctions(version, size);
    drawFormat(grid.set, size, mask);
    drawData(words, grid, size);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) if (!grid.fixed[y][x] && MASKS[mask](x, y) === 0) grid.dark[y][x] ^= 1;
    const points = penalty(grid.dark, size);
    if (best === null || points < best.points) best = { points, dark: grid.dark };
  }
  return best.dark;
}

/** label: what a camera finds in it. Always dark on white, in either theme. */
export function Qr({ text, label }) {
  const rows = qrModules(text);
  const side = rows.length + 2 * QUIET;
  const path = rows
    .flatMap((row, y) => row.map((on, x) => (on ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')))
    .join('');
  return html`<svg class="qr" role="img" aria-label=${label} viewBox=${`0 0 ${side} ${side}`} shape-rendering="crispEdges">
    <rect width=${side} height=${side} fill="#fff" /><path d=${path} fill="#000" /></svg>`;
}
