const IMPORT = 'import kling_nb as kn';
const LOG = 'kling_log';

/**
 * Cells that use clips, put below the active cell of the open notebook.
 * @param {{shell: any, tracker: any, state: State, actions: any, warn: (text: string) => void}} spec
 * @returns {Cells}
 */
export function makeCells({ shell, tracker, state, actions, warn }) {
  const path = () => String(tracker?.currentWidget?.context.path ?? '').replace(/^[^/]*:/, '');
  /** The code for the studio of a log: `kn` for the notebook's own log. @param {string} log */
  const studio = (log) => {
    const own = state.logs.find((each) => each.own)?.name ?? inFolderOf(path(), LOG);
    if (state.same(log, own)) return 'kn';
    return `kn.Studio(log=${quoted(log.startsWith('@') ? log : relative(path(), log))})`;
  };
  const ofRecord = (/** @type {{id: string, log: string}} */ clip) => `${studio(clip.log)}.log()[${quoted(clip.id)}]`;
  /** @param {string} code */
  const withImport = (code) => {
    const cells = tracker?.currentWidget?.content.widgets ?? [];
    const known = cells.some((/** @type {any} */ cell) => cell.model.type === 'code' && /^\s*(import kling_nb as kn|%load_ext kling_nb)/m.test(cell.model.sharedModel.getSource()));
    return known ? code : `${IMPORT}\n\n${code}`;
  };
  /** @param {string} code */
  const run = async (code) => {
    const panel = tracker?.currentWidget;
    if (!panel) { warn('Open a notebook first: the cell is added there.'); return; }
    const { content, sessionContext } = panel;
    const text = withImport(code);
    shell.activateById(panel.id); // it may be behind a gallery
    actions.insertBelow(content);
    content.activeCell.model.sharedModel.setSource(text);
    content.mode = 'command';
    const at = content.activeCellIndex;
    await actions.run(content, sessionContext);
    content.scrollToItem?.(at, 'start'); // its output grows below it
  };
  return {
    reference: (clip) => withImport(ofRecord(clip)),
    show: (clip) => run(ofRecord(clip)),
    // The panel uses the notebook's own log and budget; only the record may come from another log.
    panel: (clip) => run(`kn.panel(${studio(clip.log) === 'kn' ? quoted(clip.id) : ofRecord(clip)})`),
    proceed: (clip, frame = -1) => run(`kn.panel({\n    "start_image_url": ${ofRecord(clip)}.frame(${frame}),\n})`),
    compare: (clips) => run(`${studio(clips[0].log)}.compare(${clips.map((clip) => (state.same(clip.log, clips[0].log) ? quoted(clip.id) : ofRecord(clip))).join(', ')})`),
    run,
  };
}

/** A Python string. @param {string} text */
const quoted = (text) => JSON.stringify(text);

/** The path of a name in the folder of a file. @param {string} file @param {string} name */
export function inFolderOf(file, name) {
  const folder = file.split('/').slice(0, -1);
  return [...folder, name].join('/');
}

/** The path of `to` from the folder of `file`. @param {string} file @param {string} to */
export function relative(file, to) {
  const from = file.split('/').slice(0, -1);
  const parts = to.split('/');
  while (from.length && parts.length && from[0] === parts[0]) { from.shift(); parts.shift(); }
  return [...from.map(() => '..'), ...parts].join('/');
}

/** The path that a relative path leads to from the folder of `file`, null if it is outside. @param {string} file @param {string} path */
export function resolved(file, path) {
  const parts = file.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..') { if (!parts.length) return null; parts.pop(); } else if (part && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
