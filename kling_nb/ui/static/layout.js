/**
 * How a grid of equal tiles fills a width: `height` is that of one row with its gap; `total` that of all.
 * @typedef {{columns: number, width: number, gap: number, height: number, rows: number, total: number}} Grid
 * @param {number} width @param {number} count @returns {Grid}
 */
export function gridOf(width, count, { least = 200, gap = 14, foot = 74 } = {}) {
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  const tile = Math.max(1, (width - gap * (columns - 1)) / columns);
  const height = Math.round((tile * 9) / 16) + foot + gap;
  const rows = Math.ceil(count / columns);
  return { columns, width: tile, gap, height, rows, total: Math.max(0, rows * height - gap) };
}

/** Which tiles are in sight, with `over` rows more on either side. @param {Grid} grid @param {number} count @param {number} top @param {number} height @returns {[number, number]} from, up to */
export function inSight(grid, count, top, height, over = 1) {
  const from = Math.max(0, Math.floor(top / grid.height) - over) * grid.columns;
  const upto = (Math.floor((top + height) / grid.height) + 1 + over) * grid.columns;
  return [Math.min(from, count), Math.min(upto, count)];
}

/** Which pages hold the tiles `from` up to `upto`. @param {number} from @param {number} upto @param {number} size @returns {number[]} */
export function pagesOf(from, upto, size) {
  const pages = [];
  for (let page = Math.floor(from / size); page * size < upto; page += 1) pages.push(page);
  return pages;
}
