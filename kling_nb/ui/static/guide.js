import { h } from './dom.js';

/**
 * A short text in Markdown as elements: headings (`##`), paragraphs, lists, `**bold**`, `*italic*` and `` `code` ``. Text stays text.
 * @param {string} text @returns {HTMLElement[]}
 */
export function guideNodes(text) {
  return text.trim().split(/\n{2,}/).map((block) => {
    if (block.startsWith('## ')) return h('h3', { text: block.slice(3) });
    if (block.startsWith('- ')) return h('ul', {}, ...block.split(/\n(?=- )/).map((item) => h('li', {}, ...inline(item.slice(2)))));
    return h('p', {}, ...inline(block));
  });
}

/** @param {string} text @returns {(string|HTMLElement)[]} */
function inline(text) {
  return text.replace(/\s+/g, ' ').split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/).filter(Boolean).map((part) => {
    if (part.startsWith('`')) return h('code', { text: part.slice(1, -1) });
    if (part.startsWith('**')) return h('b', { text: part.slice(2, -2) });
    return /^\*[^*]+\*$/.test(part) ? h('i', { text: part.slice(1, -1) }) : part;
  });
}
