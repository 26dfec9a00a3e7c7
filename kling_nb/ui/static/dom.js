/**
 * Attributes; `on` holds listeners, `text` the text, null and false leave out.
 * @typedef {{on?: {[E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void}, text?: string, [name: string]: any}} Props
 * @typedef {Node|string|null|undefined|false} Child
 */

/**
 * Elements without a framework.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value == null || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) el.addEventListener(event, act);
    else if (name === 'text') el.textContent = value;
    else if (name === 'value' && 'value' in el) el.value = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child != null && child !== false) el.append(child);
  return el;
}

const ICONS = {
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  image: 'M2 3h12v10H2zM2 11l4-4 3 3 2-2 3 3M10.5 6h.01',
  link: 'M7 9a3 3 0 004 0l2-2a3 3 0 00-4-4L8 4M9 7a3 3 0 00-4 0L3 9a3 3 0 004 4l1-1',
  grip: 'M6 4h.01M6 8h.01M6 12h.01M10 4h.01M10 8h.01M10 12h.01',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  sound: 'M3 6v4h2.5L9 13V3L5.5 6zM11.5 6a3 3 0 010 4M13 4a6 6 0 010 8',
  fold: 'M6 4l4 4-4 4',
  stop: 'M8 2a6 6 0 100 12A6 6 0 008 2zM6 6h4v4H6z',
  undo: 'M3.5 6.5H10a3.5 3.5 0 010 7H6M6.5 3.5l-3 3 3 3',
  redo: 'M12.5 6.5H6a3.5 3.5 0 000 7h4M9.5 3.5l3 3-3 3',
  split: 'M8 2v12M2.5 5.5h3v5h-3zM10.5 5.5h3v5h-3z',
  bookmark: 'M4.5 2.5h7v11L8 10.5l-3.5 3z',
  pencil: 'M3 13l.7-2.9 7.2-7.2 2.2 2.2-7.2 7.2z',
  bin: 'M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5',
  search: 'M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.3 10.3l3.2 3.2',
  film: 'M2.5 3h11v10h-11zM5.5 3v10M10.5 3v10M2.5 6.3h3M2.5 9.7h3M10.5 6.3h3M10.5 9.7h3',
  chevron: 'M4.5 6.5L8 10l3.5-3.5',
  warn: 'M8 2.5L14.5 13.5h-13zM8 6.5v3M8 11.6v.01',
};

/**
 * Keeps Jupyter's shortcuts out of a view: else Shift+Enter in a field runs the cell in Notebook 7, and in Lab's
 * command mode the arrows fold cells where they should choose an aspect or a length.
 * @param {HTMLElement} el
 */
export function ownKeys(el) {
  el.dataset.lmSuppressShortcuts = 'true';
  el.addEventListener('keydown', (event) => event.stopPropagation());
}

/** @param {keyof typeof ICONS} name @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `kn-icon kn-icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A small button that is only an icon; `label` is its name for whoever cannot see it.
 * @param {keyof typeof ICONS} name @param {string} label @param {(event: MouseEvent) => void} act
 */
export function iconButton(name, label, act, extra = '') {
  return h('button', { type: 'button', class: `kn-icon-button ${extra}`, 'aria-label': label, title: label, on: { click: act } }, icon(name));
}

/**
 * Shows a list: keeps the component of each key, makes new ones, drops old ones, and puts them in order. Where what had
 * the focus is dropped, `land` takes it: it is given what stands there now, or null in an empty list.
 * @template T
 * @param {HTMLElement} box
 * @param {(item: T, index: number) => {el: HTMLElement, paint: (item: T, index: number) => void}} make
 * @param {(item: T, index: number) => string|number} keyOf
 * @param {(neighbour: Element|null) => void} [land]
 */
export function keyedList(box, make, keyOf, land = () => {}) {
  /** @type {Map<string|number, {el: HTMLElement, paint: (item: T, index: number) => void}>} */
  const parts = new Map();
  return (/** @type {T[]} */ items) => {
    const keys = items.map(keyOf);
    const focused = /** @type {HTMLElement|null} */ (box.ownerDocument.activeElement);
    const at = placeWithin(box, focused);
    for (const [key, part] of parts) if (!keys.includes(key)) { part.el.remove(); parts.delete(key); }
    let here = box.firstElementChild;
    items.forEach((item, index) => {
      const key = keys[index];
      const part = parts.get(key) ?? make(item, index);
      parts.set(key, part);
      if (part.el === here) here = here.nextElementSibling;
      else box.insertBefore(part.el, here);
      part.paint(item, index);
    });
    if (at < 0 || focused === box.ownerDocument.activeElement) return;
    if (box.contains(focused)) focused?.focus();
    else land(neighbourIn(box, at));
  };
}

/** Which child of a box has something in it; -1 for none. @param {Element} box @param {Node|null} node */
export function placeWithin(box, node) {
  return [...box.children].findIndex((child) => child.contains(node));
}

/** What stands in a box where something was, or before that at its end. @param {Element} box @param {number} at @returns {Element|null} */
export function neighbourIn(box, at) {
  return box.children[Math.min(at, box.children.length - 1)] ?? null;
}

/** A new id, unique on this machine. @returns {string} */
export function freshId() {
  return globalThis.crypto?.randomUUID?.() ?? Math.random().toString(36).slice(2) + Date.now().toString(36);
}

/** The id of this page; a reload makes another. @returns {string} */
export function pageId() {
  const page = /** @type {{__kling_nb_page?: string}} */ (globalThis);
  page.__kling_nb_page ??= freshId();
  return page.__kling_nb_page;
}
