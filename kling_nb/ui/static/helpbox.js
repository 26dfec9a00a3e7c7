import { actionButton, h, iconButton } from './dom.js';
import { guideNodes } from './guide.js';
import { icon } from './icons.js';
import { segmented } from './inputs.js';
import { WORDS } from './words.js';

/** @typedef {'examples'|'words'|'guide'|'shortcuts'} Tab */
const CONTROL = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? '') ? '⌘' : 'Ctrl+';
/** @type {[string, string][]} */
const SHORTCUTS = [
  ['@', 'in a prompt: mention a reference'],
  ['/', 'in a prompt: words for shot, camera, lens, light and motion'],
  ['↑ ↓ Enter', 'in a list: choose; Escape closes it'],
  [`${CONTROL}Z`, 'undo'],
  [`${CONTROL}Shift+Z`, 'redo'],
  [`${CONTROL}Enter`, 'in the script box: fill in'],
  [`${CONTROL}Enter`, 'anywhere else: preview'],
  [`${CONTROL}Shift+Enter`, 'generate'],
  [`${CONTROL}V`, 'paste an image anywhere in the panel'],
  ['Alt+↑ ↓', 'in a shot: move it up or down'],
  ['Alt+← →', 'on a reference or on a block of the timeline: move it'],
  ['← →', 'on the edge of a shot in the timeline: a second less or more'],
  ['?', 'outside text fields: this list'],
];

/**
 * Examples, words, the guide to prompts and the shortcuts, behind two buttons: Help, and `?`.
 * @param {Pick<Shared, 'model'|'store'|'kernel'|'showError'> & {root: HTMLElement}} shared
 */
export function helpBox({ model, store, kernel, showError, root }) {
  const examples = h('div', { class: 'kn-examples', role: 'list' });
  const guide = h('div', { class: 'kn-guide', tabindex: '0', role: 'region', 'aria-label': 'Guide to prompts' });
  /** @type {Record<Tab, HTMLElement>} */
  const pages = { examples, words: wordChips(root), guide, shortcuts: shortcutList() };
  const tabs = segmented({ label: 'Help', pick: (value) => turn(value), options: /** @type {{value: Tab, text: string}[]} */ ([
    { value: 'examples', text: 'Examples' }, { value: 'words', text: 'Words' }, { value: 'guide', text: 'Guide' }, { value: 'shortcuts', text: 'Shortcuts' }]) });
  const shut = iconButton('close-help', 'close', 'Close help', () => { open(false); button.focus(); });
  const el = h('div', { class: 'kn-library kn-help', role: 'group', 'aria-label': 'Help', hidden: true }, h('div', { class: 'kn-help-head' }, tabs.el, shut), ...Object.values(pages));
  const button = actionButton('open-help', () => open(Boolean(el.hidden)), { 'aria-expanded': 'false', title: 'Examples, words, guide, shortcuts (?)' }, icon('help'), 'Help');
  let loaded = false;

  const turn = (/** @type {Tab} */ tab) => {
    tabs.paint(tab);
    for (const [name, page] of Object.entries(pages)) page.hidden = name !== tab;
  };
  const open = (/** @type {boolean} */ on) => {
    el.hidden = !on;
    button.setAttribute('aria-expanded', String(on));
    if (on && !loaded) load();
  };
  const load = async () => {
    loaded = true;
    try {
      const reply = await kernel.ask('help', {});
      guide.replaceChildren(...guideNodes(reply.guide));
      examples.replaceChildren(...reply.examples.map(exampleCard));
    } catch (error) {
      loaded = false;
      showError(error.message, 'Could not load the help.');
    }
  };
  const exampleCard = (/** @type {{title: string, text: string, images: string[]}} */ { title, text, images }) => h('div', { role: 'listitem' },
    h('button', { type: 'button', class: 'kn-example', 'data-action': 'use-example', title: 'Replace the request with this example; undo restores it',
      on: { click: () => { store.flush(); model.send({ kind: 'example', title }); open(false); button.focus(); } } },
    h('span', { class: 'kn-example-images' }, ...images.map((uri) => h('img', { src: uri, alt: '' }))), h('b', { text: title }), h('span', { text })));

  root.addEventListener('keydown', (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).matches('textarea, input:not([type=radio], [type=checkbox], [type=range]), select');
    if (event.key !== '?' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    open(true);
    turn('shortcuts');
    shut.focus();
  });
  for (const part of /** @type {HTMLElement[]} */ ([button, el])) {
    part.addEventListener('keydown', (event) => { if (event.key === 'Escape' && !el.hidden) { event.stopPropagation(); open(false); button.focus(); } });
  }
  turn('examples');
  return { el, button };
}

/** Words by group; a click writes one into the prompt that was edited last. @param {HTMLElement} root */
function wordChips(root) {
  /** @type {HTMLTextAreaElement|null} */
  let last = null;
  root.addEventListener('focusin', (event) => { const target = /** @type {HTMLElement} */ (event.target); if (target.matches('.kn-area')) last = /** @type {HTMLTextAreaElement} */ (target); });
  const insert = (/** @type {string} */ word) => {
    const areas = /** @type {HTMLTextAreaElement[]} */ ([...root.querySelectorAll('.kn-area')]).filter((each) => each.offsetParent);
    const area = last && areas.includes(last) ? last : areas[0];
    if (!area) return;
    const before = area.value.slice(0, area.selectionEnd);
    const after = area.value.slice(area.selectionEnd);
    const start = !before.trim() || /[\s(]$/.test(before) ? '' : /[.,;:!?…]$/.test(before) ? ' ' : ', ';
    const text = `${start}${before.trim() && !/[.!?…]\s*$/.test(before) ? word : word[0].toUpperCase() + word.slice(1)}${after && !/^[\s.,;:!?)]/.test(after) ? ' ' : ''}`;
    area.focus();
    area.setSelectionRange(before.length, before.length);
    // execCommand keeps the browser's undo; setRangeText does not
    if (!document.execCommand('insertText', false, text)) { area.setRangeText(text, before.length, before.length, 'end'); area.dispatchEvent(new Event('input')); }
  };
  return h('div', { class: 'kn-words' }, ...WORDS.map(({ group, words }) => h('div', { class: 'kn-word-group', role: 'group', 'aria-label': group },
    h('span', { class: 'kn-label', text: group }),
    h('div', { class: 'kn-word-list' }, ...words.map(([word, note]) => actionButton('insert-word', () => insert(word), { class: 'kn-word', text: word, title: note, 'aria-label': `${word}: ${note}` }))))),
  h('p', { class: 'kn-empty-note', text: 'A click writes the word into the prompt at the caret. In a prompt, / completes the same words.' }));
}

function shortcutList() {
  return h('dl', { class: 'kn-shortcuts' }, ...SHORTCUTS.map(([keys, text]) => h('div', {}, h('dt', {}, h('kbd', { text: keys })), h('dd', { text }))));
}
