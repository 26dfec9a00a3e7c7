import { actionButton, h } from './dom.js';
import { icon } from './icons.js';

const ASK_PAUSE = 400; // ms after the last change

/**
 * The same request for several models: each with its price, its time, and the fields that it does not support. One click starts all.
 * @param {Pick<Shared, 'model'|'store'|'kernel'>} shared
 */
export function severalModels({ model, store, kernel }) {
  const list = h('div', { class: 'kn-several-list', role: 'group', 'aria-label': 'Models' });
  const run = actionButton('run-models', () => start(), { class: 'kn-small kn-strong', disabled: true, text: 'Choose two models or more' });
  const confirm = actionButton('confirm-models', () => start(true), { class: 'kn-small', hidden: true, text: 'Yes, generate' });
  const status = h('span', { class: 'kn-soft', role: 'status' });
  const el = h('div', { class: 'kn-library', role: 'group', 'aria-label': 'Several models', hidden: true }, list, h('div', { class: 'kn-script-end' }, run, confirm, status));
  const button = actionButton('open-several', () => open(Boolean(el.hidden)), { 'aria-expanded': 'false', title: 'The same request for several models' }, icon('side'), 'Several models');
  /** @type {Set<string>} */
  const chosen = new Set();
  /** @type {Map<string, HTMLElement>} */
  const texts = new Map();
  let asked = 0;
  let timer = 0;
  let offered = '';

  const open = (/** @type {boolean} */ on) => {
    el.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (!on) return;
    chosen.add(store.draft.model);
    paint();
    askSoon();
  };
  const paint = () => {
    const models = (model.get('catalogue')?.models ?? []).filter((each) => each.makes === 'video');
    const current = store.draft.model;
    texts.clear();
    list.replaceChildren(...[...models.filter((each) => each.id === current), ...models.filter((each) => each.id !== current)].map((each) => {
      const text = h('small', { text: each.price });
      texts.set(each.id, text);
      const box = h('input', { type: 'checkbox', 'data-model': each.id, on: { change: () => { if (box.checked) chosen.add(each.id); else chosen.delete(each.id); askSoon(); } } });
      box.checked = chosen.has(each.id);
      return h('label', { class: 'kn-several-model' }, box, h('b', { text: each.title }), text);
    }));
  };
  const question = () => ({ models: [...chosen], draft: store.draft });
  const askSoon = () => {
    run.disabled = true;
    confirm.hidden = true;
    run.textContent = chosen.size < 2 ? 'Choose two models or more' : 'Checking…';
    clearTimeout(timer);
    if (chosen.size > 1) timer = setTimeout(ask, ASK_PAUSE);
  };
  const ask = async () => {
    const mine = ++asked;
    try {
      store.flush();
      const reply = await kernel.ask('models', question());
      if (mine !== asked) return;
      for (const [id, text] of texts) text.textContent = chosen.has(id) ? reply.texts[id] ?? '' : (model.get('catalogue')?.models ?? []).find((each) => each.id === id)?.price ?? '';
      status.textContent = reply.errors.join(' · ');
      offered = reply.button;
      run.textContent = reply.button;
      run.disabled = reply.errors.length > 0;
    } catch (error) {
      if (mine === asked) { status.textContent = error.message; run.textContent = 'Not possible'; }
    }
  };
  const start = async (confirmed = false) => {
    run.disabled = true;
    confirm.hidden = true;
    status.textContent = 'Sending…';
    try {
      const reply = await kernel.ask('run_models', { ...question(), button: offered, confirmed });
      status.textContent = reply.question ?? reply.text;
      confirm.hidden = !reply.question;
      if (!reply.question) run.textContent = 'Started'; // until the next change
    } catch (error) {
      status.textContent = error.message;
      askSoon();
    }
  };
  for (const part of /** @type {HTMLElement[]} */ ([button, el])) {
    part.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !el.hidden) { event.stopPropagation(); open(false); button.focus(); } });
  }
  const onCatalogue = () => { if (!el.hidden) paint(); };
  model.on('change:catalogue', onCatalogue);
  store.listen(() => { if (!el.hidden) askSoon(); });
  return { el, button, close: () => { clearTimeout(timer); model.off('change:catalogue', onCatalogue); } };
}
