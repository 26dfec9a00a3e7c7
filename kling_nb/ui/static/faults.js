/**
 * Says where each problem is shown: at the field whose path is its own or the nearest above it, else in `''`.
 * @param {Problem[]} problems
 * @param {string[]} places the paths that have a place on the screen
 * @returns {Map<string, Problem[]>}
 */
export function placedProblems(problems, places) {
  /** @type {Map<string, Problem[]>} */
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

/** @param {Problem[]} problems @returns {'error'|'warning'|''} */
export function worstSeverity(problems) {
  if (problems.some((problem) => problem.severity === 'error')) return 'error';
  return problems.length ? 'warning' : '';
}

/** The problems for whoever listens: the first two, and how many more. @param {Problem[]} problems */
export function spokenProblems(problems) {
  if (!problems.length) return 'No errors or warnings';
  const first = problems.slice(0, 2).map((problem) => `${problem.severity}: ${problem.message}`);
  return [...first, ...(problems.length > 2 ? [`${problems.length - 2} more`] : [])].join('. ');
}
