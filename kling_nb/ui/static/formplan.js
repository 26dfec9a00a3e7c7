/**
 * Where the fields of a model stand: what is written and shown first, a row of settings, and what is folded away.
 * @typedef {{id: string, title: string, note: string, specs: Spec[]}} Part
 */
export const SETTINGS = ['choice', 'integer', 'number', 'toggle'];
/** The usual order of a row of settings; others follow as the schema lists them. */
const ROW = ['aspect_ratio', 'duration', 'resolution', 'num_generations', 'generate_audio'];
const FRAMES = ['start_image_url', 'tail_image_url'];

/** @param {Spec[]} specs @returns {{main: Spec[], settings: Spec[], folds: Part[]}} */
export function planOf(specs) {
  const main = specs.filter((spec) => spec.basic && !SETTINGS.includes(spec.kind));
  const settings = specs.filter((spec) => spec.basic && SETTINGS.includes(spec.kind));
  const rank = (/** @type {Spec} */ spec) => (ROW.includes(spec.name) ? ROW.indexOf(spec.name) : ROW.length);
  settings.sort((a, b) => rank(a) - rank(b));
  return { main: prompts(main), settings, folds: foldsOf(specs.filter((spec) => !spec.basic)) };
}

/** The prompt first, wherever the schema has it: references are named in it. @param {Spec[]} main */
function prompts(main) {
  const first = (/** @type {Spec} */ spec) => spec.name === 'prompt' || spec.kind === 'shots';
  return [...main.filter(first), ...main.filter((spec) => !first(spec))];
}

/** @param {Spec[]} specs @returns {Part[]} */
function foldsOf(specs) {
  /** @type {Part[]} */
  const parts = [];
  const rest = new Set(specs);
  /** @param {string} id @param {string} title @param {string} note @param {Spec[]} mine */
  const part = (id, title, note, mine) => {
    if (!mine.length) return;
    mine.forEach((spec) => rest.delete(spec));
    parts.push({ id, title, note, specs: mine });
  };
  const frames = specs.filter((spec) => spec.kind === 'image' && FRAMES.includes(spec.name));
  if (frames.length > 1) part('frames', 'Start and tail frames', 'the first and last frame of the clip', frames);
  for (const spec of specs.filter((each) => each.kind === 'elements')) part('elements', spec.title, 'characters and objects, seen from several sides', [spec]);
  for (const spec of specs.filter((each) => each.kind === 'video')) part('video', spec.title, spec.note, [spec, ...specs.filter((each) => each.requires === spec.name)]);
  for (const spec of specs.filter((each) => each.kind === 'prompt')) part(spec.name, spec.title, 'what to avoid', [spec]);
  part('more', 'More settings', '', [...rest]);
  return parts;
}

/** Whether a field holds nothing of its own. @param {Spec} spec @param {any} value */
export function leftAlone(spec, value) {
  if (value === null || value === undefined || value === '') return true;
  return Array.isArray(value) ? !value.length : value === spec.default;
}

/** What a fold says of itself while it is closed: how much in it is set. @param {Part} part @param {Record<string, any>} draft */
export function foldWords(part, draft) {
  const set = part.specs.filter((spec) => !leftAlone(spec, draft[spec.name]) && (!spec.requires || draft[spec.requires]));
  if (part.id === 'frames') return set.map((spec) => spec.name.split('_')[0]).join(' + ');
  if (part.id === 'elements') return set.length ? String(draft[set[0].name].length) : '';
  if (part.id === 'more') return set.length ? `${set.length} set` : '';
  return set.length ? 'set' : '';
}

/** The step of a slider: fine enough for its range. @param {Spec} spec */
export function stepOf(spec) {
  const range = Number(spec.maximum) - Number(spec.minimum);
  if (spec.kind === 'integer') return 1;
  return range <= 2 ? 0.01 : range <= 20 ? 0.1 : 1;
}
