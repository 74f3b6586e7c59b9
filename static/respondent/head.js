// With scripts one step stands at a time. Where the address names a part, or this phone keeps a draft or a
// text size, what is painted first would not be what stays: so nothing is, until the page's own script has put
// it in order. A script that never comes or cannot run here leaves the page as it is without scripts.
(() => {
  const page = document.documentElement;
  let kept = 0;
  try { kept = localStorage.length + sessionStorage.length; } catch (e) { kept = 0; }
  page.className += kept || location.hash.length > 1 ? ' js wait' : ' js';
  document.addEventListener('DOMContentLoaded', () => {
    if (!/ run/.test(page.className)) page.className = page.className.replace(/ (js|wait)/g, '');
  });
})();
