// Rules of accessible pages that can be read off the document; window.brokenRules() lists what breaks them. Runs in the
// page. Sources: WAI-ARIA 1.2 (names, tabs, radio groups), WCAG 2.2: 1.1.1, 4.1.2, 2.5.8 (24 px targets).
window.brokenRules = () => {
  const broken = [];
  const tell = (rule, element) => broken.push(`${rule}: ${element.outerHTML.slice(0, 120)}`);
  const isSeen = (element) => element.getClientRects().length > 0;
  const textOf = (id) => document.getElementById(id)?.textContent.trim();
  const nameOf = (element) =>
    element.getAttribute('aria-label')?.trim() ||
    (element.getAttribute('aria-labelledby') ?? '').split(' ').map(textOf).filter(Boolean).join(' ') ||
    [...(element.labels ?? [])].map((label) => label.textContent.trim()).join(' ') ||
    (element.matches('fieldset') && element.querySelector('legend')?.textContent.trim()) ||
    (element.matches('button, a') && element.textContent.trim()) ||
    '';

  const ids = new Set();
  for (const element of document.querySelectorAll('[id]')) {
    if (ids.has(element.id)) tell('an id twice', element);
    ids.add(element.id);
  }
  for (const element of document.querySelectorAll('button, a[href], input, select, textarea, progress, [role=tab], [role=tabpanel], [role=tablist], [role=radiogroup], dialog'))
    if (!nameOf(element)) tell('no name', element);
  for (const image of document.querySelectorAll('img')) if (!image.hasAttribute('alt')) tell('no alt', image);
  for (const element of document.querySelectorAll('[tabindex]')) if (element.tabIndex > 0) tell('tabindex above 0', element);
  for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls'])
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      // What is folded away need not be there.
      if (attribute === 'aria-controls' && element.getAttribute('aria-expanded') === 'false') continue;
      for (const id of element.getAttribute(attribute).split(' '))
        if (!document.getElementById(id)) tell(`${attribute} names nothing`, element);
    }
  for (const list of document.querySelectorAll('[role=tablist]')) {
    const tabs = [...list.querySelectorAll('[role=tab]')];
    const selected = tabs.filter((tab) => tab.getAttribute('aria-selected') === 'true');
    if (selected.length !== 1) tell('not one tab selected', list);
    if (tabs.filter((tab) => tab.tabIndex === 0).length !== 1) tell('not one stop for Tab', list);
  }
  for (const radio of document.querySelectorAll('input[type=radio]')) {
    const group = radio.closest('fieldset, [role=radiogroup]');
    if (!group || !nameOf(group)) tell('a choice without a question', radio);
  }
  for (const element of document.querySelectorAll('button, select, input:not([type=radio], [type=checkbox]), .choice label, .tile')) {
    const { width, height } = element.getBoundingClientRect();
    if (isSeen(element) && (width < 24 || height < 24)) tell(`a target of ${width} x ${height} px`, element);
  }
  for (const element of document.querySelectorAll('[aria-hidden=true]'))
    if (element.querySelector('button, a[href], input, select, textarea')) tell('a control that is hidden from some', element);
  return broken;
};
