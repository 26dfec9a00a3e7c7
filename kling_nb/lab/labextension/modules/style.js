/** Add the style sheet of the extension to the page, once. */
export async function plugins() {
  const href = new URL('./style.css', import.meta.url).href;
  if (!document.querySelector(`link[href="${href}"]`)) {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = href;
    document.head.append(link);
  }
  return [];
}
