import { h } from './dom.js';

/**
 * Only the parameters that differ; in prompts the words that do. All of it is text, whatever it says.
 * @param {Difference[]} found @param {string[]} letters
 */
export function differenceTable(found, letters) {
  if (!found.length) return h('p', { class: 'kn-same', text: 'Same parameters' });
  return h('div', { class: 'kn-differences', role: 'table', 'aria-label': 'Differences' }, ...found.map((item) =>
    h('div', { class: 'kn-difference', role: 'row' }, h('div', { class: 'kn-difference-label', role: 'rowheader', text: item.label }),
      h('div', { class: 'kn-values', role: 'presentation' }, ...item.values.map((words, i) => h('div', { class: 'kn-value', role: 'cell' }, h('b', { text: letters[i] }),
        h('span', {}, ...words.map(([text, marked]) => (marked ? h('mark', { text }) : document.createTextNode(text))))))))));
}
