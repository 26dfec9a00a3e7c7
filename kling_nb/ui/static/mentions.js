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

/** The fields whose items a prompt can mention, by the noun of the mention; as in `models/rules.py`. */
const MENTIONED = {
  Image: /^(input_?|reference_?)?images?(_?ur[il]s?)?$/i,
  Element: /^elements$/,
  Video: /^(input_?|reference_?)?videos?(_?ur[il]s?)?$/i,
  Audio: /^(input_?|reference_?)?audios?(_?ur[il]s?)?$/i,
};

/**
 * The names that can be mentioned in a draft, each with the key of its image or file.
 * @param {Record<string, any>} draft @returns {Map<string, string>}
 */
export function mentionTargets(draft) {
  /** @type {Map<string, string>} */
  const targets = new Map();
  for (const [noun, pattern] of Object.entries(MENTIONED)) {
    const items = Object.keys(draft).filter((name) => pattern.test(name)).flatMap((name) => draft[name] || []);
    items.forEach((item, i) => targets.set(`${noun}${i + 1}`, (noun === 'Element' ? item?.frontal_image_url : item) ?? ''));
  }
  return targets;
}

/** Whether the images of a field are @Image1, @Image2, … in prompts. @param {string} name @param {Record<string, any>} draft */
export function areMentioned(name, draft) {
  const fields = Object.keys(draft).filter((each) => MENTIONED.Image.test(each));
  return fields.length === 1 && fields[0] === name;
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
