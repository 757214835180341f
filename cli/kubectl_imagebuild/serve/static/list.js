// The list of builds: live, filtered by phase, namespace and text, the newest first.

import { fill, h, icon, setAttribute, setClass, setText } from '/-/dom.js';
import { age, count, duration, elapsed, group, growing, isFinal, moment, TITLES } from '/-/format.js';

/** Rows that are shown at first, and added at a time. */
const PAGE = 200;
const SECOND = 1000;

export class ListView {
  /** @param {(path: string, replace: boolean) => void} navigate changes the address */
  constructor(navigate) {
    this.navigate = navigate;
    this.builds = new Map();
    this.rows = new Map();
    this.tracked = [];
    this.most = PAGE;
    this.listed = false;
    const query = new URLSearchParams(location.search);
    this.filter = { phase: query.get('phase') ?? '', namespace: query.get('namespace') ?? '', text: query.get('q') ?? '' };
    this.element = this.make();
    document.title = 'Builds';
    this.timer = setInterval(() => this.tick(), SECOND);
    this.onKey = (event) => this.key(event);
    document.addEventListener('keydown', this.onKey);
    this.render();
  }

  close() {
    clearInterval(this.timer);
    document.removeEventListener('keydown', this.onKey);
  }

  make() {
    this.groups = h('div.groups', { role: 'group', 'aria-label': 'Filter by phase' });
    this.buttons = new Map(['', ...Object.keys(TITLES)].map((name) => {
      const number = h('span.number');
      const button = h('button.group', { type: 'button', click: () => this.choose({ phase: name }) },
        name ? icon(name) : null, TITLES[name] ?? 'All', number);
      this.groups.append(button);
      return [name, { button, number }];
    }));
    this.search = h('input', {
      type: 'search', placeholder: 'Name or image', 'aria-label': 'Filter by name or image', value: this.filter.text,
      autocomplete: 'off', spellcheck: 'false', input: () => this.choose({ text: this.search.value }, true),
    });
    this.namespaces = h('select', {
      'aria-label': 'Namespace', change: () => this.choose({ namespace: this.namespaces.value }),
    });
    this.body = h('tbody', { role: 'rowgroup' });
    const heads = ['Status', 'Build', 'Progress', 'Duration', 'Age'];
    const head = h('tr', { role: 'row' }, ...heads.map((name) => h('th', { scope: 'col', role: 'columnheader' }, name)));
    this.table = h('table.builds', { role: 'table', 'aria-label': 'Builds' },
      h('thead', { role: 'rowgroup' }, head), this.body);
    this.summary = h('p.summary', { role: 'status' });
    this.more = h('button', { type: 'button', click: () => { this.most += PAGE; this.render(); } });
    this.empty = h('div.empty');
    this.noteLine = h('p.summary', { hidden: true });
    this.trackedTitle = h('summary');
    this.trackedList = h('ul');
    this.trackedPart = h('details.tracked.card', { open: true, hidden: true }, this.trackedTitle, this.trackedList);
    return h('section.list', {},
      h('h1', {}, 'Builds'),
      h('div.filters', {}, this.groups, h('div.fields', {}, this.search, this.namespaces)),
      this.trackedPart, this.noteLine, this.summary, this.table, this.empty, h('div.more', {}, this.more));
  }

  note(text) {
    setText(this.noteLine, text);
    this.noteLine.hidden = !text;
  }

  key(event) {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, select, textarea')) return;
    event.preventDefault();
    this.search.focus();
  }

  receive(kind, data) {
    if (kind === 'state' && data.listed && !this.listed) {
      this.listed = true;
      this.render();
    }
    if (kind === 'tracked') {
      this.tracked = data;
      this.render();
    }
    if (kind !== 'builds') return;
    if (data.whole) this.builds.clear();
    for (const build of data.changed) this.builds.set(`${build.namespace}/${build.name}`, build);
    for (const [namespace, name] of data.gone) this.builds.delete(`${namespace}/${name}`);
    this.listed = true;
    this.render();
  }

  choose(change, replace = false) {
    Object.assign(this.filter, change);
    this.most = PAGE;
    const query = new URLSearchParams();
    if (this.filter.phase) query.set('phase', this.filter.phase);
    if (this.filter.namespace) query.set('namespace', this.filter.namespace);
    if (this.filter.text) query.set('q', this.filter.text);
    this.navigate(query.size ? `/?${query}` : '/', replace);
    this.render();
  }

  render() {
    const { phase, namespace, text } = this.filter;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...this.builds.values()];
    const near = all.filter((build) => (!namespace || build.namespace === namespace)
      && words.every((word) => `${build.namespace}/${build.name} ${build.image ?? ''}`.toLowerCase().includes(word)));
    const found = near.filter((build) => !phase || group(build) === phase);
    found.sort((one, two) => (one.created === two.created ? one.name.localeCompare(two.name) : one.created < two.created ? 1 : -1));
    this.renderTracked(namespace, words);
    this.renderFilters(all, near);
    this.renderRows(found.slice(0, this.most), !namespace);
    const shown = Math.min(found.length, this.most);
    const limit = shown < found.length ? `The newest ${count(shown)} of ${count(found.length)} builds are shown.` : '';
    setText(this.summary, limit || (found.length ? `${count(found.length)} ${found.length === 1 ? 'build' : 'builds'}` : ''));
    this.more.hidden = shown === found.length;
    setText(this.more, `Show ${count(Math.min(PAGE, found.length - shown))} more`);
    this.table.hidden = !found.length;
    this.renderEmpty(all.length, found.length);
    this.tick();
  }

  renderTracked(namespace, words) {
    const found = this.tracked.filter((image) => (!namespace || image.namespace === namespace)
      && words.every((word) => `${image.namespace}/${image.name}`.toLowerCase().includes(word)));
    // Links keep the focus while nothing changes.
    const key = JSON.stringify([namespace, found]);
    if (this.trackedShown === key) return;
    this.trackedShown = key;
    this.trackedPart.hidden = !found.length;
    setText(this.trackedTitle, `${count(found.length)} tracked ${found.length === 1 ? 'image' : 'images'}`);
    fill(this.trackedList, ...found.slice(0, PAGE).map((image) => trackedItem(image, !namespace)));
  }

  renderFilters(all, near) {
    const counts = {};
    for (const build of near) counts[group(build)] = (counts[group(build)] ?? 0) + 1;
    for (const [name, { button, number }] of this.buttons) {
      setText(number, count(name ? counts[name] ?? 0 : near.length));
      setAttribute(button, 'aria-pressed', String(this.filter.phase === name));
    }
    const names = [...new Set([...all.map((build) => build.namespace), this.filter.namespace].filter(Boolean))].sort();
    const key = names.join();
    if (this.namespaces.dataset.names !== key) {
      this.namespaces.dataset.names = key;
      fill(this.namespaces, h('option', { value: '' }, 'All namespaces'), ...names.map((name) => h('option', { value: name }, name)));
    }
    this.namespaces.value = this.filter.namespace;
    this.namespaces.hidden = names.length < 2 && !this.filter.namespace;
  }

  renderRows(builds, withNamespace) {
    const kept = new Set();
    let place = this.body.firstElementChild;
    for (const build of builds) {
      const key = `${build.namespace}/${build.name}`;
      kept.add(key);
      if (!this.rows.has(key)) this.rows.set(key, new Row(build));
      const row = this.rows.get(key);
      row.update(build, withNamespace);
      if (row.element === place) place = place.nextElementSibling;
      else this.body.insertBefore(row.element, place);
    }
    for (const [key, row] of this.rows) {
      if (kept.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
  }

  renderEmpty(all, found) {
    this.empty.hidden = found > 0;
    if (found) return;
    if (!this.listed) setText(this.empty, 'Reading the builds …');
    else if (all) setText(this.empty, 'No build matches these filters.');
    else fill(this.empty, h('p', {}, 'There are no builds yet.'), h('p', {}, h('code', {}, 'kubectl imagebuild build . -t registry.example.com/team/app:1'), ' starts one.'));
  }

  tick() {
    const now = Date.now();
    for (const row of this.rows.values()) row.tick(now);
  }
}

const STATES = {
  UpToDate: ['succeeded', 'Up to date'], Building: ['running', 'Building'], Waiting: ['waiting', 'Waits for its next build'],
  BuildFailed: ['failed', 'The last build failed'], SourceUnknown: ['waiting', 'Its source is not known yet'],
  Suspended: ['cancelled', 'Suspended'], OutputIsInput: ['failed', 'Has to be changed'], InvalidSpec: ['failed', 'Has to be changed'],
};

function trackedItem(image, withNamespace) {
  const [group, words] = STATES[image.state] ?? ['waiting', image.state ?? 'Waits for the operator'];
  const path = (name) => `/${encodeURIComponent(image.namespace)}/${encodeURIComponent(name)}`;
  return h(`li.${group}`, {}, icon(group),
    h('span.of', {}, withNamespace ? h('span.namespace', {}, `${image.namespace}/`) : null, h('strong', {}, image.name)),
    h('span.state', {}, words), image.tag ? h('span.mono', {}, image.tag) : null,
    image.build ? h('a', { href: path(image.build) }, image.build) : null,
    image.message ? h('span.text', { title: image.message }, image.message) : null);
}

class Row {
  constructor(build) {
    const cell = (name, ...children) => h(`td.${name}`, { role: 'cell' }, ...children);
    this.phase = h('span');
    this.iconPlace = h('span');
    this.link = h('a.name', { href: `/${encodeURIComponent(build.namespace)}/${encodeURIComponent(build.name)}` }, build.name);
    this.namespace = h('span.namespace', {}, `${build.namespace}/`);
    this.image = h('span.image');
    this.bar = h('span.bar', { hidden: true }, h('span.done'));
    this.text = h('span.text');
    this.duration = cell('duration');
    this.age = cell('age');
    this.element = h('tr', { role: 'row' },
      cell('status', this.iconPlace, this.phase),
      cell('build', h('span.line', {}, this.namespace, this.link), this.image),
      cell('progress', this.bar, this.text),
      this.duration, this.age);
    this.build = null;
  }

  update(build, withNamespace) {
    this.namespace.hidden = !withNamespace;
    if (this.build === build) return;
    const kind = group(build);
    if (!this.build || group(this.build) !== kind) {
      fill(this.iconPlace, icon(kind));
      this.element.className = kind;
    }
    this.build = build;
    setText(this.phase, build.phase ?? 'New');
    setText(this.image, build.image ?? '');
    this.image.title = build.image ?? '';
    const runs = Boolean(build.steps) && !isFinal(build);
    this.bar.hidden = !runs;
    if (runs) this.bar.firstElementChild.style.inlineSize = `${Math.min((100 * (build.step - 0.5)) / build.steps, 100)}%`;
    setText(this.text, this.progress(build, runs));
    this.text.title = build.message ?? '';
    setClass(this.text, 'mono', kind === 'succeeded' || runs);
  }

  progress(build, runs) {
    if (runs) return `${build.step}/${build.steps} ${build.instruction ?? ''}`;
    if (build.phase === 'Succeeded') return build.digest ?? '';
    return [build.reason, build.message].filter(Boolean).join(' · ') || (build.phase ? '' : 'Waits for the operator');
  }

  tick(now) {
    const build = this.build;
    const time = elapsed(build, now);
    setText(this.duration, time === null ? '' : build.completed ? duration(time) : growing(time));
    setText(this.age, build.created ? age(Date.parse(build.created), now) : '');
    if (!this.age.title && build.created) this.age.title = moment(build.created);
  }
}
