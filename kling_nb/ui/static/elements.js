import { h, icon, iconButton, keyedList, freshId } from './dom.js';
import { keptMenu, nameLine } from './kept.js';
import { rearranged } from './mentions.js';
import { bringIn, pictureSlot, pictureStrip } from './pictures.js';
import { movedItem } from './timing.js';

/** The elements: each a character or object with a frontal picture and up to three further views. @param {Shared} shared */
export function elementList({ model, desk, labels, faults, courier, failed, rewrite }) {
  const now = () => desk.draft.elements;
  const change = (/** @type {number} */ index, /** @type {Partial<DraftElement>} */ fields) => desk.edit({ elements: now().map((element, i) => (i === index ? { ...element, ...fields } : element)) });
  const list = h('div', { class: 'kn-elements', role: 'list' });
  const add = () => desk.edit({ elements: [...now(), { frontal_image_url: null, reference_image_urls: [], id: freshId() }] });
  const adder = h('button', { type: 'button', class: 'kn-quiet', on: { click: add } }, icon('plus'), 'Add element');
  const insert = async (/** @type {string} */ name) => {
    try {
      const { element } = await courier.ask('insert', { name });
      desk.edit({ elements: [...now(), { ...element, name, id: freshId() }] });
    } catch (fault) {
      failed(fault.message, 'The element was not added.');
    }
  };
  const library = keptMenu({ model, what: 'element', title: 'From the library', none: 'No saved elements yet. Save one to use it in every notebook that shares this log.', take: insert });
  const el = h('div', { class: 'kn-field' }, list, faults('elements'), h('div', { class: 'kn-elements-end' }, adder, library.button), library.el);

  const makeElement = () => {
    let at = 0;
    const title = h('b', { class: 'kn-element-name' });
    const front = pictureSlot({ title: 'Front view', labels, set: (key) => change(at, { frontal_image_url: key }),
      bring: ({ files, places }) => bringIn({ files: files.slice(0, 1), places: places.slice(0, 1) }, courier, front.coming, (key) => change(at, { frontal_image_url: key }), failed) });
    const angles = () => now()[at].reference_image_urls;
    const views = pictureStrip({ noun: (i) => `View ${i + 1}`, labels, most: 3, add: 'Add views',
      move: (from, to) => change(at, { reference_image_urls: movedItem(angles(), from, to) }),
      remove: (i) => change(at, { reference_image_urls: angles().filter((_, n) => n !== i) }),
      bring: (brought) => bringIn(brought, courier, views.coming, (key) => change(at, { reference_image_urls: [...angles(), key] }), failed) });
    const place = faults('elements.0');
    const keeping = nameLine({ label: 'Element name', away: () => { keeping.el.hidden = true; keep.focus(); }, words: (name) => (library.names().includes(name) ? 'Replace' : 'Save'),
      act: (name) => {
        const { frontal_image_url, reference_image_urls } = now()[at];
        model.send({ kind: 'save', type: 'element', name, draft: { elements: [{ frontal_image_url, reference_image_urls }] } });
        keeping.el.hidden = true;
        change(at, { name });
        keep.focus();
      } });
    keeping.el.hidden = true;
    const keep = iconButton('bookmark', 'Save to library', () => { model.send({ kind: 'library' }); keeping.el.hidden = !keeping.el.hidden; if (!keeping.el.hidden) keeping.begin(now()[at].name); });
    const off = iconButton('close', 'Remove element', () => {
      const { list: rest, texts } = rearranged(now(), 'Element', at, null);
      desk.edit({ ...rewrite(texts), elements: rest });
    });
    const card = h('div', { class: 'kn-element kn-field', role: 'listitem' }, h('div', { class: 'kn-element-head' }, title, keep, off), keeping.el, h('div', { class: 'kn-element-body' }, front.el, views.el), place);
    return { el: card, paint: (/** @type {DraftElement} */ item, /** @type {number} */ index) => {
      at = index;
      title.textContent = [`@Element${index + 1}`, item.name].filter(Boolean).join(' · ');
      keep.disabled = !item.frontal_image_url;
      place.dataset.faults = `elements.${index}`;
      front.paint(item.frontal_image_url);
      views.paint(item.reference_image_urls);
    } };
  };
  const paintList = keyedList(list, makeElement, (element, i) => element.id ?? `at-${i}`,
    (element) => /** @type {HTMLElement} */ (element?.querySelector('.kn-slot-face') ?? adder).focus());
  return { el, close: library.close, paint: (/** @type {Draft} */ draft) => paintList(draft.elements) };
}
