// Sets the chosen theme before the first paint; a classic script, so that it runs before the style sheets.
(function () {
  let theme = null;
  try {
    theme = localStorage.getItem('correio.theme');
  } catch {
    /* storage is off: the system decides */
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
