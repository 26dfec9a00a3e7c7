/**
 * Says where each problem is shown: at the field whose path is its own or the nearest above it, else in `''`.
 * @param {{path: string, severity: string, message: string, remedy: string}[]} problems
 * @param {string[]} places the paths that have a place on the screen
 * @returns {Map<string, any[]>}
 */
export function placedProblems(problems, places) {
  const placed = new Map();
  for (const problem of problems) {
    const place = nearestPlace(problem.path, places);
    placed.set(place, [...(placed.get(place) ?? []), problem]);
  }
  return placed;
}

/** @param {string} path @param {string[]} places @returns {string} */
export function nearestPlace(path, places) {
  const steps = path.split('.');
  while (steps.length) {
    const place = steps.join('.');
    if (places.includes(place)) return place;
    steps.pop();
  }
  return '';
}

/** @returns {'error'|'warning'|''} */
export function worstSeverity(problems) {
  if (problems.some((problem) => problem.severity === 'error')) return 'error';
  return problems.length ? 'warning' : '';
}
