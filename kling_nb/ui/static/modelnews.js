import { h, icon, iconButton } from './dom.js';
import { faultPlace } from './faultline.js';
import { chooseModel } from './modelpicker.js';
import { countWords } from './words.js';

/** What there is to say of the model on the screen: that it is gone, that its form has changed, what was put aside. @param {Pick<Shared, 'model'|'desk'>} shared */
export function modelNews({ model, desk }) {
  const instead = h('div', { class: 'kn-alternatives' });
  const gone = h('div', { class: 'kn-unavailable kn-field', role: 'group', 'aria-label': 'Model not available', hidden: true }, faultPlace('model'), instead);
  const changes = listBox('Model changes');
  const aside = listBox('Unused fields');
  const el = h('div', { class: 'kn-model-notices', hidden: true }, gone, changes.el, aside.el);
  const title = () => model.get('forms')?.[desk.draft.model]?.title ?? desk.draft.model;

  const paint = () => {
    const news = model.get('news')?.[desk.draft.model] ?? { gone: false, changes: [], alternatives: [] };
    gone.hidden = !news.gone;
    paintInstead(news.alternatives);
    changes.paint(`${title()} has changed since this release of kling_nb`, news.changes.map((text) => splitOnce(text)));
    const left = model.get('aside') ?? [];
    aside.paint(`${countWords(left.length, 'field')} not supported by this model and not sent`, left.map(({ name, text }) => /** @type {[string, string]} */ ([name, text])));
    el.hidden = gone.hidden && changes.el.hidden && aside.el.hidden;
  };
  const paintInstead = (/** @type {Traits['news'][string]['alternatives']} */ choices) => {
    const key = JSON.stringify(choices);
    if (instead.dataset.key === key) return;
    instead.dataset.key = key;
    const [first, ...others] = choices;
    /** @param {Traits['news'][string]['alternatives'][number]} choice @param {string} text @param {string} extra */
    const button = (choice, text, extra = '') => h('button', { type: 'button', class: `kn-small ${extra}`, text, title: choice.unsupported.map(({ name, text: lost }) => `${name}: ${lost}`).join('\n'), on: { click: () => chooseModel(model, desk, choice.id) } });
    const rest = others.length ? h('div', { class: 'kn-alternative' }, h('span', { text: 'or' }), ...others.map((choice) => button(choice, choice.title))) : null;
    instead.replaceChildren(...(first ? [first] : []).map((choice) => h('div', { class: 'kn-alternative' },
      button(choice, `Switch to ${choice.title}`, 'kn-strong'),
      h('span', { text: choice.unsupported.length ? 'does not support:' : 'supports every field you set' }),
      choice.unsupported.length ? fieldList(choice.unsupported.map(({ name, text }) => /** @type {[string, string]} */ ([name, text]))) : null)), ...(rest ? [rest] : []));
  };
  /** @type {`change:${keyof Traits}`[]} */
  const watched = ['change:news', 'change:aside', 'change:forms'];
  for (const name of watched) model.on(name, paint);
  return { el, paint, close: () => { for (const name of watched) model.off(name, paint); } };
}

/** @param {string} text @returns {[string, string]} */
function splitOnce(text) {
  const at = text.indexOf(': ');
  return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 2)];
}

/** @param {[string, string][]} rows */
function fieldList(rows) {
  return h('ul', {}, ...rows.map(([name, text]) => h('li', {}, name ? h('code', { text: name }) : null, ` ${text}`)));
}

/** A folded list under a line of words; it can be put away until it says something else. @param {string} label */
function listBox(label) {
  const words = h('b', {});
  const body = h('div', {});
  const el = h('div', { class: 'kn-notice', role: 'note', 'aria-label': label, hidden: true }, h('div', {}, words, body), iconButton('close', 'Dismiss', () => { away = shown; el.hidden = true; }));
  let shown = '';
  let away = '';
  return { el, paint: (/** @type {string} */ text, /** @type {[string, string][]} */ rows) => {
    const key = JSON.stringify([text, rows]);
    if (key !== shown) {
      shown = key;
      words.textContent = text;
      body.replaceChildren(fieldList(rows));
    }
    el.hidden = !rows.length || away === key;
  } };
}
