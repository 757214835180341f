// One build: what it does, why it failed, its timeline, its log, and the resource itself.

import { copyButton, fill, h, icon, setText } from '/-/dom.js';
import { age, duration, elapsed, group, growing, isFinal, moment } from '/-/format.js';
import { LogView } from '/-/log.js';
import { post } from '/-/stream.js';
import { Waterfall } from '/-/waterfall.js';

const SECOND = 1000;
const MARKS = { succeeded: '✓', failed: '✗', cancelled: '–', running: '●', waiting: '○' };

export class BuildView {
  /**
   * @param {string} namespace its namespace
   * @param {string} name its name
   * @param {(path: string) => void} open opens another page
   */
  constructor(namespace, name, open) {
    this.namespace = namespace;
    this.name = name;
    this.open = open;
    this.build = null;
    this.logState = null;
    this.log = new LogView();
    this.waterfall = new Waterfall((line) => this.log.show(line));
    this.element = this.make();
    this.timer = setInterval(() => this.tick(), SECOND);
    document.title = name;
  }

  close() {
    clearInterval(this.timer);
  }

  make() {
    this.badge = h('p.badge', { role: 'status' });
    this.button = h('button', { type: 'button', hidden: true, click: () => (this.build.action === 'cancel' ? this.question.showModal() : this.act()) });
    this.refusal = h('p.refusal', { role: 'alert', hidden: true });
    this.question = h('dialog', { 'aria-labelledby': 'question' },
      h('form', { method: 'dialog', submit: (event) => { if (event.submitter?.value === 'cancel') this.act(); } },
        h('p', { id: 'question' }, `Cancel ${this.name}? A cancelled build cannot be continued.`),
        h('div.answers', {}, h('button', { value: 'keep', autofocus: true }, 'Let it run'), h('button.danger', { value: 'cancel' }, 'Cancel the build'))));
    this.times = h('p.times-line');
    this.message = h('p.message');
    this.progress = h('div.running-step', { hidden: true });
    this.notice = h('div.notice', { role: 'status', hidden: true });
    this.failure = h('section.card.failure', { 'aria-labelledby': 'failure', hidden: true });
    this.images = h('section.card.images', { 'aria-labelledby': 'images' });
    this.facts = h('dl.facts');
    this.warnings = h('section.card.warnings', { 'aria-labelledby': 'warnings', hidden: true });
    this.platforms = h('section.card.table', { 'aria-labelledby': 'platforms', hidden: true });
    this.attempts = h('section.card.table', { 'aria-labelledby': 'attempts', hidden: true });
    this.spec = yamlBlock('Spec');
    this.status = yamlBlock('Status');
    this.content = h('div', { hidden: true },
      this.progress, this.failure, this.warnings,
      h('div.columns', {}, this.waterfall.element,
        h('div.side', {}, this.images, h('section.card.about', { 'aria-labelledby': 'about' }, h('h2', { id: 'about' }, 'Details'), this.facts))),
      this.platforms, this.attempts, this.log.element, this.spec.element, this.status.element);
    return h('article.build', {},
      h('nav', { 'aria-label': 'Breadcrumb' }, h('a', { href: '/' }, 'Builds'), ' / ',
        h('a', { href: `/?namespace=${encodeURIComponent(this.namespace)}` }, this.namespace)),
      h('header.title', {}, h('h1', {}, this.name), this.badge, this.button), this.question,
      this.times, this.refusal, this.message, this.notice, this.content);
  }

  receive(kind, data) {
    if (kind === 'build') this.show(data);
    else if (kind === 'gone') this.gone(data);
    else if (kind === 'restart') this.log.clear();
    else if (kind === 'lines') this.log.add(data);
    else if (kind === 'log') {
      this.logState = data;
      this.waterfall.show(null, data.steps);
      this.tellLog();
    }
  }

  gone({ deleted, outside }) {
    this.notice.hidden = false;
    this.showAction(null);
    if (this.build && !isFinal(this.build)) document.title = `${this.name}: deleted`;
    setText(this.notice, outside ? `Only builds of another namespace are served. Start kubectl imagebuild serve without -n, or with -n ${this.namespace}.`
      : deleted ? 'This ImageBuild was deleted. What you see is how it was last.'
        : 'There is no ImageBuild of this name. If one is created, it appears here.');
  }

  show(build) {
    const isNew = this.build?.uid !== build.uid;
    this.build = build;
    this.notice.hidden = true;
    this.content.hidden = false;
    const kind = group(build);
    document.title = `${MARKS[kind]} ${build.name}: ${build.phase ?? 'New'}`;
    this.badge.className = `badge ${kind}`;
    if (this.badge.dataset.kind !== kind || isNew) fill(this.badge, icon(kind), h('span'));
    this.badge.dataset.kind = kind;
    setText(this.badge.lastElementChild, build.phase ?? 'New');
    setText(this.message, build.failure ? '' : build.message || (build.phase ? '' : 'Waits for the operator.'));
    this.showAction(build.action);
    this.showProgress(build);
    this.showFailure(build.failure);
    this.showWarnings(build.warnings);
    this.showImages(build.outputs);
    fill(this.facts, ...build.facts.map(({ name, value }) => h('div', {}, h('dt', {}, name), h('dd', {}, h('bdi', {}, value)))));
    this.showPlatforms(build.platformList);
    this.showAttempts(build.attempts);
    this.waterfall.show(build.lanes, isNew ? [] : null);
    this.spec.set(build.spec);
    this.status.set(build.status);
    this.tellLog();
    this.tick();
  }

  showAction(action) {
    this.button.hidden = !action;
    setText(this.button, { cancel: 'Cancel', rerun: 'Run again' }[action] ?? '');
    if (action !== 'cancel') this.question.close();
  }

  /** Do what the button says. */
  async act() {
    const { uid, action } = this.build;
    const place = [this.namespace, this.name].map(encodeURIComponent).join('/');
    this.button.disabled = true;
    this.refusal.hidden = true;
    try {
      const made = await post(`/-/api/builds/${place}/${action}?uid=${encodeURIComponent(uid)}`);
      if (action === 'rerun') this.open(`/${made.namespace}/${made.name}`);
    } catch (error) {
      setText(this.refusal, `${action === 'rerun' ? 'It was not run again' : 'It was not cancelled'}. ${error.message}`);
      this.refusal.hidden = false;
    }
    this.button.disabled = false;
  }

  tellLog() {
    if (this.build && this.logState) this.log.tell(this.logState, this.build);
  }

  showProgress(build) {
    const runs = Boolean(build.steps) && !isFinal(build);
    this.progress.hidden = !runs;
    if (!runs) return;
    if (!this.progress.firstElementChild) {
      fill(this.progress, h('span.bar', { role: 'progressbar', 'aria-label': 'Steps' }, h('span.done')), h('span.of'), h('bdi.mono'));
    }
    const [bar, of, text] = this.progress.children;
    bar.setAttribute('aria-valuemax', build.steps);
    bar.setAttribute('aria-valuenow', build.step);
    bar.firstElementChild.style.inlineSize = `${Math.min((100 * (build.step - 0.5)) / build.steps, 100)}%`;
    setText(of, `Step ${build.step} of ${build.steps}`);
    setText(text, build.instruction ?? '');
  }

  showFailure(failure) {
    this.failure.hidden = !failure;
    if (!failure) return;
    const lines = failure.lines.map(({ number, text, failed }) => h(`div.code-line${failed ? '.failed' : ''}`, { 'data-n': number }, text));
    const place = [failure.platform, failure.line ? `Dockerfile, line ${failure.line}` : '', failure.exitCode === null ? '' : `exit code ${failure.exitCode}`];
    fill(this.failure,
      h('h2', { id: 'failure' }, failure.reason || 'Failed'),
      h('p.why', {}, h('bdi', {}, failure.message)),
      failure.hint ? h('p.hint', {}, failure.hint) : null,
      h('p.place', {}, place.filter(Boolean).join(' · ')),
      lines.length ? h('div.code', { role: 'group', 'aria-label': 'Lines of the Dockerfile' }, ...lines) : null,
      failure.logTail ? h('details', {}, h('summary', {}, 'End of the log'), h('pre', { tabindex: '0' }, failure.logTail)) : null);
  }

  showWarnings(warnings) {
    this.warnings.hidden = !warnings.length;
    fill(this.warnings, h('h2', { id: 'warnings' }, warnings.length === 1 ? 'Warning' : 'Warnings'), h('ul', {}, ...warnings.map((text) => h('li', {}, text))));
  }

  showImages(images) {
    fill(this.images, h('h2', { id: 'images' }, images.length === 1 ? 'Image' : 'Images'),
      ...images.map(({ reference, digest, size }) => h('div.image', {},
        h('div.row', {}, h('bdi.mono', {}, reference), copyButton(digest ? `${reference}@${digest}` : reference, digest ? 'reference with digest' : 'reference')),
        digest ? h('p.digest.mono', {}, digest, size ? h('span.size', {}, size) : null) : null)));
    this.images.hidden = !images.length;
  }

  showPlatforms(platforms) {
    this.platforms.hidden = !platforms.length;
    if (!platforms.length) return;
    const rows = platforms.map((each) => h('tr', {},
      h('th', { scope: 'row' }, each.platform),
      h('td', {}, icon(group(each)), ` ${each.phase}`),
      h('td', {}, each.reason || each.progress || ''),
      h('td', {}, each.node)));
    fill(this.platforms, h('h2', { id: 'platforms' }, 'Platforms'), h('div.scroll', { tabindex: '0', role: 'group', 'aria-labelledby': 'platforms' },
      h('table', {}, h('thead', {}, heads('Platform', 'Phase', 'Progress', 'Node')), h('tbody', {}, ...rows))));
  }

  showAttempts(attempts) {
    this.attempts.hidden = attempts.length < 2;
    if (attempts.length < 2) return;
    const rows = attempts.map((each) => h('tr', {},
      h('th', { scope: 'row' }, String(each.number)),
      h('td', {}, each.reason ?? 'Succeeded'),
      h('td', {}, h('bdi', {}, each.message ?? '')),
      h('td', {}, each.node ?? ''),
      h('td.number', {}, each.started && each.completed ? duration(Date.parse(each.completed) - Date.parse(each.started)) : '')));
    fill(this.attempts, h('h2', { id: 'attempts' }, 'Attempts'), h('div.scroll', { tabindex: '0', role: 'group', 'aria-labelledby': 'attempts' },
      h('table', {}, h('thead', {}, heads('Attempt', 'Result', 'Message', 'Node', 'Duration')), h('tbody', {}, ...rows))));
  }

  tick() {
    if (!this.build) return;
    const now = Date.now();
    const time = elapsed(this.build, now);
    const final = isFinal(this.build);
    const parts = [
      this.build.created ? `Created ${age(Date.parse(this.build.created), now)} ago` : '',
      time === null ? '' : final ? `took ${duration(time)}` : `running for ${growing(time)}`,
    ];
    setText(this.times, parts.filter(Boolean).join(', '));
    this.times.title = moment(this.build.created);
    this.waterfall.tick();
  }
}

function heads(...names) {
  return h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name)));
}

/** A part of the resource as YAML, closed at first. */
function yamlBlock(title) {
  const code = h('pre', { tabindex: '0', role: 'region', 'aria-label': `${title} as YAML` });
  const tools = h('div.copying');
  const element = h('details.card.yaml', {}, h('summary', {}, title), h('div.body', {}, tools, code));
  return {
    element,
    set(text) {
      if (code.textContent === text) return;
      code.textContent = text;
      fill(tools, copyButton(text, title));
    },
  };
}
