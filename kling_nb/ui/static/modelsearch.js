/**
 * The models that a search means: every word of it is somewhere in the model's name, kind or description.
 * @param {ModelOffer[]} models @param {string} typed
 */
export function matchingModels(models, typed) {
  const words = plainWords(typed).split(' ').filter(Boolean);
  return models.filter((model) => {
    const text = plainWords([model.title, model.id, model.family, model.makes, model.summary].join(' '));
    return words.every((word) => text.includes(word));
  });
}

/** @param {string} text */
function plainWords(text) {
  return text.toLowerCase().replace(/[-_.]+/g, ' ');
}

/** Where the choice goes with a key. @param {string} key @param {number} at @param {number} count @returns {number|null} null for a key that moves nothing */
export function steppedTo(key, at, count) {
  if (!count) return null;
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: count - 1, PageDown: Math.min(count - 1, at + 5), PageUp: Math.max(0, at - 5) };
  const to = steps[key];
  return to === undefined ? null : (to + count) % count;
}
