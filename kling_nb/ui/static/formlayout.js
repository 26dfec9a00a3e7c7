/**
 * The layout of a model's fields: the main fields, a row of settings, and collapsed parts.
 * @typedef {{id: string, title: string, hint: string, specs: Spec[]}} Part
 */
export const SETTINGS = ['choice', 'integer', 'number', 'toggle'];
/** The order of the settings; others follow in the order of the schema. */
const ROW = ['aspect_ratio', 'duration', 'resolution', 'num_generations', 'generate_audio'];
const FRAMES = ['start_image_url', 'tail_image_url'];

/** @param {Spec[]} specs @returns {{main: Spec[], settings: Spec[], folds: Part[]}} */
export function formLayout(specs) {
  const main = specs.filter((spec) => spec.basic && !SETTINGS.includes(spec.kind));
  const settings = specs.filter((spec) => spec.basic && SETTINGS.includes(spec.kind));
  const rank = (/** @type {Spec} */ spec) => (ROW.includes(spec.name) ? ROW.indexOf(spec.name) : ROW.length);
  settings.sort((a, b) => rank(a) - rank(b));
  return { main: promptFirst(main), settings, folds: foldsOf(specs.filter((spec) => !spec.basic)) };
}

/** @param {Spec[]} main */
function promptFirst(main) {
  const isPrompt = (/** @type {Spec} */ spec) => spec.name === 'prompt' || spec.kind === 'shots';
  return [...main.filter(isPrompt), ...main.filter((spec) => !isPrompt(spec))];
}

/** @param {Spec[]} specs @returns {Part[]} */
function foldsOf(specs) {
  /** @type {Part[]} */
  const parts = [];
  const rest = new Set(specs);
  /** @param {string} id @param {string} title @param {string} hint @param {Spec[]} mine */
  const part = (id, title, hint, mine) => {
    if (!mine.length) return;
    mine.forEach((spec) => rest.delete(spec));
    parts.push({ id, title, hint, specs: mine });
  };
  const frames = specs.filter((spec) => spec.kind === 'image' && FRAMES.includes(spec.name));
  if (frames.length > 1) part('frames', 'Start and tail frames', 'the first and last frame of the clip', frames);
  for (const spec of specs.filter((each) => each.kind === 'elements')) part('elements', spec.title, 'characters and objects, seen from several sides', [spec]);
  for (const spec of specs.filter((each) => each.kind === 'video')) part('video', spec.title, spec.note, [spec, ...specs.filter((each) => each.requires === spec.name)]);
  for (const spec of specs.filter((each) => each.kind === 'prompt')) part(spec.name, spec.title, 'what to avoid', [spec]);
  part('more', 'More settings', '', [...rest]);
  return parts;
}

/** Whether a field is empty or has its default. @param {Spec} spec @param {any} value */
export function isUnset(spec, value) {
  if (value === null || value === undefined || value === '') return true;
  return Array.isArray(value) ? !value.length : value === spec.default;
}

/** The mark on a collapsed part: how much of it is set. @param {Part} part @param {Record<string, any>} draft */
export function foldSummary(part, draft) {
  const set = part.specs.filter((spec) => !isUnset(spec, draft[spec.name]) && (!spec.requires || draft[spec.requires]));
  if (part.id === 'frames') return set.map((spec) => spec.name.split('_')[0]).join(' + ');
  if (part.id === 'elements') return set.length ? String(draft[set[0].name].length) : '';
  if (part.id === 'more') return set.length ? `${set.length} set` : '';
  return set.length ? 'set' : '';
}

/** The step of a slider, according to its range. @param {Spec} spec */
export function stepOf(spec) {
  const range = Number(spec.maximum) - Number(spec.minimum);
  if (spec.kind === 'integer') return 1;
  return range <= 2 ? 0.01 : range <= 20 ? 0.1 : 1;
}
