const AT = '[@\uff20\ufe6b]';
const NOUN = '(image|img|element|video|audio)';
const NUMBER = '([0-9\uff10-\uff19]{1,3})';
/** The same as in `models/prompts.py`. */
const MENTION = new RegExp(`(?:<{1,3}|\\[{1,2}|\\{{1,2}) *${AT}?${NOUN}[ _#-]?${NUMBER} *(?:>{1,3}|\\]{1,2}|\\}{1,2})`
  + `|${AT}${NOUN}[ _#-]?${NUMBER}(?![A-Za-z0-9_])|${AT}(${NOUN}[0-9]+[A-Za-z0-9_]*)|(?<![A-Za-z0-9_@.])${AT}([A-Za-z0-9_]+)`, 'gi');

/**
 * The mentions in a prompt as they are written, and the names that they mean: `<<<image_1>>>` is `Image1`. An e-mail
 * address is not a mention.
 * @param {string} text @returns {{start: number, written: string, name: string}[]}
 */
export function mentionsIn(text) {
  return [...text.matchAll(MENTION)].flatMap((found) => {
    const end = found.index + found[0].length;
    if (/[\w.+-]/.test(text[found.index - 1] ?? '') && /^\.[A-Za-z]/.test(text.slice(end, end + 2))) return [];
    const noun = (found[1] ?? found[3] ?? '').toLowerCase().replace(/^img$/, 'image');
    const number = Number((found[2] ?? found[4] ?? '').normalize('NFKC'));
    return [{ start: found.index, written: found[0], name: noun ? noun[0].toUpperCase() + noun.slice(1) + number : found[5] ?? found[7] }];
  });
}

/**
 * Split a prompt into plain text and mentions. A lone @ is a part too: the completion is placed below it.
 * @param {string} text @param {string[]} known names without the @
 * @returns {{text: string, kind: 'plain'|'known'|'unknown'}[]}
 */
export function mentionParts(text, known) {
  /** @type {ReturnType<typeof mentionParts>} */
  const parts = [];
  const plain = (/** @type {string} */ piece) => piece.split(/((?<![\w@.])[@\uff20\ufe6b])/).filter(Boolean).forEach((part) => parts.push({ text: part, kind: 'plain' }));
  let end = 0;
  for (const { start, written, name } of mentionsIn(text)) {
    plain(text.slice(end, start));
    parts.push({ text: written, kind: written === `@${name}` && known.includes(name) ? 'known' : 'unknown' });
    end = start + written.length;
  }
  plain(text.slice(end));
  return parts;
}

/**
 * The completion at the caret: the start of the mention and the names that match it.
 * @param {string} text @param {number} caret @param {string[]} names
 * @returns {{start: number, options: string[]}|null}
 */
export function completionAt(text, caret, names) {
  const begun = /(?<![\w@.])[@\uff20\ufe6b](\w*)$/.exec(text.slice(0, caret));
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
  let renumbered = text;
  for (const { start, written, name } of mentionsIn(text).reverse()) {
    const match = new RegExp(`^${noun}(\\d+)$`).exec(name);
    if (!match) continue;
    const old = Number(match[1]);
    const now = moved(old);
    if (now !== old) renumbered = `${renumbered.slice(0, start)}@${noun}${now ?? ''}${renumbered.slice(start + written.length)}`;
  }
  return renumbered;
}

/** The fields whose items a prompt can mention, by the noun of the mention; as in `models/mentions.py`. */
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
