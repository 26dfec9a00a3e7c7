import { icon } from './icons.js';

/**
 * Attributes; `on` holds listeners, `text` the text content. Null and false are left out.
 * @typedef {{on?: {[E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void}, text?: string, [name: string]: any}} Props
 * @typedef {Node|string|null|undefined|false} Child
 */

/**
 * Create an element.
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

/**
 * A button. `action` becomes `data-action`, by which tests and other code find it regardless of its text.
 * @param {string} action @param {(event: MouseEvent) => void} act @param {Props} [props] @param {...Child} children
 */
export function actionButton(action, act, props = {}, ...children) {
  return h('button', { type: 'button', class: 'kn-quiet', 'data-action': action, on: { click: act }, ...props }, ...children);
}

/**
 * A small button that shows only an icon; `label` is its name and its tooltip.
 * @param {string} action @param {import('./icons.js').IconName} name @param {string} label @param {(event: MouseEvent) => void} act @param {string} [extra] more classes
 */
export function iconButton(action, name, label, act, extra = '') {
  return actionButton(action, act, { class: `kn-icon-button ${extra}`.trim(), 'aria-label': label, title: label }, icon(name));
}

/**
 * Keep Jupyter's shortcuts out of a view. Otherwise Shift+Enter in a field runs the cell in Notebook 7, and in Lab's
 * command mode the arrow keys fold cells instead of choosing an aspect ratio.
 * @param {HTMLElement} el
 */
export function blockShortcuts(el) {
  el.dataset.lmSuppressShortcuts = 'true';
  el.addEventListener('keydown', (event) => event.stopPropagation());
}

/**
 * Return a function that shows a list in a box. It keeps the component of each key, makes new ones, drops old ones and
 * puts them in order. If the focused component is dropped, `onFocusLost` receives its neighbour, or null.
 * @template T
 * @param {HTMLElement} box
 * @param {(item: T, index: number) => {el: HTMLElement, paint: (item: T, index: number) => void}} make
 * @param {(item: T, index: number) => string|number} keyOf
 * @param {(neighbour: Element|null) => void} [onFocusLost]
 */
export function keyedList(box, make, keyOf, onFocusLost = () => {}) {
  /** @type {Map<string|number, {el: HTMLElement, paint: (item: T, index: number) => void}>} */
  const parts = new Map();
  return (/** @type {T[]} */ items) => {
    const keys = items.map(keyOf);
    const focused = /** @type {HTMLElement|null} */ (box.ownerDocument.activeElement);
    const at = childIndex(box, focused);
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
    else onFocusLost(neighbourAt(box, at));
  };
}

/** The index of the child that contains a node, or -1. @param {Element} box @param {Node|null} node */
export function childIndex(box, node) {
  return [...box.children].findIndex((child) => child.contains(node));
}

/** The child that replaced a removed one; the last child if the removed one was at the end. @param {Element} box @param {number} at @returns {Element|null} */
export function neighbourAt(box, at) {
  return box.children[Math.min(at, box.children.length - 1)] ?? null;
}

/** A new id, unique on this machine. @returns {string} */
export function newId() {
  return globalThis.crypto?.randomUUID?.() ?? Math.random().toString(36).slice(2) + Date.now().toString(36);
}

/** The id of this page; it changes when the page is reloaded. @returns {string} */
export function pageId() {
  const page = /** @type {{__kling_nb_page?: string}} */ (globalThis);
  page.__kling_nb_page ??= newId();
  return page.__kling_nb_page;
}
