// The timeline of a build: its phases, and under the Dockerfile's phase its steps.

import { fill, h, setText } from '/-/dom.js';
import { duration, growing } from '/-/format.js';

/** Intervals of the axis, in seconds. */
const TICKS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const MOST_TICKS = 5;
/** Milliseconds between the sum of the phases and the log, above which two clocks differ. */
const MOST_GAP = 60000;
/** Names of the spans in which the Dockerfile runs. */
const WITH_STEPS = ['Building', 'Running the Dockerfile'];

export class Waterfall {
  /** @param {(line: number) => void} onStep called with the line of the log at which a step begins */
  constructor(onStep) {
    this.onStep = onStep;
    this.lanes = [];
    this.steps = [];
    this.open = [];
    this.axis = h('div.axis', { 'aria-hidden': 'true' });
    this.rows = h('ol.spans');
    this.element = h('section.card.waterfall', { 'aria-labelledby': 'timeline' },
      h('h2', { id: 'timeline' }, 'Timeline'), this.axis, this.rows);
  }

  /** Show other spans; null leaves the steps or the lanes as they are. */
  show(lanes, steps) {
    if (lanes) this.lanes = lanes;
    if (steps) this.steps = steps;
    this.render();
  }

  get isOpen() {
    return this.open.length > 0;
  }

  /** Move what still runs. */
  tick() {
    if (this.open.length) this.place(Date.now());
  }

  render() {
    const rows = [];
    this.placed = [];
    this.open = [];
    for (const lane of this.lanes) {
      if (lane.name) rows.push(h('li.lane', {}, lane.name));
      const steps = lastAttempt(this.steps.filter((step) => step.platform === lane.name.replaceAll('/', '-')));
      const last = lane.spans.findLast((span) => WITH_STEPS.includes(span.name));
      // Times of Kubernetes are whole seconds, and leave out what passes between containers; the log knows better.
      const gap = last?.end && steps[0]?.start ? steps[0].start - last.start : 0;
      const late = gap > 0 && gap < MOST_GAP ? gap : 0;
      let isLate = false;
      for (const each of lane.spans) {
        isLate ||= each === last;
        const span = isLate && late ? { ...each, start: each.start + late, end: each.end + late } : each;
        rows.push(this.row(span, span.name, span.detail, span.state));
        if (each !== last) continue;
        rows.push(...steps.map((step) => this.stepRow(step, span, steps)));
      }
    }
    fill(this.rows, ...rows);
    this.element.hidden = !rows.length;
    this.place(Date.now());
  }

  stepRow(step, span, steps) {
    const isLast = step === steps.at(-1);
    const end = step.end ?? (span.state === 'running' ? null : span.end);
    const state = step.cached ? 'cached' : !isLast || span.state === 'done' ? 'done' : span.state;
    const name = step.instruction || `Step ${step.number}`;
    const row = this.row({ ...step, end }, name, step.cached ? 'cached' : '', state);
    row.classList.add('step');
    const label = row.firstElementChild;
    label.replaceChildren(h('button.jump', {
      type: 'button', title: `${name}\nShow its log`, click: () => this.onStep(step.line),
    }, h('span.count', {}, `${step.number}/${step.of}`), h('bdi.mono', {}, name)));
    return row;
  }

  row(span, name, detail, state) {
    const mark = h('span.mark');
    const time = h('span.time');
    const word = { failed: 'failed', cancelled: 'cancelled', running: 'running' }[state];
    const row = h(`li.span.${state}`, {},
      h('span.label', {}, h('bdi', {}, name)),
      h('span.track', {}, mark),
      h('span.note', {}, [detail, word === detail ? '' : word].filter(Boolean).join(', ')),
      time);
    this.placed.push({ span, mark, time });
    if (span.end === null && span.start !== null) this.open.push(span);
    return row;
  }

  place(now) {
    const starts = this.placed.map(({ span }) => span.start).filter((time) => time !== null);
    const ends = this.placed.map(({ span }) => span.end ?? now);
    const begin = Math.min(...starts);
    const whole = Math.max(Math.max(...ends) - begin, 1);
    for (const { span, mark, time } of this.placed) {
      if (span.start === null) continue;
      const end = Math.max(span.end ?? now, span.start);
      mark.style.insetInlineStart = `${(100 * (span.start - begin)) / whole}%`;
      mark.style.inlineSize = `max(${(100 * (end - span.start)) / whole}%, 3px)`;
      setText(time, span.end === null ? growing(end - span.start) : duration(end - span.start));
    }
    this.placeTicks(whole);
  }

  placeTicks(whole) {
    const interval = 1000 * (TICKS.find((seconds) => whole / (1000 * seconds) <= MOST_TICKS) ?? Math.ceil(whole / 86400000 / MOST_TICKS) * 86400);
    const number = Math.floor(whole / interval);
    if (this.axis.childElementCount !== number + 1) {
      fill(this.axis, ...Array.from({ length: number + 1 }, () => h('span.tick', {}, h('span'))));
    }
    [...this.axis.children].forEach((tick, index) => {
      const place = (100 * index * interval) / whole;
      tick.style.insetInlineStart = `calc(var(--labels) + (100% - var(--labels) - var(--times)) * ${place / 100})`;
      setText(tick.firstElementChild, place > 94 ? '' : interval < 1000 ? `${(index * interval) / 1000}s` : short((index * interval) / 1000));
    });
  }
}

function lastAttempt(steps) {
  const attempt = Math.max(...steps.map((step) => step.attempt));
  return steps.filter((step) => step.attempt === attempt);
}

function short(seconds) {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return seconds % 60 ? `${Math.floor(seconds / 60)}m${seconds % 60}s` : `${seconds / 60}m`;
  return seconds % 3600 ? `${Math.floor(seconds / 3600)}h${(seconds % 3600) / 60}m` : `${seconds / 3600}h`;
}
