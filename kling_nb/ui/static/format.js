/** Split a job's title into its number (`2 of 4 · ` or '') and its prompt. @param {string} title @returns {[string, string]} */
export function titleParts(title) {
  const number = /^\d+ of \d+ · /.exec(title)?.[0] ?? '';
  return [number, title.slice(number.length)];
}

/** Elapsed time: `0:42`, `1:02:03`. @param {number} seconds @returns {string} */
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * The remaining time, rounded to what the estimate can support.
 * @param {number|null} expected unix seconds @param {number} now @returns {string}
 */
export function remainingText(expected, now) {
  if (expected == null) return '';
  const left = expected - now;
  if (left <= 0) return 'taking longer than usual';
  if (left < 55) return `about ${Math.max(5, Math.ceil(left / 5) * 5)} s left`;
  const minutes = Math.round(left / 60);
  return `about ${minutes} min left`;
}

/** The separator between a message and its remedy: a space after a sentence, otherwise a dash. @param {string} message */
export function remedySeparator(message) {
  return /[.!?]$/.test(message) ? ' ' : ' – ';
}

/** `1 shot`, `3 shots`. @param {number} count @param {string} noun @returns {string} */
export function countText(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2 errors, 1 warning`; '' for none. @param {number} errors @param {number} warnings @returns {string} */
export function problemCounts(errors, warnings) {
  return [errors && countText(errors, 'error'), warnings && countText(warnings, 'warning')].filter(Boolean).join(', ');
}

/**
 * The elapsed share of a job's expected time, 0 to 0.97; null if none is expected.
 * @param {{created: number, expected: number|null}} row @param {number} now @returns {number|null}
 */
export function expectedShare(row, now) {
  if (row.expected == null || row.expected <= row.created) return null;
  return Math.min(0.97, Math.max(0, (now - row.created) / (row.expected - row.created)));
}

/**
 * The changes of some jobs as text: one or two by title, more as counts, '' for none.
 * @param {Map<string, string>} before the earlier status of each job @param {{id: string, title: string, status: string, text: string}[]} rows
 */
export function changesText(before, rows) {
  const changed = rows.filter((row) => before.get(row.id) !== row.status);
  return changed.length > 2 ? summaryText(rows) : changed.map((row) => `${row.title || row.id}: ${row.text}`).join('. ');
}

/** A summary of many jobs: `2 generating · 1 queued · 17 done`. @param {{status: string}[]} rows */
export function summaryText(rows) {
  /** @type {Record<string, string>} */
  const names = { prepared: 'preparing', submitting: 'sending', uncertain: 'unconfirmed', queued: 'queued', processing: 'generating', downloading: 'downloading', succeeded: 'done', failed: 'failed', cancelled: 'cancelled' };
  const order = ['processing', 'downloading', 'queued', 'submitting', 'prepared', 'uncertain', 'succeeded', 'failed', 'cancelled'];
  const counts = order.map((status) => [names[status], rows.filter((row) => row.status === status).length]);
  return counts.filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(' · ');
}

/** The length of a text as Python and the hub count it: an emoji is one character, though a browser stores two. @param {string} text */
export function characterCount(text) {
  return [...text].length;
}
