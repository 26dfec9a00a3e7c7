import { actionButton, h } from './dom.js';

/** A badge on an image with the rules that it breaks, and a button to fit it to them if that is possible. */
export function ruleBadge() {
  /** @type {string|null} */
  let key = null;
  const text = h('span', {});
  const button = actionButton('fit-image', (event) => {
    event.stopPropagation();
    el.dispatchEvent(new CustomEvent('kn-fit-image', { bubbles: true, detail: key }));
  }, { class: 'kn-small', text: 'Fit' });
  const el = h('div', { class: 'kn-rule', hidden: true }, text, button);
  return { el, paint: (/** @type {string|null} */ next, /** @type {Label|undefined} */ label) => {
    key = next;
    const rules = label?.rules ?? [];
    el.hidden = !rules.length;
    el.dataset.level = label?.blocked ? 'error' : 'warning';
    text.textContent = rules.join(', ');
    text.title = label?.fixable ? '' : 'Images are never enlarged. Use a larger image.';
    button.hidden = !label?.fixable;
    button.setAttribute('aria-label', `Fit ${label?.name ?? 'the image'}: ${rules.join(', ')}`);
  } };
}

/**
 * The fields of a draft that change when one image replaces another.
 * @param {Draft} draft @param {Pick<Spec, 'name'|'kind'>[]} specs of the fields @param {string} old @param {string} key @returns {Partial<Draft>}
 */
export function withImage(draft, specs, old, key) {
  const swapped = (/** @type {any} */ value) => (value === old ? key : value);
  /** @type {Record<string, (value: any) => any>} */
  const kinds = {
    image: swapped,
    images: (keys) => keys.map(swapped),
    elements: (elements) => elements.map((/** @type {DraftElement} */ element) => ({ ...element, frontal_image_url: swapped(element.frontal_image_url), reference_image_urls: element.reference_image_urls.map(swapped) })),
  };
  return Object.fromEntries(specs.filter(({ kind, name }) => kind in kinds && draft[name] != null).map(({ kind, name }) => [name, kinds[kind](draft[name])]));
}

/**
 * The name of an image in a draft; '' if the draft does not have it.
 * @param {Draft} draft @param {Pick<Spec, 'name'|'kind'|'title'>[]} specs of the fields @param {string} key
 */
export function imageName(draft, specs, key) {
  for (const { kind, name, title } of specs) {
    const value = draft[name];
    if (kind === 'image' && value === key) return title;
    if (kind === 'images' && value?.includes(key)) return `${name === 'input_image' ? '@Image' : `${title} `}${value.indexOf(key) + 1}`;
    const element = kind === 'elements' ? (value ?? []).findIndex((/** @type {DraftElement} */ each) => [each.frontal_image_url, ...each.reference_image_urls].includes(key)) : -1;
    if (element >= 0) return `@Element${element + 1}`;
  }
  return '';
}

/**
 * Shows an image before and after it was fitted, below its field; one click uses the fitted one. Closes when the image
 * is removed.
 * @param {{root: HTMLElement} & Pick<Shared, 'store'|'labels'|'kernel'|'showError'|'form'>} spec
 */
export function fitBox({ root, store, labels, kernel, showError, form }) {
  /** @type {string|null} the image that is being fitted */
  let key = null;
  const title = h('b', { class: 'kn-fit-title' });
  const box = h('div', { class: 'kn-fit', role: 'group', 'aria-label': 'Fit image', 'aria-live': 'polite' });
  /** @param {string} heading @param {FitSide} side @param {string[]} steps */
  const side = (heading, { uri, text, rules }, steps) => h('figure', { class: 'kn-fit-side' },
    h('div', { class: 'kn-fit-image' }, uri ? h('img', { src: uri, alt: heading }) : null),
    h('figcaption', {}, h('b', { text: heading }), h('span', { text }), rules ? h('span', { class: 'kn-fit-rules', text: rules }) : null, ...steps.map((step) => h('span', { text: step }))));
  /** @param {string} old @param {{key: string, before: FitSide, after: FitSide, steps: string[]}} reply */
  const show = (old, reply) => {
    const use = actionButton('use-fitted', () => { close(); store.edit(withImage(store.draft, form().specs, old, reply.key)); focusImage(reply.key); }, { class: 'kn-small kn-strong', text: 'Use fitted image' });
    const keep = actionButton('keep-original', () => { close(); focusImage(old); }, { text: 'Keep original' });
    box.replaceChildren(title, h('div', { class: 'kn-fit-sides' }, side('Original', reply.before, []), h('span', { class: 'kn-arrow', 'aria-hidden': 'true', text: '→' }), side('Fitted', reply.after, reply.steps)),
      h('div', { class: 'kn-fit-buttons' }, use, keep));
    use.focus({ preventScroll: true });
  };
  const focusImage = (/** @type {string} */ image) => /** @type {HTMLElement|null} */ (root.querySelector(`[data-image=${CSS.escape(image)}]`))?.focus();
  const close = () => {
    const field = box.contains(document.activeElement) ? box.closest('.kn-field') : null;
    key = null;
    box.remove();
    /** @type {HTMLElement|null|undefined} */ (field?.querySelector('.kn-tile, .kn-slot-face, .kn-add-tile'))?.focus();
  };
  const paint = (/** @type {Draft} */ draft) => {
    if (!key || !form()) return;
    const name = imageName(draft, form().specs, key);
    if (!name) { close(); return; }
    title.textContent = [name, labels()[key]?.name].filter(Boolean).join(' · ');
  };
  store.listen(paint);
  root.addEventListener('kn-fit-image', async (asked) => {
    const event = /** @type {CustomEvent<string> & {target: HTMLElement}} */ (asked);
    key = event.detail;
    paint(store.draft);
    box.replaceChildren(title, h('p', { text: 'Fitting…' }));
    event.target.closest('.kn-field')?.append(box);
    try {
      const reply = await kernel.ask('fit', { key: event.detail });
      if (key === event.detail) show(event.detail, reply); // otherwise it was removed, or another one was asked for
    } catch (error) {
      if (key === event.detail) close();
      showError(error.message, 'Could not fit the image.');
    }
  });
}
