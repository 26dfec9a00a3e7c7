import { actionButton, h, iconButton } from './dom.js';
import { countText } from './format.js';
import { icon } from './icons.js';
import { chooseModel } from './modelpicker.js';
import { problemPlace } from './problems.js';

/** Lists the parts that a fill left out: code that was not understood, missing images. Shown until dismissed or filled again. @param {Model} model */
export function fillNotes(model) {
  const list = h('ul', {});
  const el = h('div', { class: 'kn-notice', role: 'note', 'aria-label': 'Not filled in', hidden: true }, icon('warn'),
    h('div', {}, h('b', { text: 'Not everything was filled in' }), list), iconButton('dismiss', 'close', 'Dismiss', () => { el.hidden = true; }));
  const paint = () => {
    const notes = model.get('notes') ?? [];
    list.replaceChildren(...notes.map((note) => h('li', { text: note })));
    el.hidden = !notes.length;
  };
  model.on('change:notes', paint);
  paint();
  return { el, close: () => model.off('change:notes', paint) };
}

/** Notices about the chosen model: not available, changed schema, fields it does not support. @param {Pick<Shared, 'model'|'store'>} shared */
export function modelNotices({ model, store }) {
  const alternatives = h('div', { class: 'kn-alternatives' });
  const unavailable = h('div', { class: 'kn-unavailable kn-field', role: 'group', 'aria-label': 'Model not available', hidden: true }, problemPlace('model'), alternatives);
  const changes = noticeList('Model changes');
  const unused = noticeList('Unused fields');
  const el = h('div', { class: 'kn-model-notices', hidden: true }, unavailable, changes.el, unused.el);
  const title = () => model.get('forms')?.[store.draft.model]?.title ?? store.draft.model;

  const paint = () => {
    const notices = model.get('model_notices')?.[store.draft.model] ?? { withdrawn: false, changes: [], alternatives: [] };
    unavailable.hidden = !notices.withdrawn;
    paintAlternatives(notices.alternatives);
    changes.paint(`${title()} has changed since this version of kling_nb was released`, notices.changes.map((text) => splitOnce(text)));
    const fields = model.get('unsupported') ?? [];
    unused.paint(`${countText(fields.length, 'field')} not sent: not supported by this model`, fields.map(({ name, text }) => /** @type {[string, string]} */ ([name, text])));
    el.hidden = unavailable.hidden && changes.el.hidden && unused.el.hidden;
  };
  const paintAlternatives = (/** @type {Traits['model_notices'][string]['alternatives']} */ choices) => {
    const key = JSON.stringify(choices);
    if (alternatives.dataset.key === key) return;
    alternatives.dataset.key = key;
    const [first, ...others] = choices;
    /** @param {Traits['model_notices'][string]['alternatives'][number]} choice @param {string} text @param {string} extra */
    const button = (choice, text, extra = '') => actionButton('switch-model', () => chooseModel(model, store, choice.id),
      { class: `kn-small ${extra}`, text, 'data-model': choice.id, title: choice.unsupported.map((field) => `${field.name}: ${field.text}`).join('\n') });
    alternatives.replaceChildren();
    if (first) alternatives.append(h('div', { class: 'kn-alternative' },
      button(first, `Switch to ${first.title}`, 'kn-strong'),
      h('span', { text: first.unsupported.length ? 'does not support:' : 'supports all your fields' }),
      first.unsupported.length ? fieldList(first.unsupported.map(({ name, text }) => /** @type {[string, string]} */ ([name, text]))) : null));
    if (others.length) alternatives.append(h('div', { class: 'kn-alternative' }, h('span', { text: 'or' }), ...others.map((choice) => button(choice, choice.title))));
  };
  /** @type {`change:${keyof Traits}`[]} */
  const watched = ['change:model_notices', 'change:unsupported', 'change:forms'];
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

/** A heading and a list of fields; once dismissed, hidden until it changes. @param {string} label */
function noticeList(label) {
  const heading = h('b', {});
  const body = h('div', {});
  const el = h('div', { class: 'kn-notice', role: 'note', 'aria-label': label, hidden: true }, h('div', {}, heading, body), iconButton('dismiss', 'close', 'Dismiss', () => { dismissed = shown; el.hidden = true; }));
  let shown = '';
  let dismissed = '';
  return { el, paint: (/** @type {string} */ text, /** @type {[string, string][]} */ rows) => {
    const key = JSON.stringify([text, rows]);
    if (key !== shown) {
      shown = key;
      heading.textContent = text;
      body.replaceChildren(fieldList(rows));
    }
    el.hidden = !rows.length || dismissed === key;
  } };
}
