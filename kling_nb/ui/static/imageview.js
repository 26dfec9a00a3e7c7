import { actionButton, h, iconButton } from './dom.js';
import { imageName, withImage } from './imagefit.js';
import { chooseFiles } from './images.js';

/**
 * Shows one image of the draft large, below its field: rotate it, crop it to the aspect ratio, or replace it. Closes when the image is removed.
 * @param {{root: HTMLElement} & Pick<Shared, 'store'|'labels'|'kernel'|'showError'|'form'>} spec
 */
export function imageView({ root, store, labels, kernel, showError, form }) {
  /** @type {string|null} */
  let key = null;
  const title = h('b', {});
  const note = h('span', { class: 'kn-view-note' });
  const picture = h('img', { class: 'kn-view-image', alt: '', draggable: 'false' });
  const crop = actionButton('crop-image', () => change({ crop: store.draft.aspect_ratio }), { class: 'kn-small' });
  const tools = h('div', { class: 'kn-view-tools' },
    actionButton('turn-left', () => change({ turn: -90 }), { class: 'kn-small', text: 'Turn left' }),
    actionButton('turn-right', () => change({ turn: 90 }), { class: 'kn-small', text: 'Turn right' }),
    crop,
    actionButton('replace-image', () => chooseFiles(false, ([file]) => putFile(file)), { class: 'kn-small', text: 'Replace…' }));
  const shut = iconButton('close', 'close', 'Close', () => close());
  const box = h('div', { class: 'kn-view', role: 'group', 'aria-label': 'Image', on: { keydown: (event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } } } },
    h('div', { class: 'kn-view-head' }, title, note, shut), picture, tools);

  const place = (/** @type {string} */ image) => /** @type {HTMLElement|null} */ (root.querySelector(`[data-image=${CSS.escape(image)}]`));
  const close = () => {
    const image = key;
    const inside = box.contains(document.activeElement);
    key = null;
    box.remove();
    if (inside && image) place(image)?.focus();
  };
  /** Replace the image with another. @param {string} next */
  const put = (next) => {
    if (!key) return;
    const old = key;
    key = next; // first: the edit is painted at once, and an image that is not in the draft closes the view
    store.edit(withImage(store.draft, form().specs, old, next));
    show();
  };
  const attempt = async (/** @type {() => Promise<string>} */ make) => {
    try {
      put(await make());
    } catch (error) {
      showError(error.message, 'Could not change the image.');
    }
  };
  const change = (/** @type {Record<string, unknown>} */ how) => attempt(async () => (await kernel.ask('edit_image', { key, ...how })).key);
  const putFile = (/** @type {File|undefined} */ file) => { if (file) attempt(() => kernel.upload(file, () => {})); };
  const show = async () => {
    const mine = key;
    if (!mine) return;
    paint(store.draft);
    try {
      const { uri, text } = await kernel.ask('image', { key: mine });
      if (key !== mine) return;
      picture.src = uri;
      note.textContent = text;
    } catch (error) {
      close();
      showError(error.message, 'Could not show the image.');
    }
  };
  const paint = (/** @type {Draft} */ draft) => {
    if (!key || !form()) return;
    const name = imageName(draft, form().specs, key);
    if (!name) { close(); return; }
    title.textContent = [name, labels()[key]?.name].filter(Boolean).join(' · ');
    crop.textContent = `Crop to ${draft.aspect_ratio}`;
    crop.hidden = !/^\d+:\d+$/.test(draft.aspect_ratio ?? '');
  };
  store.listen(paint);
  root.addEventListener('kn-open-image', (asked) => {
    const event = /** @type {CustomEvent<string> & {target: HTMLElement}} */ (asked);
    if (key === event.detail) { close(); return; }
    key = event.detail;
    picture.removeAttribute('src');
    event.target.closest('.kn-field')?.append(box);
    show();
    shut.focus({ preventScroll: true });
  });
}
