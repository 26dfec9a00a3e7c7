import { actionButton, h, iconButton, keyedList, newId } from './dom.js';
import { icon } from './icons.js';
import { imageSlot, imageStrip, oneOf, uploadSources } from './images.js';
import { libraryMenu, nameInput } from './library.js';
import { reorder } from './mentions.js';
import { moveItem } from './timing.js';

/** The elements: characters or objects, each with a frontal image and up to three more views. @param {Shared & {clips: ReturnType<typeof import('./clippicker.js').clipPicker>}} shared */
export function elementList({ model, store, labels, problemPlace, kernel, showError, rewrite, clips }) {
  const elements = () => store.draft.elements;
  const change = (/** @type {number} */ index, /** @type {Partial<DraftElement>} */ fields) => store.edit({ elements: elements().map((element, i) => (i === index ? { ...element, ...fields } : element)) });
  const list = h('div', { class: 'kn-elements', role: 'list' });
  const append = () => store.edit({ elements: [...elements(), { frontal_image_url: null, reference_image_urls: [], id: newId() }] });
  const adder = actionButton('add-element', append, {}, icon('plus'), 'Add element');
  const insert = async (/** @type {string} */ name) => {
    try {
      const { element } = await kernel.ask('insert', { name });
      store.edit({ elements: [...elements(), { ...element, name, id: newId() }] });
    } catch (error) {
      showError(error.message, 'Could not add the element.');
    }
  };
  const library = libraryMenu({ model, type: 'element', title: 'From the library', emptyText: 'No saved elements yet. Save one to use it in every notebook that shares this log.', load: insert });
  const el = h('div', { class: 'kn-field', 'data-field': 'elements' }, list, problemPlace('elements'), h('div', { class: 'kn-elements-end' }, adder, library.button), library.el);

  const makeElement = () => {
    let at = 0;
    const title = h('b', { class: 'kn-element-name' });
    const front = imageSlot({ title: 'Front view', labels, set: (key) => change(at, { frontal_image_url: key }),
      add: (sources) => uploadSources(oneOf(sources), kernel, front.uploads, (key) => change(at, { frontal_image_url: key }), showError) });
    const images = () => elements()[at].reference_image_urls;
    const views = imageStrip({ nameOf: (i) => `View ${i + 1}`, labels, max: 3, addText: 'Add views',
      move: (from, to) => change(at, { reference_image_urls: moveItem(images(), from, to) }),
      remove: (i) => change(at, { reference_image_urls: images().filter((_, n) => n !== i) }),
      add: (sources) => uploadSources(sources, kernel, views.uploads, (key) => change(at, { reference_image_urls: [...images(), key] }), showError) });
    const place = problemPlace('elements.0');
    const naming = nameInput({ label: 'Element name', cancel: () => { naming.el.hidden = true; save.focus(); }, buttonText: (name) => (library.names().includes(name) ? 'Replace' : 'Save'),
      submit: (name) => {
        const { frontal_image_url, reference_image_urls } = elements()[at];
        model.send({ kind: 'save', type: 'element', name, draft: { elements: [{ frontal_image_url, reference_image_urls }] } });
        naming.el.hidden = true;
        change(at, { name });
        save.focus();
      } });
    naming.el.hidden = true;
    const save = iconButton('save-element', 'bookmark', 'Save to library', () => { model.send({ kind: 'library' }); naming.el.hidden = !naming.el.hidden; if (!naming.el.hidden) naming.begin(elements()[at].name); });
    const remove = iconButton('remove-element', 'close', 'Remove element', () => {
      const changed = reorder(elements(), 'Element', at, null);
      store.edit({ ...rewrite(changed.rewrite), elements: changed.list });
    });
    const card = h('div', { class: 'kn-element kn-field', role: 'listitem' }, h('div', { class: 'kn-element-head' }, title, save, remove), naming.el, h('div', { class: 'kn-element-body' }, clips.below(front, 'Front view', (key) => change(at, { frontal_image_url: key })), views.el), place);
    return { el: card, paint: (/** @type {DraftElement} */ item, /** @type {number} */ index) => {
      at = index;
      title.textContent = [`@Element${index + 1}`, item.name].filter(Boolean).join(' · ');
      save.disabled = !item.frontal_image_url;
      place.dataset.problems = `elements.${index}`;
      front.paint(item.frontal_image_url);
      views.paint(item.reference_image_urls);
    } };
  };
  const paintList = keyedList(list, makeElement, (element, i) => element.id ?? `at-${i}`,
    (element) => /** @type {HTMLElement} */ (element?.querySelector('.kn-slot-face') ?? adder).focus());
  return { el, close: library.close, paint: (/** @type {Draft} */ draft) => paintList(draft.elements) };
}
