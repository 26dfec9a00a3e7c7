const MENTION = /(?<![\w@.])@(\w+)/g;
const BEGUN = /(?<![\w@.])@(\w*)/g;

/**
 * Split a prompt into plain text and mentions. A lone @ is a part too: the completion is placed below it.
 * @param {string} text @param {string[]} known names without the @
 * @returns {{text: string, kind: 'plain'|'known'|'unknown'}[]}
 */
export function mentionParts(text, known) {
  /** @type {ReturnType<typeof mentionParts>} */
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(BEGUN)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), kind: 'plain' });
    parts.push({ text: match[0], kind: !match[1] ? 'plain' : known.includes(match[1]) ? 'known' : 'unknown' });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), kind: 'plain' });
  return parts;
}

/**
 * The completion at the caret: the start of the mention and the names that match it.
 * @param {string} text @param {number} caret @param {string[]} names
 * @returns {{start: number, options: string[]}|null}
 */
export function completionAt(text, caret, names) {
  const begun = /(?<![\w@.])@(\w*)$/.exec(text.slice(0, caret));
  if (!begun || /\w/.test(text[caret] ?? '')) return null;
  const query = begun[1].toLowerCase();
  const options = names.filter((name) => name.toLowerCase().startsWith(query) || (query && name.toLowerCase().includes(query)));
  if (!options.length || (options.length === 1 && options[0] === begun[1])) return null;
  return { start: begun.index, options };
}

/**
 * Let mentions follow their images. A mention of a removed image loses its number, so that it is marked as unknown and
 * never silently means another image.
 * @param {string} text @param {string} noun `Image` or `Element`
 * @param {(number: number) => number|null} moved the new number of each old one, from 1; null if it was removed
 */
export function renumberMentions(text, noun, moved) {
  return text.replace(MENTION, (mention, word) => {
    const match = new RegExp(`^${noun}(\\d+)$`).exec(word);
    if (!match) return mention;
    const now = moved(Number(match[1]));
    return now == null ? `@${noun}` : `@${noun}${now}`;
  });
}

/** The names that can be mentioned in a draft. @param {{input_image?: unknown, elements?: unknown[], input_video?: unknown}} draft @returns {string[]} */
export function mentionNames(draft) {
  const images = Array.isArray(draft.input_image) ? draft.input_image : [];
  return [...images.map((_, i) => `Image${i + 1}`), ...(draft.elements ?? []).map((_, i) => `Element${i + 1}`), ...(draft.input_video ? ['Video1'] : [])];
}

/**
 * Move one item of a list, or remove it if `to` is null; returns the list and what happens to every prompt.
 * @template T
 * @param {T[]} list @param {string} noun @param {number} from @param {number|null} to
 * @returns {{list: T[], rewrite: (text: string) => string}}
 */
export function reorder(list, noun, from, to) {
  const order = list.map((_, i) => i);
  const [taken] = order.splice(from, 1);
  if (to != null) order.splice(to, 0, taken);
  const moved = (/** @type {number} */ number) => {
    if (number < 1 || number > list.length) return number;
    const at = order.indexOf(number - 1);
    return at < 0 ? null : at + 1;
  };
  return { list: order.map((i) => list[i]), rewrite: (text) => renumberMentions(text, noun, moved) };
}
