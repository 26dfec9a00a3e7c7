/** Renderers of outputs; none yet. */
export async function plugins() {
  return [];
}
