/** The icon of the sidebar and the launcher: a clip with a play mark. */
export const KLING = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" d="M4 4h16a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zm0 2v2h2V6zm14 0v2h2V6zM4 11v2h2v-2zm14 0v2h2v-2zM4 16v2h2v-2zm14 0v2h2v-2zM10 8.5v7l5.5-3.5z" fill-rule="evenodd"/></svg>`;
/** The same in colour, for the launcher's card of a notebook. */
export const CARD = `data:image/svg+xml;utf8,${encodeURIComponent(KLING.replace('#616161', '#2196f3'))}`;
