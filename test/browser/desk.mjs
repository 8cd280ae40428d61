// Finding things on the operator's page, for every test that works it.

export const lineOf = (page) => page.getByRole('region', { name: 'Line', exact: true });

/** Opens the staging of the line at a tab; answers the line's region. */
export async function staging(page, tab) {
  const line = lineOf(page);
  const fold = line.getByRole('button', { name: 'Staging' });
  if ((await fold.getAttribute('aria-expanded')) === 'false') await fold.click();
  await line.getByRole('tab', { name: tab }).click();
  return line;
}
