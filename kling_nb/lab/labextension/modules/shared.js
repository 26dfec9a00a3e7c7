/** The plugin gives its parts to the renderers of outputs, which the application loads apart from it. */
/** @type {(parts: {server: Server, state: State, cells: Cells}) => void} */
export let share = () => {};
/** Never settles where no server half answers: then outputs stay as they are. @type {Promise<{server: Server, state: State, cells: Cells}>} */
export const shared = new Promise((resolve) => { share = resolve; });
