// The log of a build: follows it, searches it, and shows one container or all.

import { pieces, plain } from '/-/ansi.js';
import { fill, h, setText } from '/-/dom.js';
import { clock, count } from '/-/format.js';

/** Lines in one part of the log; the browser lays out only the parts that can be seen. */
const PART = 200;
const NEAR = 40;
const STEP = /^progress: stage=\d+\/\d+ step=(\d+)\/(\d+)(?: instruction="(.*)")?$/s;

export class LogView {
  constructor() {
    this.lines = [];
    this.first = 0;
    this.streams = [];
    this.hits = [];
    this.current = -1;
    this.query = '';
    this.follows = true;
    this.lastStream = -1;
    this.element = this.make();
    this.clear();
  }

  make() {
    this.search = h('input', {
      type: 'search', placeholder: 'Search the log', 'aria-label': 'Search the log', autocomplete: 'off', spellcheck: 'false',
      input: () => this.find(this.search.value), keydown: (event) => this.searchKey(event),
    });
    this.found = h('span.found', { role: 'status' });
    const step = (name, by) => h('button.quiet', { type: 'button', 'aria-label': name, title: name, click: () => this.go(by) }, by < 0 ? '↑' : '↓');
    this.choice = h('select', { 'aria-label': 'Containers', hidden: true, change: () => this.filter() });
    const toggle = (name, change, on) => {
      const button = h('button.toggle', { type: 'button', 'aria-pressed': String(on) }, name);
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        change(button.getAttribute('aria-pressed') === 'true');
      });
      return button;
    };
    this.followButton = toggle('Follow', (on) => this.follow(on), true);
    this.text = h('div.lines', { role: 'region', 'aria-label': 'Log', tabindex: '0', scroll: () => this.scrolled() });
    this.text.classList.add('wrap');
    this.state = h('p.state', { role: 'status' });
    return h('section.card.log', { 'aria-labelledby': 'log' },
      h('div.tools', {},
        h('h2', { id: 'log' }, 'Log'),
        h('span.grow'),
        h('span.searching', {}, this.search, this.found, step('Previous match', -1), step('Next match', 1)),
        this.choice,
        toggle('Times', (on) => this.text.classList.toggle('times', on), false),
        toggle('Wrap', (on) => this.text.classList.toggle('wrap', on), true),
        this.followButton),
      this.text, this.state);
  }

  clear() {
    this.lines = [];
    this.first = 0;
    this.hits = [];
    this.current = -1;
    this.lastStream = -1;
    this.part = null;
    this.element.classList.add('none');
    /** Style of terminals that each stream has at the moment. */
    this.styles = [];
    fill(this.text);
  }

  /** Add lines. @param {{start: number, lines: [string, number|null, number][], streams: [string, string, number][]}} batch */
  add({ start, lines, streams }) {
    if (start !== this.first + this.lines.length) {
      this.clear();
      this.first = start;
    }
    this.setStreams(streams);
    for (const [text, time, stream] of lines) {
      const line = { text: plain(text), element: null, stream };
      line.element = this.draw(text, time, stream, this.lines.length);
      this.lines.push(line);
      if (this.query && line.text.toLowerCase().includes(this.query)) this.hit(this.lines.length - 1);
    }
    this.element.classList.toggle('none', !this.lines.length);
    if (this.query) this.tellFound();
    if (this.follows) this.toEnd();
  }

  draw(text, time, stream, index) {
    if (!this.part || this.part.childElementCount >= PART) {
      this.part = h('div.part');
      this.text.append(this.part);
    }
    const [container, platform, attempt] = this.streams[stream];
    if (stream !== this.lastStream && (!platform || this.lastStream < 0)) {
      this.part.append(h('div.head', { 'data-s': stream }, [container, platform, attempt > 1 ? `attempt ${attempt}` : ''].filter(Boolean).join(' · ')));
    }
    this.lastStream = stream;
    const element = h('div.l', { 'data-s': stream, 'data-n': this.first + index + 1 });
    if (time !== null) element.dataset.t = clock(time);
    if (platform) element.append(h('span.platform', {}, platform));
    const step = STEP.exec(text);
    if (step && container === 'build') {
      element.classList.add('announced');
      element.append(h('span', {}, `Step ${step[1]}/${step[2]}`), h('bdi', {}, plain(step[3] ?? '')));
    } else {
      const [found, style] = pieces(text, this.styles[stream]);
      this.styles[stream] = style;
      for (const [part, classes] of found) element.append(classes ? h('span', { class: classes }, part) : part);
      if (/^(INFO|DEBU|TRAC)\[/.test(text)) element.classList.add('engine');
      else if (/^(ERRO|FATA|PANI)\[/.test(text)) element.classList.add('error');
      else if (/^WARN\[/.test(text)) element.classList.add('warning');
    }
    if (this.choice.value && this.choice.value !== container) element.hidden = true;
    this.part.append(element);
    return element;
  }

  setStreams(streams) {
    this.streams = streams;
    const names = [...new Set(streams.map(([container]) => container))];
    if (this.choice.dataset.names === names.join()) return;
    const value = this.choice.value;
    this.choice.dataset.names = names.join();
    fill(this.choice, h('option', { value: '' }, 'All containers'), ...names.map((name) => h('option', { value: name }, name)));
    this.choice.value = value;
    this.choice.hidden = names.length < 2;
  }

  filter() {
    const container = this.choice.value;
    for (const element of this.text.querySelectorAll('[data-s]')) {
      element.hidden = Boolean(container) && this.streams[element.dataset.s][0] !== container;
    }
    if (this.follows) this.toEnd();
  }

  /** Say what there is to say of the log as a whole. */
  tell({ ended, problem, first, end }, build) {
    const none = end === 0;
    const text = problem && ended ? `The log cannot be read. ${problem}`
      : problem ? `The log is interrupted. ${problem}`
        : ended && none && build.phase === 'Succeeded' ? 'The operator deletes the pods of succeeded builds, and their logs with them. Open the page while a build runs to see its log.'
          : ended && none ? 'No pod of this build is left, so there is no log.'
            : ended ? 'End of the log.'
              : none ? 'The log begins when a container of the build starts.' : '';
    const left = first > 0 ? `The first ${count(first)} lines are left out. ` : '';
    setText(this.state, left + text);
    this.followButton.hidden = ended;
  }

  find(text) {
    for (const index of this.hits) this.lines[index].element.classList.remove('hit', 'current');
    this.query = text.trim().toLowerCase();
    this.hits = [];
    this.current = -1;
    if (this.query) this.lines.forEach((line, index) => { if (line.text.toLowerCase().includes(this.query)) this.hit(index); });
    this.tellFound();
    if (this.hits.length) this.go(1);
  }

  hit(index) {
    this.hits.push(index);
    this.lines[index].element.classList.add('hit');
  }

  tellFound() {
    const number = this.hits.length;
    setText(this.found, !this.query ? '' : number ? `${this.current + 1} of ${count(number)}` : 'No match');
  }

  go(by) {
    if (!this.hits.length) return;
    this.lines[this.hits[this.current]]?.element.classList.remove('current');
    this.current = (this.current + by + this.hits.length) % this.hits.length;
    const { element } = this.lines[this.hits[this.current]];
    element.classList.add('current');
    this.reveal(element);
    this.tellFound();
  }

  searchKey(event) {
    if (event.key === 'Enter') this.go(event.shiftKey ? -1 : 1);
    else if (event.key === 'Escape') { this.search.value = ''; this.find(''); }
  }

  /** Show a line by its number, from 0. */
  show(number) {
    const line = this.lines[number - this.first];
    if (!line) return;
    this.text.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: 'nearest' });
    this.reveal(line.element, 'start');
  }

  reveal(element, block = 'center') {
    this.follow(false);
    element.scrollIntoView({ block });
  }

  follow(on) {
    this.follows = on;
    this.followButton.setAttribute('aria-pressed', String(on));
    if (on) this.toEnd();
  }

  /** Show the end, once for all lines that come before the next frame. */
  toEnd() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.follows) this.text.scrollTop = this.text.scrollHeight;
    });
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.text;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (scrollTop < (this.before ?? 0) - 2 && !isAtEnd && this.follows) this.follow(false);
    else if (isAtEnd && !this.follows) this.follow(true);
    this.before = scrollTop;
  }
}
