import { h } from './dom.js';
import { imageStrip, locationInput, uploadSources } from './images.js';
import { areMentioned, reorder } from './mentions.js';

/**
 * A list of images, with an input for a URL or a path. Those of the only such field are @Image1, @Image2, … in prompts.
 * @param {Spec} spec @param {Shared & {clips: ReturnType<typeof import('./clippicker.js').clipPicker>}} shared
 */
export function referenceList({ name, title, max_items: max }, { store, labels, problemPlace, kernel, showError, rewrite, clips }) {
  const keys = () => /** @type {string[]} */ (store.draft[name] ?? []);
  const mentioned = () => areMentioned(name, store.draft);
  const nameOf = (/** @type {number} */ i) => (mentioned() ? `@Image${i + 1}` : `Image ${i + 1}`);
  const voice = h('div', { class: 'kn-sr-only', 'aria-live': 'polite' });
  const take = (/** @type {string} */ key) => store.edit({ [name]: [...keys(), key] });
  const add = (/** @type {Sources} */ sources, show = showError) => {
    for (const clear of [line.showError, showError]) clear('');
    return uploadSources(sources, kernel, strip.uploads, take, show);
  };
  const move = (/** @type {number} */ from, /** @type {number|null} */ to) => {
    const changed = reorder(keys(), 'Image', from, to);
    voice.textContent = to == null ? `${nameOf(from)} was removed.` : `${nameOf(from)} is now ${nameOf(to)}.`;
    store.edit({ ...(mentioned() ? rewrite(changed.rewrite) : {}), [name]: changed.list });
  };
  const strip = imageStrip({ nameOf, labels, max: max ?? Infinity, addText: 'Add images', move, remove: (i) => move(i, null), add });

  const line = locationInput('Image URL or path', (location) => add({ files: [], locations: [location] }, line.showError));
  const el = h('div', { class: 'kn-field kn-references', 'data-field': name },
    h('div', { class: 'kn-label-line' }, h('span', { class: 'kn-label', text: title }), clips.frame(title, take), line.el),
    strip.el, problemPlace(name), voice);
  return { el, add, paint: (/** @type {Draft} */ draft) => strip.paint(draft[name] ?? []) };
}
