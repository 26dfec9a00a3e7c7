import { h } from './dom.js';
import { rearranged } from './mentions.js';
import { addressLine, bringIn, pictureStrip } from './pictures.js';

/**
 * A list of pictures, with a line for an address or a path. Those of `input_image` are @Image1 and on in the prompts.
 * @param {Spec} spec @param {Shared} shared
 */
export function referenceList({ name, title, max_items: many }, { desk, labels, faults, courier, failed, rewrite }) {
  const now = () => /** @type {string[]} */ (desk.draft[name] ?? []);
  const mentioned = name === 'input_image';
  const noun = (/** @type {number} */ i) => (mentioned ? `@Image${i + 1}` : `Image ${i + 1}`);
  const say = h('div', { class: 'kn-sr-only', 'aria-live': 'polite' });
  const take = (/** @type {string} */ key) => desk.edit({ [name]: [...now(), key] });
  const bring = (/** @type {Brought} */ brought, tell = failed) => {
    for (const place of [line.say, failed]) place('');
    return bringIn(brought, courier, strip.coming, take, tell);
  };
  const rearrange = (/** @type {number} */ from, /** @type {number|null} */ to) => {
    const { list, texts } = rearranged(now(), 'Image', from, to);
    say.textContent = to == null ? `${noun(from)} was removed.` : `${noun(from)} is now ${noun(to)}.`;
    desk.edit({ ...(mentioned ? rewrite(texts) : {}), [name]: list });
  };
  const strip = pictureStrip({ noun, labels, most: many ?? Infinity, add: 'Add images', move: rearrange, remove: (i) => rearrange(i, null), bring });

  const line = addressLine('Image URL or path', (place) => bring({ files: [], places: [place] }, line.say));
  const el = h('div', { class: 'kn-field kn-references' },
    h('div', { class: 'kn-label-line' }, h('span', { class: 'kn-label', text: title }), line.el),
    strip.el, faults(name), say);
  strip.el.dataset.field = name;
  return { el, bring, paint: (/** @type {Draft} */ draft) => strip.paint(draft[name] ?? []) };
}
