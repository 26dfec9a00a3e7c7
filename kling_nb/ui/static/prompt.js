import { h, newId } from './dom.js';
import { characterCount } from './format.js';
import { completionAt, mentionParts, mentionTargets } from './mentions.js';
import { wordsAt } from './words.js';

/**
 * A prompt with completion of mentions (`@`) and of words (`/`), highlighted mentions and a character count. The text area is on top of a layer with the
 * same text, which draws the highlights, sets the height and locates the caret.
 * @param {{label: string, hint: string, usual: number, max: number, write: (text: string) => void, labels: () => Labels, draft: () => Draft}} spec
 */
export function promptEditor({ label, hint, usual, max, write, labels, draft }) {
  const area = h('textarea', { class: 'kn-area', 'aria-label': label, placeholder: hint, rows: 1, spellcheck: 'true', 'aria-autocomplete': 'list' });
  const layer = h('div', { class: 'kn-layer', 'aria-hidden': 'true' });
  const list = h('div', { class: 'kn-completion', role: 'listbox', id: `kn-${newId()}`, 'aria-label': 'References', hidden: true });
  const count = h('span', { class: 'kn-count' });
  const el = h('div', { class: 'kn-prompt' }, h('div', { class: 'kn-editor' }, layer, area, list), count);
  /** `write` is the text that replaces the typed text. @type {{start: number, words: boolean, options: {name: string, note: string, write: string}[]}|null} */
  let completion = null;
  let chosen = 0;

  const mark = () => {
    const caret = completion?.start ?? -1;
    let at = 0;
    const parts = mentionParts(area.value, [...mentionTargets(draft()).keys()]);
    const atCaret = parts.flatMap((part, i) => {
      const cut = caret - parts.slice(0, i).reduce((sum, { text }) => sum + text.length, 0);
      return cut > 0 && cut < part.text.length ? [{ ...part, text: part.text.slice(0, cut) }, { ...part, text: part.text.slice(cut) }] : [part];
    });
    layer.replaceChildren(...atCaret.map((part) => {
      const piece = h('span', { class: `kn-${part.kind}`, text: part.text });
      if (at === caret) piece.dataset.caret = '';
      at += part.text.length;
      return piece;
    }), '\u200b');
    const length = characterCount(area.value);
    count.textContent = length > usual ? `${length.toLocaleString('en')} / ${max.toLocaleString('en')}` : `${length} / ${usual}`;
    count.dataset.level = length > max ? 'error' : length > usual ? 'warning' : '';
  };

  const close = () => { completion = null; list.hidden = true; area.removeAttribute('aria-activedescendant'); };

  const complete = () => {
    const names = [...mentionTargets(draft()).keys()];
    completion = area.selectionStart === area.selectionEnd ? completionHere(names) : null;
    chosen = 0;
    mark();
    if (completion) drawCompletion(completion); else close();
  };

  const completionHere = (/** @type {string[]} */ names) => {
    const mentions = completionAt(area.value, area.selectionStart, names);
    if (mentions) return { start: mentions.start, words: false, options: mentions.options.map((name) => ({ name, note: optionNote(name, draft(), labels()), write: `@${name}` })) };
    const words = wordsAt(area.value, area.selectionStart);
    return words && { start: words.start, words: true, options: words.options.map(({ text, note }) => ({ name: text, note, write: text })) };
  };

  const drawCompletion = (/** @type {NonNullable<typeof completion>} */ { options, words }) => {
    list.classList.toggle('kn-completing-words', words);
    list.setAttribute('aria-label', words ? 'Words' : 'References');
    list.replaceChildren(...options.map((option, i) => h('div', {
      class: 'kn-option', role: 'option', id: `${list.id}-${i}`, 'aria-selected': String(i === chosen),
      on: { mousedown: (event) => { event.preventDefault(); take(option); } },
    }, words ? null : optionImage(option.name, draft(), labels()), h(words ? 'b' : 'span', { text: option.write }), h('small', { text: option.note }))));
    const start = /** @type {HTMLElement|null} */ (layer.querySelector('[data-caret]'));
    if (start) {
      list.style.left = `${Math.max(0, Math.min(start.offsetLeft, el.clientWidth - (words ? 380 : 230)))}px`;
      list.style.top = `${start.offsetTop + start.offsetHeight + 4}px`;
    }
    list.hidden = false;
    area.setAttribute('aria-controls', list.id);
    area.setAttribute('aria-activedescendant', `${list.id}-${chosen}`);
    list.children[chosen]?.scrollIntoView?.({ block: 'nearest' });
  };

  const take = (/** @type {{write: string}} */ { write: text }) => {
    if (!completion) return;
    const space = /^\s/.test(area.value.slice(area.selectionStart)) ? '' : ' ';
    area.setSelectionRange(completion.start, area.selectionStart);
    // execCommand keeps the browser's undo; setRangeText does not
    if (!document.execCommand('insertText', false, `${text}${space}`)) area.setRangeText(`${text}${space}`, completion.start, area.selectionEnd, 'end');
    close();
    mark();
    write(area.value);
  };

  area.addEventListener('input', (event) => {
    write(area.value);
    if (/** @type {InputEvent} */ (event).isComposing) { close(); mark(); } else complete();
  });
  area.addEventListener('compositionend', complete);
  area.addEventListener('click', complete);
  area.addEventListener('blur', close);
  area.addEventListener('keydown', (event) => {
    if (!completion || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) chosen = (chosen + step + completion.options.length) % completion.options.length;
    else if (event.key === 'Enter' || event.key === 'Tab') take(completion.options[chosen]);
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (completion) drawCompletion(completion);
  });
  area.addEventListener('keyup', (event) => { if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) complete(); });

  return { el, area, paint: (/** @type {string} */ text) => { if (area.value !== text) rewrite(area, text); mark(); } };
}

/** Replace the text; the caret goes to the end of the change. @param {HTMLTextAreaElement} area @param {string} text */
function rewrite(area, text) {
  const before = area.value;
  let same = 0;
  while (same < Math.min(before.length, text.length) && before.at(-1 - same) === text.at(-1 - same)) same += 1;
  area.value = text;
  if (area === area.ownerDocument.activeElement) area.setSelectionRange(text.length - same, text.length - same);
}

/** @param {string} name @param {Draft} draft @param {Labels} labels */
function optionImage(name, draft, labels) {
  const uri = labels[mentionTargets(draft).get(name) ?? '']?.uri;
  return uri ? h('img', { src: uri, alt: '', referrerpolicy: 'no-referrer' }) : h('i', { class: 'kn-no-image' });
}

/** @param {string} name @param {Draft} draft @param {Labels} labels */
function optionNote(name, draft, labels) {
  return labels[mentionTargets(draft).get(name) ?? '']?.name ?? '';
}
