// The page: shows the list or one build, by the path.

import { BuildView } from '/-/build.js';
import { fill, h, setText } from '/-/dom.js';
import { ListView } from '/-/list.js';
import { Stream, takeToken } from '/-/stream.js';

const main = document.getElementById('main');
const banner = document.getElementById('banner');
const connection = document.getElementById('connection');
const scope = document.getElementById('scope');

let view = null;
let stream = null;
/** State of the connection to the server of this page, and what that says of the API server. */
let link = 'connecting';
let cluster = { error: '', note: '', namespace: '', listed: false };

function show() {
  stream?.close();
  view?.close();
  const parts = location.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const path = parts.length === 2 ? `/-/api/builds/${parts.map(encodeURIComponent).join('/')}` : '/-/api/builds';
  view = parts.length === 2 ? new BuildView(parts[0], parts[1], open) : new ListView(navigate);
  fill(main, view.element);
  stream = new Stream(path, received, connected);
  tell();
}

function received(kind, data) {
  if (kind === 'state') {
    cluster = data;
    tell();
  }
  view.receive(kind, data);
}

function connected(state) {
  link = state;
  if (state === 'refused') {
    fill(main, h('section.empty', {},
      h('h1', {}, 'This page needs its token'),
      h('p', {}, 'Open the URL that ', h('code', {}, 'kubectl imagebuild serve'), ' has printed. It has changed if the command was started again.')));
  }
  tell();
}

/** Say how the connection stands. */
function tell() {
  const broken = link === 'broken' ? 'kubectl imagebuild serve does not answer. Start it again, and open the URL that it prints.' : '';
  const error = cluster.error && (cluster.listed ? `What you see may be out of date. ${cluster.error}` : cluster.error);
  const text = link === 'refused' ? '' : broken || error || '';
  setText(banner, text);
  banner.hidden = !text;
  const word = { connecting: 'Connecting', refused: 'Not connected', broken: 'Disconnected' }[link] ?? (cluster.error ? 'Out of date' : 'Live');
  setText(connection, word);
  connection.className = `connection ${word === 'Live' ? 'live' : word === 'Connecting' ? '' : 'lost'}`;
  setText(scope, cluster.listed ? (cluster.namespace ? `namespace ${cluster.namespace}` : 'all namespaces') : '');
  scope.title = cluster.note ?? '';
  view?.note?.(cluster.note ?? '');
}

/** Open another page. */
function open(path) {
  navigate(path);
  show();
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

/** Go to a path without loading the page again. */
function navigate(path, replace = false) {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
}

document.addEventListener('click', (event) => {
  const anchor = event.target.closest?.('a[href]');
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!anchor || !isPlain || anchor.target || anchor.origin !== location.origin || event.defaultPrevented) return;
  if (anchor.getAttribute('href').startsWith('#')) return;
  event.preventDefault();
  open(anchor.getAttribute('href'));
});
window.addEventListener('popstate', show);
window.addEventListener('hashchange', () => {
  if (!location.hash.includes('token=')) return;
  takeToken();
  show();
});

const THEMES = ['system', 'light', 'dark'];
const theme = document.getElementById('theme');

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  setText(theme, `Theme: ${name}`);
  try {
    localStorage.setItem('theme', name);
  } catch {
    // The choice lasts as long as the page.
  }
}

theme.addEventListener('click', () => {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
});

function storedTheme() {
  try {
    return localStorage.getItem('theme');
  } catch {
    return null;
  }
}

setTheme(THEMES.includes(storedTheme()) ? storedTheme() : 'system');
takeToken();
show();
