import { h } from './dom.js';

/** What a picture's rules have against it, on the picture itself, with the offer to mend it where there is one. */
export function ruleMark() {
  /** @type {string|null} */
  let key = null;
  const words = h('span', {});
  const offer = h('button', { type: 'button', class: 'kn-small', text: 'Fit', on: { click: (event) => {
    event.stopPropagation();
    el.dispatchEvent(new CustomEvent('kn-problem-count', { bubbles: true, detail: key }));
  } } });
  const el = h('div', { class: 'kn-rule', hidden: true }, words, offer);
  return { el, paint: (/** @type {string|null} */ now, /** @type {Label|undefined} */ label) => {
    key = now;
    const rules = label?.rules ?? [];
    el.hidden = !rules.length;
    el.dataset.level = label?.blocked ? 'error' : 'warning';
    words.textContent = rules.join(', ');
    words.title = label?.fixable ? '' : 'Images are never enlarged. Use a larger image.';
    offer.hidden = !label?.fixable;
    offer.setAttribute('aria-label', `Fit ${label?.name ?? 'the image'}: ${rules.join(', ')}`);
  } };
}

/**
 * What of a draft changes when one picture takes the place of another.
 * @param {Draft} draft @param {Pick<Spec, 'name'|'kind'>[]} specs of the fields @param {string} old @param {string} now @returns {Partial<Draft>}
 */
export function withPicture(draft, specs, old, now) {
  const swapped = (/** @type {any} */ value) => (value === old ? now : value);
  /** @type {Record<string, (value: any) => any>} */
  const kinds = {
    image: swapped,
    images: (keys) => keys.map(swapped),
    elements: (elements) => elements.map((/** @type {DraftElement} */ element) => ({ ...element, frontal_image_url: swapped(element.frontal_image_url), reference_image_urls: element.reference_image_urls.map(swapped) })),
  };
  return Object.fromEntries(specs.filter(({ kind, name }) => kind in kinds && draft[name] != null).map(({ kind, name }) => [name, kinds[kind](draft[name])]));
}

/**
 * What a picture of a draft is called there; '' when the draft has it not.
 * @param {Draft} draft @param {Pick<Spec, 'name'|'kind'|'title'>[]} specs of the fields @param {string} key
 */
export function placeOf(draft, specs, key) {
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
 * Shows a picture before and after its mend, at the field that it belongs to; one click takes the mended one. It goes
 * when its picture does.
 * @param {{root: HTMLElement} & Pick<Shared, 'desk'|'labels'|'courier'|'failed'|'form'>} spec
 */
export function mendBox({ root, desk, labels, courier, failed, form }) {
  /** @type {string|null} the picture that it is for */
  let key = null;
  const title = h('b', { class: 'kn-fit-title' });
  const box = h('div', { class: 'kn-fit', role: 'group', 'aria-label': 'Fit image', 'aria-live': 'polite' });
  /** @param {string} heading @param {MendSide} side @param {string[]} steps */
  const side = (heading, { uri, text, rules }, steps) => h('figure', { class: 'kn-fit-side' },
    h('div', { class: 'kn-fit-image' }, uri ? h('img', { src: uri, alt: heading }) : null),
    h('figcaption', {}, h('b', { text: heading }), h('span', { text }), rules ? h('span', { class: 'kn-fit-rules', text: rules }) : null, ...steps.map((step) => h('span', { text: step }))));
  /** @param {string} old @param {{key: string, before: MendSide, after: MendSide, steps: string[]}} reply */
  const show = (old, reply) => {
    const take = h('button', { type: 'button', class: 'kn-small kn-strong', text: 'Use fitted image', on: { click: () => { close(); desk.edit(withPicture(desk.draft, form().specs, old, reply.key)); focusOn(reply.key); } } });
    const leave = h('button', { type: 'button', class: 'kn-quiet', text: 'Keep original', on: { click: () => { close(); focusOn(old); } } });
    box.replaceChildren(title, h('div', { class: 'kn-fit-sides' }, side('Original', reply.before, []), h('span', { class: 'kn-arrow', 'aria-hidden': 'true', text: '→' }), side('Fitted', reply.after, reply.steps)),
      h('div', { class: 'kn-fit-buttons' }, take, leave));
    take.focus({ preventScroll: true });
  };
  const focusOn = (/** @type {string} */ picture) => /** @type {HTMLElement|null} */ (root.querySelector(`[data-picture=${CSS.escape(picture)}]`))?.focus();
  const close = () => {
    const field = box.contains(document.activeElement) ? box.closest('.kn-field') : null;
    key = null;
    box.remove();
    /** @type {HTMLElement|null|undefined} */ (field?.querySelector('.kn-tile, .kn-slot-face, .kn-add-tile'))?.focus();
  };
  const paint = (/** @type {Draft} */ draft) => {
    if (!key || !form()) return;
    const place = placeOf(draft, form().specs, key);
    if (!place) { close(); return; }
    title.textContent = [place, labels()[key]?.name].filter(Boolean).join(' · ');
  };
  desk.listen(paint);
  root.addEventListener('kn-problem-count', async (asked) => {
    const event = /** @type {CustomEvent<string> & {target: HTMLElement}} */ (asked);
    key = event.detail;
    paint(desk.draft);
    box.replaceChildren(title, h('p', { text: 'Fitting…' }));
    event.target.closest('.kn-field')?.append(box);
    try {
      const reply = await courier.ask('fit', { key: event.detail });
      if (key === event.detail) show(event.detail, reply); // else: it has gone, or another was asked for since
    } catch (fault) {
      if (key === event.detail) close();
      failed(fault.message, 'The image could not be fitted.');
    }
  });
}
