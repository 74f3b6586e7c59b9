// A box that shortens the list of schools; the list alone does without it.
(() => {
  const $ = id => document.getElementById(id), list = $('d'), word = $('word'), found = $('found');
  const none = list.options[0], schools = [].slice.call(list.options, 1);
  word.addEventListener('input', () => {
    const part = word.value.replace(/\s/g, '').toLowerCase();
    const left = schools.filter(o => o.text.toLowerCase().indexOf(part) >= 0);
    while (list.firstChild) list.removeChild(list.firstChild);
    [none].concat(left).forEach(o => list.appendChild(o));
    // Nobody is put down for a school they have not chosen, unless only one is left.
    list.selectedIndex = left.length == 1 ? 1 : 0;
    found.textContent = left.length ? '' : found.getAttribute('data-none');
  });
  word.addEventListener('keydown', e => { if (e.key == 'Enter') { e.preventDefault(); list.focus(); } });
  document.documentElement.className = document.documentElement.className.replace(/ wait/g, '') + ' run';
})();
