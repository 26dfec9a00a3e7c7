import { h } from './dom.js';

/** Says that the same request was made before, and shows that clip: nobody should pay twice by oversight. @param {Model} model */
export function beforeLine(model) {
  const poster = h('img', { alt: '' });
  const words = h('span', {});
  const show = h('button', { type: 'button', class: 'kn-quiet', text: 'Show', on: { click: () => model.send({ kind: 'show', id: model.get('earlier').id }) } });
  const el = h('div', { class: 'kn-earlier', role: 'status', hidden: true }, poster, words, show);
  const paint = () => {
    const { id, text, poster: uri, ended } = model.get('earlier');
    el.hidden = !id;
    words.textContent = text ?? '';
    poster.hidden = !uri;
    if (uri) poster.src = uri;
    show.hidden = !ended;
  };
  model.on('change:earlier', paint);
  paint();
  return { el, close: () => model.off('change:earlier', paint) };
}

/**
 * Asks once more before much is spent. `sure` sends it; the caret lands on the other button, so a second Enter does not pay.
 * @param {{sure: () => void, done: () => void}} acts
 */
export function sureBox({ sure, done }) {
  const question = h('span', {});
  const yes = h('button', { type: 'button', class: 'kn-primary', on: { click: () => { close(); sure(); } } });
  const no = h('button', { type: 'button', class: 'kn-secondary', text: 'Cancel', on: { click: () => { close(); done(); } } });
  const el = h('div', { class: 'kn-price-question', role: 'group', 'aria-label': 'Confirm the price', hidden: true, on: { keydown: (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
    done();
  } } }, question, h('div', { class: 'kn-buttons' }, no, yes));
  const close = () => { el.hidden = true; };
  const open = (/** @type {string} */ text, /** @type {string} */ price) => {
    question.textContent = text;
    yes.textContent = `Generate for ${price}`;
    el.hidden = false;
    no.focus();
  };
  return { el, open, close };
}
