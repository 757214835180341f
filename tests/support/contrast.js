// Texts of a page that do not stand out enough from what is behind them (WCAG 2.2, level AA), and elements without a name.
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, index) => (value * a + below[index] * (255 - a)) / 255);
  const luminance = (colour) => colour.map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = [];
  for (const element of document.querySelectorAll('body, body *')) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest('svg')) continue;
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (texts.length) {
      const below = ground(element);
      const [one, two] = [luminance(over(rgba(getComputedStyle(element).color), below)), luminance(below)].sort((a, b) => b - a);
      const ratio = (one + 0.05) / (two + 0.05);
      if (ratio < 4.5) found.push(`${element.tagName}.${element.className} "${texts[0].data.trim().slice(0, 40)}": contrast ${ratio.toFixed(2)}`);
    }
    if (element.matches('button, a[href], input, select, summary, [role=progressbar], img')) {
      const name = element.getAttribute('aria-label') ?? element.getAttribute('alt') ?? element.textContent.trim();
      if (!name && element.tagName !== 'IMG') found.push(`${element.tagName}.${element.className}: no name`);
      const box = element.getBoundingClientRect();
      if (element.matches('button, select') && box.height < 24) found.push(`${element.tagName}.${element.className}: ${box.height} px high`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(`scrolls sideways: ${document.documentElement.scrollWidth} px`);
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  if (!document.documentElement.lang) found.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  if (new Set(ids).size !== ids.length) found.push('an id twice');
  for (const each of document.querySelectorAll('[aria-labelledby]')) {
    if (each.checkVisibility() && !document.getElementById(each.getAttribute('aria-labelledby'))) found.push(`no ${each.getAttribute('aria-labelledby')}`);
  }
  return found;
})()
