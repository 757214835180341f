// Makes elements. Texts are always set as text: what a cluster says is never read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element.
 * @param {string} tag its name, with classes: 'p.note.quiet'
 * @param {Record<string, unknown>} attributes attributes; functions are listeners; null and false leave one out
 * @param {...(Node|string|null|false)} children what is in it
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set the text of an element, if it is another one. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set a class, or remove it. */
export function setClass(element, name, on) {
  if (element.classList.contains(name) !== Boolean(on)) element.classList.toggle(name, Boolean(on));
}

/** Set an attribute, if it has another value. */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Replace the content of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

const SHAPES = {
  succeeded: 'M4.2 8.4l2.6 2.6 5-5.6',
  failed: 'M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6',
  cancelled: 'M4.6 8h6.8',
  waiting: 'M8 4.6V8l2.2 1.6',
  running: 'M8 1.6a6.4 6.4 0 0 1 6.4 6.4',
};

/** The icon of a group of phases; it says nothing that is not written next to it. */
export function icon(group) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon ${group}`);
  const circle = document.createElementNS(SVG, 'circle');
  circle.setAttribute('cx', '8');
  circle.setAttribute('cy', '8');
  circle.setAttribute('r', '6.4');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', SHAPES[group]);
  svg.append(circle, path);
  return svg;
}

/** A button that copies a text. */
export function copyButton(text, what) {
  const button = h('button.quiet.copy', { type: 'button', 'aria-label': `Copy ${what}`, title: `Copy ${what}` }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not allowed';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  return button;
}
