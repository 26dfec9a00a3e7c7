import { h } from './dom.js';

const NOTE_SHOWN = 12000; // ms that the sentence stays

/**
 * Shows where the panel was changed from outside: opens that part, scrolls to it and names the change in a sentence.
 * @param {Model} model @param {HTMLElement} root
 */
export function arrivals(model, root) {
  const note = h('p', { class: 'kn-arrived-note', role: 'status' });
  let timer = 0;
  const show = (/** @type {string} */ field, /** @type {string} */ text) => {
    const name = CSS.escape(field);
    const place = /** @type {HTMLElement|null} */ (root.querySelector(`.kn-slot[data-slot="${name}"]`) ?? root.querySelector(`[data-field="${name}"]:not([hidden])`) ?? root.querySelector('.kn-sheet'));
    if (!place) return;
    place.closest('details')?.setAttribute('open', '');
    note.textContent = text;
    (place.closest('.kn-field') ?? place).append(note);
    highlight(place);
    /** @type {HTMLElement|null} */ (place.querySelector('button, textarea'))?.focus({ preventScroll: true });
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), NOTE_SHOWN);
  };
  const onMessage = (/** @type {Incoming|null} */ message) => { if (message?.kind === 'arrived') show(message.field, message.text); };
  model.on('msg:custom', onMessage);
  return { close: () => { clearTimeout(timer); model.off('msg:custom', onMessage); } };
}

/** Scroll to an element and mark it for a moment. @param {HTMLElement} el */
export function highlight(el) {
  el.classList.remove('kn-arrived');
  void el.offsetWidth; // starts the animation again
  el.classList.add('kn-arrived');
  setTimeout(() => el.classList.remove('kn-arrived'), 3000);
  el.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
}
