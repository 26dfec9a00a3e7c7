const BETWEEN = 3000; // ms; a row tells sooner, a gallery need not

/**
 * Asks after clips that are shown and not finished, whoever makes them, until they are; not while nobody looks.
 * @param {{model: Model, el: HTMLElement, tiles: () => Tile[]}} spec
 */
export function unfinished({ model, el, tiles }) {
  const timer = setInterval(() => {
    if (document.visibilityState !== 'visible' || !el.checkVisibility()) return;
    const moving = tiles().filter((one) => !one.ended);
    if (moving.length) model.send({ kind: 'poll', statuses: Object.fromEntries(moving.map((one) => [one.id, one.status])) });
  }, BETWEEN);
  return { close: () => clearInterval(timer) };
}
