/**
 * Return a function that shows a widget in a tab of the main area; in Notebook 7, whose main area holds one document, in
 * the right sidebar.
 * @param {{app: any, labShell: any, apputils: any, icon: any}} spec
 */
export function makeTabs({ app, labShell, apputils, icon }) {
  return (/** @type {any} */ content, /** @type {{id: string, label: string, caption: string}} */ { id, label, caption }) => {
    const tab = new apputils.MainAreaWidget({ content });
    tab.id = id;
    Object.assign(tab.title, { icon, label, caption, closable: true });
    app.shell.add(tab, labShell ? 'main' : 'right', { mode: 'tab-after' });
    if (!tab.isVisible) app.shell.activateById(tab.id); // Notebook 7.3 hides a sidebar that is activated again
    return tab;
  };
}
