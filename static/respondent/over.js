// A survey that is over leaves no draft of its form behind on this phone.
(() => {
  let name = 7;
  for (const c of location.pathname.toUpperCase()) name = (name * 31 + c.charCodeAt(0)) >>> 0;
  try { localStorage.removeItem('draft-' + name.toString(36)); } catch (e) { return; }
})();
