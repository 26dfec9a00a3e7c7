/** Passes the plugin's parts to the renderers of outputs, which the application loads separately. */
/** @type {(parts: {server: Server, state: State, cells: Cells}) => void} */
export let share = () => {};
/** Never resolves if the server half does not answer: outputs then stay as they are. @type {Promise<{server: Server, state: State, cells: Cells}>} */
export const shared = new Promise((resolve) => { share = resolve; });
