import { h, icon } from './dom.js';
import { rearranged } from './mentions.js';
import { bringIn, pictureStrip } from './pictures.js';

/** The reference pictures, @Image1 and on, with a line for an address or a path. @param {Shared} shared */
export function referenceList({ desk, labels, faults, courier, failed, rewrite }) {
  const say = h('div', { class: 'kn-unseen', 'aria-live': 'polite' });
  const take = (/** @type {string} */ key) => desk.edit({ input_image: [...desk.draft.input_image, key] });
  const bring = (/** @type {Brought} */ brought) => bringIn(brought, courier, strip.coming, take, failed);
  const rearrange = (/** @type {number} */ from, /** @type {number|null} */ to) => {
    const { list, texts } = rearranged(desk.draft.input_image, 'Image', from, to);
    say.textContent = to == null ? `@Image${from + 1} was removed.` : `@Image${from + 1} is now @Image${to + 1}.`;
    desk.edit({ ...rewrite(texts), input_image: list });
  };
  const strip = pictureStrip({ noun: (i) => `@Image${i + 1}`, labels, most: 7, add: 'Add pictures', move: rearrange, remove: (i) => rearrange(i, null), bring });

  const line = h('input', { type: 'text', class: 'kn-line', placeholder: 'or a URL, or a path – then Enter', 'aria-label': 'Address or path of a picture', spellcheck: 'false' });
  const placeLine = () => {
    const place = line.value.trim();
    if (!place) return;
    line.value = '';
    bring({ files: [], places: [place] });
  };
  line.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); placeLine(); } });
  const el = h('div', { class: 'kn-field kn-references' },
    h('div', { class: 'kn-label-line' }, h('span', { class: 'kn-label', text: 'References' }), h('label', { class: 'kn-line-box' }, icon('link'), line)),
    strip.el, faults('input_image'), say);
  return { el, bring, strip, paint: (/** @type {Draft} */ draft) => strip.paint(draft.input_image) };
}
