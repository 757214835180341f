// Lines of a log: colours of terminals become classes, and whatever else could act on a terminal is left out.

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
/* eslint-disable no-control-regex */
const ESCAPE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~]|)/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
/** Characters that change the direction of a text, or cannot be seen. */
const HIDDEN = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
/* eslint-enable no-control-regex */

/** What a terminal would show of a line: what comes after the last carriage return. */
function shown(line) {
  return line.replace(/\r+$/, '').split('\r').at(-1);
}

function clean(text) {
  return text.replace(CONTROLS, '').replace(HIDDEN, (found) => `<U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}>`);
}

/** The text of a line without colours. */
export function plain(line) {
  return clean(shown(line).replace(ESCAPE, ''));
}

/**
 * Pieces of a line: texts with their classes.
 * @param {string} line the line
 * @param {object} before the style at its start, as the line before has left it
 * @returns {[[string, string][], object]} the pieces, and the style at its end
 */
export function pieces(line, before = {}) {
  const text = shown(line);
  const found = [];
  let style = before;
  let at = 0;
  const add = (part) => { if (part) found.push([clean(part), classes(style)]); };
  if (text.includes('\x1b')) {
    for (const match of text.matchAll(ESCAPE)) {
      add(text.slice(at, match.index));
      at = match.index + match[0].length;
      if (match[2] === 'm') style = changed(style, match[1]);
    }
  }
  add(text.slice(at));
  return [found, style];
}

function classes({ colour, ground, bold, dim, italic, underline, reverse }) {
  const [front, back] = reverse ? [ground ?? 'inverse', colour ?? 'text'] : [colour, ground];
  return [front && `fg-${front}`, back && `bg-${back}`, bold && 'bold', dim && 'dim', italic && 'italic', underline && 'underline']
    .filter(Boolean).join(' ');
}

function changed(before, parameters) {
  const codes = parameters.split(/[;:]/).map((each) => Number.parseInt(each || '0', 10));
  let style = { ...before };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index];
    if (code === 38 || code === 48) {
      const [name, used] = extended(codes.slice(index + 1));
      style[code === 38 ? 'colour' : 'ground'] = name;
      index += used;
    } else style = code === 0 ? {} : { ...style, ...simple(code) };
  }
  return style;
}

function simple(code) {
  if (code >= 30 && code <= 37) return { colour: NAMES[code - 30] };
  if (code >= 90 && code <= 97) return { colour: NAMES[code - 90] };
  if (code >= 40 && code <= 47) return { ground: NAMES[code - 40] };
  if (code >= 100 && code <= 107) return { ground: NAMES[code - 100] };
  return {
    1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { reverse: true },
    22: { bold: false, dim: false }, 23: { italic: false }, 24: { underline: false }, 27: { reverse: false },
    39: { colour: null }, 49: { ground: null },
  }[code] ?? {};
}

/** One of 256 or of 16 million colours, as the nearest of eight; and how many numbers it takes. */
function extended([kind, one, two, three]) {
  if (kind === 2) return [nearest(one, two, three), 4];
  if (kind !== 5) return [null, 1];
  if (!(one >= 16)) return [NAMES[(one ?? 7) % 8], 2];
  if (one >= 232) return [one < 244 ? 'black' : 'white', 2];
  const part = (divisor) => (Math.floor((one - 16) / divisor) % 6) * 51;
  return [nearest(part(36), part(6), part(1)), 2];
}

function nearest(red = 0, green = 0, blue = 0) {
  const most = Math.max(red, green, blue);
  if (most < 64) return 'black';
  const bit = (value) => (value > 0.6 * most ? 1 : 0);
  return NAMES[bit(red) + 2 * bit(green) + 4 * bit(blue)];
}
