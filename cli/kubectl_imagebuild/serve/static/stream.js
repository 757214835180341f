// Server-sent events over fetch, which can send the token as a header; cookies would go to every port of this machine.

const FIRST_DELAY = 500;
const MAX_DELAY = 8000;
/** The server sends something every 15 seconds. */
const SILENCE = 40000;
/** A page that nobody sees gives its connection back after this time: a browser has six for one host. */
const HIDDEN = 20000;
const POLL = 10000;

const KEY = 'token';
let token = null;

/** Take the token out of the URL, where it is at first, and keep it for this address. */
export function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get(KEY);
  try {
    if (found) localStorage.setItem(KEY, found);
    token = found ?? localStorage.getItem(KEY);
  } catch {
    token = found;
  }
  if (found) history.replaceState(null, '', location.pathname + location.search);
}

/**
 * Ask the server to do something.
 * @param {string} path what to do
 * @returns {Promise<any>} its answer
 * @throws {Error} why it was not done
 */
export async function post(path) {
  const answer = await fetch(path, { method: 'POST', headers: bearer() });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function bearer() {
  return { Authorization: `Bearer ${token ?? ''}` };
}

/** One stream, up to `close`. It is made again when it breaks, and continues where it broke. */
export class Stream {
  /**
   * @param {string} path what to read
   * @param {(kind: string, data: any) => void} onEvent called for each event
   * @param {(state: 'open'|'broken'|'refused') => void} onState called when the connection changes
   */
  constructor(path, onEvent, onState) {
    this.path = path;
    this.onEvent = onEvent;
    this.onState = onState;
    this.last = '';
    this.closed = false;
    this.controller = new AbortController();
    this.onVisibility = () => this.visibilityChanged();
    document.addEventListener('visibilitychange', this.onVisibility);
    this.run();
  }

  close() {
    this.closed = true;
    this.controller.abort();
    clearTimeout(this.hiding);
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.wake?.();
  }

  visibilityChanged() {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => { this.polls = true; this.controller.abort(); }, HIDDEN);
    } else {
      this.polls = false;
      this.wake?.();
    }
  }

  async run() {
    let delay = FIRST_DELAY;
    while (!this.closed) {
      const polls = this.polls;
      try {
        await this.read(polls ? '?once=1' : '', () => { delay = FIRST_DELAY; });
        if (!polls && !this.closed) this.onState('broken');
      } catch (error) {
        if (this.closed) return;
        if (error instanceof Refused) {
          this.onState('refused');
          return;
        }
        if (!this.polls) this.onState('broken');
      }
      if (!this.closed) await this.pause(this.polls ? POLL : delay);
      delay = Math.min(delay * 2, MAX_DELAY);
    }
  }

  async read(query, onOpen) {
    this.controller = new AbortController();
    const watchdog = () => {
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.controller.abort(), SILENCE);
    };
    watchdog();
    try {
      const headers = { ...bearer(), Accept: 'text/event-stream' };
      if (this.last) headers['Last-Event-ID'] = this.last;
      const answer = await fetch(this.path + query, { headers, signal: this.controller.signal, cache: 'no-store' });
      if (answer.status === 401 || answer.status === 403) throw new Refused();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      onOpen();
      this.onState('open');
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        watchdog();
        const parts = (rest + value).split('\n\n');
        rest = parts.pop();
        for (const part of parts) this.take(part);
      }
    } finally {
      clearTimeout(this.silence);
    }
  }

  take(text) {
    if (this.closed) return;
    const fields = {};
    for (const line of text.split('\n')) {
      const at = line.indexOf(': ');
      if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
    }
    if (!fields.event) return;
    this.onEvent(fields.event, JSON.parse(fields.data));
    if (fields.id) this.last = fields.id;
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

class Refused extends Error {}
