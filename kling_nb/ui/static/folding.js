const MANY = 7; // so many rows are folded
const FEW = 4;

/**
 * The rows that stay in sight while many are folded: what went wrong first, then what is under way, in their own order.
 * @template {{status: string, ended: boolean}} R
 * @param {R[]} rows @returns {R[]}
 */
export function rowsInSight(rows) {
  if (rows.length < MANY) return rows;
  const wrong = rows.filter((row) => ['failed', 'uncertain'].includes(row.status));
  const busy = rows.filter((row) => !row.ended && !wrong.includes(row));
  const rest = rows.filter((row) => row.ended && !wrong.includes(row));
  const chosen = new Set([...wrong, ...busy, ...rest].slice(0, Math.max(FEW, wrong.length)));
  return rows.filter((row) => chosen.has(row));
}
