// Paging, a draft on this phone, and sending again. Without this script the form is one
// long page with the same post. ES2015 only: Chromium 66 and iOS 11 must read it.
(() => {
  const d = document, w = window, root = d.documentElement, $ = id => d.getElementById(id);
  const f = $('f'), err = $('err'), net = $('net'), soft = $('soft'), next = $('next');
  const all = (s, n) => [].slice.call((n || f).querySelectorAll(s));
  const say = JSON.parse(f.getAttribute('data-say')), steps = all('.step'), asked = {}, title = d.title;
  const trail = [], waits = [2, 4, 8, 16, 32];
  let at = f.querySelector('.step.on'), sent = 0, busy = 0, pending = 0, change = 0, native = 0, left = 0, timer, slow;

  // The draft: under a short hash of the code's address, never sent before the post.
  let box = null, name = 7;
  try { box = w[f.getAttribute('data-keep') + 'Storage']; box.setItem('_', 1); box.removeItem('_'); } catch (e) { box = null; }
  for (const c of location.pathname.toUpperCase()) name = (name * 31 + c.charCodeAt(0)) >>> 0;
  name = 'draft-' + name.toString(36);
  const read = key => {
    try {
      const x = JSON.parse(box.getItem(key));
      if (x && Date.now() - x.t < 2592e5) return x;
      box.removeItem(key);
    } catch (e) { return null; }
    return null;
  };
  if (box) Object.keys(box).forEach(key => { if (!key.indexOf('draft-')) read(key); });
  const answers = () => all('input,textarea')
    .filter(e => e.type == 'textarea' ? e.value : e.type != 'hidden' && e.checked).map(e => [e.name, e.value]);
  const load = () => { const x = read(name); return x && x.a.length && x.v == f.v.value ? x : null; };
  const save = () => {
    if (!box || sent) return 0;
    try {
      box.setItem(name, JSON.stringify({ v: f.v.value, k: f.k.value, s: f.s.value, t: Date.now(), p: at.id, a: answers() }));
      $('kept').textContent = say.saved;
      return 1;
    } catch (e) { $('kept').textContent = ''; return 0; }
  };
  const drop = () => { try { box.removeItem(name); } catch (e) { return; } };
  const fill = x => {
    f.k.value = x.k; f.s.value = x.s;
    x.a.forEach(p => all('[name="' + p[0] + '"]').forEach(e => {
      if (e.type == 'textarea') e.value = p[1]; else if (e.value == p[1]) e.checked = true;
    }));
    routes();
  };

  // What is answered, and what lies off the path of the answers so far.
  const answered = q => all('input,textarea', q).some(e => e.type == 'textarea' ? e.value.trim() : e.checked);
  const holds = (c, a) => {
    if (c.all) return c.all.every(p => holds(p, a));
    if (c.any) return c.any.some(p => holds(p, a));
    const given = a.filter(p => p[0] == c.item).map(p => +p[1]);
    return given.length > 0 && (c.in ? given.some(v => c.in.indexOf(v) >= 0) : given.every(v => c.not_in.indexOf(v) < 0));
  };
  const routes = () => all('[data-if]').forEach(q => {
    const on = holds(JSON.parse(q.getAttribute('data-if')), answers());
    q.hidden = !on;
    if (!on) all('input,textarea', q).forEach(e => { if (e.type == 'textarea') e.value = ''; else e.checked = false; });
  });
  const missing = (s, n) => all(s, n).filter(q => !q.hidden && !answered(q));

  const calm = () => {
    err.hidden = true; d.title = title; soft.textContent = ''; next.textContent = say.next;
    all('.bad').forEach(e => { e.hidden = true; });
  };
  const show = (s, focus) => {
    if (s != at) { calm(); hush(); }
    at.classList.remove('on'); at = s; s.classList.add('on');
    d.querySelector('.move').classList.toggle('moving', s.id[0] == 'p');
    $('title').classList.toggle('vh', s != steps[0]);
    if (s.id == 'check') { change = 0; sum(); }
    if (focus) { (s == steps[0] ? $('title') : s.querySelector('h2') || s.querySelector('.ask')).focus(); w.scrollTo(0, 0); }
  };
  const route = () => {
    if (sent) return history.replaceState(null, '', sent);
    const e = location.hash ? $(location.hash.slice(1)) : steps[0];
    if (!e || !f.contains(e)) return;
    const s = e.closest('.step');
    // A summary of faults holds the focus until it is dealt with.
    show(s, err.hidden);
    if (!err.hidden) err.focus();
    if (s != e) { const i = e.querySelector('input,textarea'); if (i) i.focus(); e.scrollIntoView(); }
    if (trail[trail.length - 2] == s.id) trail.pop(); else if (trail[trail.length - 1] != s.id) trail.push(s.id);
  };
  const move = by => steps[steps.indexOf(at) + by].id;
  const stop = q => {
    const ul = err.querySelector('ul');
    ul.textContent = '';
    q.forEach(q => {
      const p = $('e-' + q.getAttribute('data-item')), li = d.createElement('li'), a = d.createElement('a');
      p.hidden = false; a.href = '#' + q.id; a.textContent = p.textContent;
      // The address may already end in this item, and then no hashchange would come.
      a.onclick = e => { e.preventDefault(); q.querySelector('input,textarea').focus(); q.scrollIntoView(); };
      li.appendChild(a); ul.appendChild(li);
    });
    err.hidden = false; d.title = say.prefix + title; err.focus(); err.scrollIntoView();
  };
  const go = () => {
    const need = missing('[data-need]', at), left = missing('[data-soft]', at).length;
    if (need.length) return stop(need);
    if (left && !asked[at.id]) {
      asked[at.id] = 1; soft.textContent = say.skip.replace('{n}', left); next.textContent = say.go;
      return;
    }
    location.hash = change ? 'check' : move(1);
  };
  const sum = () => {
    all('[data-sum]').forEach(dd => {
      const q = all('[data-part="' + dd.getAttribute('data-sum') + '"] .q').filter(q => !q.hidden);
      dd.textContent = q.filter(answered).length + '/' + q.length;
    });
    all('[data-item]', $('sum')).forEach(dd => {
      const i = f.querySelector('#q-' + dd.getAttribute('data-item') + ' :checked + label');
      dd.textContent = i ? i.textContent : say.none;
    });
  };

  // Read aloud: fetched on a tap, one voice at a time.
  let voice, reader;
  const hush = () => { if (voice) { voice.onerror = null; voice.pause(); voice = 0; reader.textContent = say.hear; reader.classList.remove('on'); } };
  f.addEventListener('click', e => {
    const b = e.target.closest('.hear'), same = voice && b == reader;
    if (!b) return;
    hush();
    if (same) return;
    reader = b; voice = new Audio(b.getAttribute('data-src')); b.textContent = say.hush; b.classList.add('on');
    voice.onended = hush; voice.onerror = () => { hush(); net.textContent = say.mute; w.scrollTo(0, 0); };
    const p = voice.play();
    if (p) p.catch(() => 0);
  });

  // Sending: one key however often it is sent, so twice is once.
  const again = () => {
    busy = 0; pending = 1; clearTimeout(slow);
    net.textContent = say.pending;
    const b = d.createElement('button');
    b.type = 'button'; b.className = 'go'; b.textContent = say.retry; b.onclick = () => send();
    net.appendChild(b); w.scrollTo(0, 0);
    if (waits.length) timer = setTimeout(send, waits.shift() * 1e3);
  };
  // The whole page becomes the one that anybody may open, so that nothing tells them apart.
  const finish = (page, reply) => {
    sent = page; pending = 0; drop();
    if (f.getAttribute('data-keep') == 'session') try { sessionStorage.clear(); } catch (e) { drop(); }
    history.replaceState(null, '', page);
    d.title = reply.title;
    root.className = reply.documentElement.className + ' js';
    root.replaceChild(d.importNode(reply.body, true), d.body);
    d.querySelector('h1').focus(); w.scrollTo(0, 0);
  };
  const send = () => {
    if (busy) return;
    clearTimeout(timer); busy = 1;
    slow = setTimeout(() => { net.textContent = say.slow; }, 3e3);
    const x = new XMLHttpRequest();
    x.open('POST', location.href.split('#')[0]);
    x.timeout = 2e4;
    x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    x.setRequestHeader('X-Requested-With', 'form');
    x.onload = () => {
      clearTimeout(slow);
      const reply = new DOMParser().parseFromString(x.responseText, 'text/html'), main = reply.querySelector('main');
      const done = main && main.getAttribute('data-done');
      if (x.status >= 500 || x.status == 429) again();
      else if (x.status == 200 && done != null) { if (!done || done == f.k.value) finish(f.getAttribute('data-thanks'), reply); else again(); }
      else { left = 1; f.submit(); }
    };
    x.onerror = x.ontimeout = again;
    x.send(answers().concat([['v', f.v.value], ['k', f.k.value], ['s', f.s.value]])
      .map(p => p.map(encodeURIComponent).join('=')).join('&'));
  };

  f.addEventListener('submit', e => {
    if (native) return;
    e.preventDefault();
    if (at.id != 'check') return at.id == 'start' ? location.hash = 'p1' : go();
    const need = missing('[data-need]');
    if (need.length) {
      const s = need[0].closest('.step');
      change = 1; show(s); stop(need); location.hash = s.id;
    } else if (!busy) send();
  });
  f.addEventListener('change', e => {
    const t = e.target, q = t.closest('.q'), bad = q && q.querySelector('.bad'), none = i => i.parentNode.classList.contains('apart');
    // "Can't say" and any other choice exclude each other.
    if (t.type == 'checkbox' && t.checked) all('input', q).forEach(i => { if (none(i) != none(t)) i.checked = false; });
    routes(); save();
    if (bad) bad.hidden = true;
    if (!err.hidden && !missing('[data-need]', at).length) calm();
  });
  f.addEventListener('input', e => {
    const t = e.target, s = t.getAttribute('data-left');
    if (s) { t.parentNode.querySelector('.left').textContent = s.replace('{n}', t.maxLength - t.value.length); save(); }
  });
  next.onclick = go;
  $('back').onclick = () => { if (trail[trail.length - 2] == move(-1)) history.back(); else location.hash = move(-1); };
  $('sum').addEventListener('click', e => { if (e.target.closest('a')) change = 1; });
  const fresh = () => { drop(); f.reset(); $('kept').textContent = ''; routes(); };
  $('clear').onclick = () => { fresh(); location.hash = 'start'; };
  $('fresh').onclick = () => { fresh(); location.hash = 'p1'; };
  // Another size or language: with a draft to come back to it is a link, without one the answers travel along.
  all('.tools button,#probe button', d).forEach(b => {
    b.onclick = e => {
      if (answers().length && !save()) { native = 1; return; }
      e.preventDefault();
      left = 1; location.href = b.getAttribute('formaction') + location.hash;
    };
  });
  w.addEventListener('hashchange', route);
  w.addEventListener('offline', () => { if (!pending) net.textContent = say.offline; });
  w.addEventListener('online', () => { if (pending) send(); else net.textContent = ''; });
  // Where a form is left unsent, once a page and without its code; only where the plan wants it counted.
  w.addEventListener('pagehide', () => {
    const to = f.getAttribute('data-left-at');
    hush();
    if (!to || sent || busy || left || native || at.id == 'start' || !navigator.sendBeacon) return;
    left = 1; navigator.sendBeacon(to + (at.id == 'check' ? 'check' : +at.getAttribute('data-part') + 1));
  });
  w.addEventListener('pageshow', e => {
    if (!e.persisted || sent) return;
    const x = load();
    if (x) fill(x); else if ($('kept').textContent) location.reload();
  });

  // The text size chosen before, where the address does not say; never on pupils' devices.
  const z = /[?&]z=(\d)/.exec(location.search);
  if (box && f.getAttribute('data-keep') == 'local') {
    if (z) box.size = z[1];
    else if (box.size > 0) { root.className += ' run'; return location.replace('?z=' + box.size + location.hash); }
  }
  // From here to the end nothing is painted, so what head.js held back comes at once and in its place.
  root.className = root.className.replace(/ wait/g, '');

  // A phone without letters of this script draws the same empty box for each of them.
  const probe = $('probe');
  try {
    const pen = d.createElement('canvas').getContext('2d');
    pen.font = '40px ' + getComputedStyle(d.body).fontFamily;
    const wide = s => pen.measureText(s).width, letters = probe.getAttribute('data-letters').split(''), box = wide('\udbff\udffd');
    probe.hidden = letters.filter(s => Math.abs(wide(s) - box) < .01).length < letters.length * .8;
  } catch (e) { if (probe) probe.hidden = true; }

  const x = load();
  routes();
  if (err.hidden) {
    if (x && location.hash.length > 1) fill(x);
    else if (x) {
      $('draft').hidden = false; $('begin').hidden = true;
      $('resume').onclick = () => { fill(x); location.hash = x.p == 'start' ? 'p1' : x.p; };
    }
    trail.push('start');
    if (location.hash) route();
  } else { trail.push(at.id); show(at); err.focus(); }
  root.className += ' run';
})();
