// What is done on a page: forms are sent without leaving it, kept and sent again with the same id until there is a receipt;
// a page that is told of a change fetches its parts anew. Only text and fetched documents are ever written.
'use strict';
(() => {
  const SAID = (document.body.dataset.said || '').split('|');
  const [NOT_SAVED, SENT_AGAIN, SAVED, , CHANGED, SIGNED_OUT, SEE, NOT_TAKEN, SENT_AFTER, LOST, DRAFTED, SIGN_IN, SEEN] = SAID;
  const WHO = document.body.dataset.who || '';
  const KEY = 'doorstroom.outbox';
  const DRAFTS = 'doorstroom.draft.';
  const DRAFT = DRAFTS + WHO + '/';
  const AGAIN_AFTER = 4000;
  const GIVE_UP_AFTER = 10000;
  const KEPT_MAX = 100;

  const read = (store, key, otherwise) => {
    try {
      return JSON.parse(store.getItem(key)) || otherwise;
    } catch {
      return otherwise;
    }
  };
  const write = (store, key, value) => {
    try {
      store.setItem(key, JSON.stringify(value));
    } catch { /* a full or forbidden store: what is kept is kept in memory */ }
  };

  // What was not recorded yet: kept over a reload where nothing of it is personal, in memory otherwise.
  let waiting = read(localStorage, KEY, []).filter((one) => one.who === WHO);
  const keep = () => write(localStorage, KEY,
    read(localStorage, KEY, []).filter((one) => one.who !== WHO).concat(waiting.filter((one) => one.keep)).slice(-KEPT_MAX));
  const outbox = document.getElementById('outbox');
  const line = (...what) => {
    const line = document.createElement('p');
    line.append(...what);
    return line;
  };
  const link = (to, text) => {
    const link = document.createElement('a');
    link.href = to;
    link.textContent = text;
    return link;
  };
  // To sign in, and back here from there.
  const door = () => {
    const here = new URL(location.href);
    here.searchParams.delete('na');
    return link('/inloggen?naar=' + encodeURIComponent(here.pathname + here.search), SIGN_IN);
  };
  // Whoever the page is of is signed out: what waits is sent when they are back.
  let out = false;
  const tell = () => {
    for (const old of outbox.querySelectorAll('[data-waits]')) old.remove();
    const lines = waiting.map((one) => {
      const word = document.createElement('b');
      word.textContent = NOT_SAVED;
      const told = line(word, ' ' + one.label + ' – ' + (out ? SENT_AFTER : SENT_AGAIN), ...(out ? [' ', door()] : []));
      told.dataset.waits = '';
      return told;
    });
    outbox.prepend(...lines);
    outbox.hidden = outbox.childElementCount === 0;
  };
  // What went well is told for a moment; what did not stands there until it is seen, whatever is done after it.
  const announce = (text, bad, ...more) => {
    const told = line(text, ...more);
    const away = () => {
      told.remove();
      outbox.hidden = outbox.childElementCount === 0;
    };
    if (bad) {
      const seen = document.createElement('button');
      seen.type = 'button';
      seen.className = 'link';
      seen.textContent = SEEN;
      seen.addEventListener('click', away);
      told.append(' ', seen);
    } else setTimeout(away, 8000);
    outbox.append(told);
    outbox.hidden = false;
  };

  // The sentence of a refusal; none in what is no problem of ours, such as a page.
  const sentence = (text) => {
    try {
      const { title, detail } = JSON.parse(text);
      return title && detail ? title + '. ' + detail : '';
    } catch {
      return '';
    }
  };
  // How many are under way, and the positions of what was recorded from here: no change by somebody else.
  let acting = 0;
  const mine = new Set();
  // Sends one; resolves to what became of it: done, refused (with a sentence), or away (out: because nobody is signed in).
  // Whatever the node answers that sending it again would not change is a refusal, or those behind it would wait for ever.
  const send = async (one) => {
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), GIVE_UP_AFTER);
    acting += 1;
    try {
      const answer = await fetch(one.to, {
        method: 'POST', body: one.body, signal: end.signal, redirect: 'error', credentials: 'same-origin',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', 'doorstroom-who': one.who },
      });
      if (answer.ok) {
        const { position, events } = await answer.json();
        for (let at = 0; at < events.length; at += 1) mine.add(position - at);
        return { done: true, position };
      }
      if (answer.status === 401) return { away: true, out: true };
      if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return { away: true };
      const said = sentence(await answer.text()) || NOT_TAKEN.replace('%n', answer.status);
      return { refused: true, said, see: answer.headers.get('doorstroom-see') };
    } catch {
      return { away: true };
    } finally {
      clearTimeout(timer);
      acting -= 1;
      if (due) setTimeout(pull);
    }
  };

  // Where a form says what became of it.
  const say = (said, text, bad, ...more) => {
    said.replaceChildren(text, ...more);
    if (bad) said.dataset.bad = ''; else delete said.dataset.bad;
  };
  // Something of this page was recorded: why another was refused before it may be over, and what was recorded before is old.
  const settled = () => {
    for (const said of document.querySelectorAll('output.said')) {
      if ('bad' in said.dataset || said.textContent === SAVED) say(said, '', false);
    }
  };
  // The form of what waits, as long as the page is the same.
  const forms = new WeakMap();
  const leaves = (one, text) => {
    waiting = waiting.filter((other) => other !== one);
    keep();
    tell();
    const form = forms.get(one);
    if (!form) return;
    const said = form.querySelector('output');
    if (said) say(said, text, false);
    if (text === SAVED && form.dataset.draft) forget(form);
  };
  let sending = false;
  const again = async () => {
    if (sending || waiting.length === 0) return;
    sending = true;
    for (const one of waiting.slice()) {
      const became = await send(one);
      const was = out;
      out = became.out === true;
      if (became.away) {
        // What is kept nowhere is over with the page: it does not wait for somebody to sign in.
        for (const lost of out ? waiting.filter((other) => !other.keep) : []) {
          leaves(lost, '');
          announce(lost.label + ': ' + LOST, true, ' ', door());
        }
        if (out !== was) tell();
        break;
      }
      if (became.done) {
        settled();
        leaves(one, SAVED);
        announce(one.label + ': ' + SAVED);
        refresh(became.position);
      } else {
        leaves(one, '');
        announce(one.label + ': ' + became.said, true, ...(became.see ? [' ', link(became.see, SEE)] : []));
      }
    }
    sending = false;
  };

  // An id for the next press (UUIDv7): each press is an act of its own, also on a page that could not be fetched anew.
  const fresh = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    let now = Date.now();
    for (let at = 5; at >= 0; at -= 1) {
      bytes[at] = now % 256;
      now = Math.floor(now / 256);
    }
    bytes[6] = bytes[6] % 16 + 0x70;
    bytes[8] = bytes[8] % 64 + 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  };
  // The same button pressed again while the first press still waits: one act.
  const same = (one, other) => one !== undefined && one.to === other.to
    && one.body.replace(/(^|&)id=[^&]*/, '') === other.body.replace(/(^|&)id=[^&]*/, '');
  const label = (form, button) => (form.dataset.label || (button && button.textContent) || document.title).trim().replace(/\s+/g, ' ');
  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!form.matches('form[data-act]') || event.defaultPrevented) return;
    event.preventDefault();
    if (form.dataset.sending) return;
    const button = event.submitter;
    const body = new URLSearchParams(new FormData(form, button));
    const one = {
      to: (button && button.getAttribute('formaction')) || form.getAttribute('action'), body: body.toString(),
      label: label(form, button), who: WHO, keep: 'keep' in form.dataset,
    };
    if (form.elements.id) form.elements.id.value = fresh();
    const said = form.querySelector('output');
    form.dataset.sending = 'yes';
    if (said) say(said, NOT_SAVED, false);
    const became = await send(one);
    delete form.dataset.sending;
    out = became.out === true;
    if (became.refused) {
      const see = became.see ? [' ', link(became.see, SEE)] : [];
      if (said) say(said, became.said, true, ...see); else announce(one.label + ': ' + became.said, true, ...see);
      return;
    }
    if (out && !one.keep) {
      // It holds what is kept nowhere, so it can not wait for somebody to sign in.
      const why = form.dataset.draft ? DRAFTED : LOST;
      if (form.dataset.draft) draw(form);
      if (said) say(said, why, true, ' ', door()); else announce(one.label + ': ' + why, true, ' ', door());
      return;
    }
    if (became.away) {
      if (said) say(said, NOT_SAVED + ' – ' + (out ? SENT_AFTER : SENT_AGAIN), false, ...(out ? [' ', door()] : []));
      if (!same(waiting[waiting.length - 1], one)) waiting.push(one);
      forms.set(waiting[waiting.length - 1], form);
      keep();
      tell();
      return;
    }
    settled();
    if (said) say(said, SAVED, false);
    if (form.dataset.draft) forget(form);
    delete form.dataset.dirty;
    if ('go' in form.dataset || !document.querySelector('[data-part]')) {
      const back = new URL(body.get('naar') || location.href, location.href);
      back.searchParams.set('na', became.position);
      location.assign(back);
    } else {
      form.reset();
      recorded.add(form);
      refresh(became.position);
    }
  });
  window.addEventListener('online', again);
  setInterval(again, AGAIN_AFTER);
  tell();

  // A draft survives the next call: what was typed into a form that says so, except what is personal. Never for the next who signs in.
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(DRAFTS) && !key.startsWith(DRAFT)) sessionStorage.removeItem(key);
    }
  } catch { /* no store, no drafts */ }
  const fields = (form) => Array.from(form.elements)
    .filter((field) => field.name && field.type !== 'hidden' && !('personal' in field.dataset));
  const draw = (form) => {
    const draft = {};
    for (const field of fields(form)) {
      if ((field.type === 'checkbox' || field.type === 'radio') && !field.checked) continue;
      (draft[field.name] = draft[field.name] || []).push(field.value);
    }
    write(sessionStorage, DRAFT + form.dataset.draft, draft);
  };
  const forget = (form) => {
    try {
      sessionStorage.removeItem(DRAFT + form.dataset.draft);
    } catch { /* no store, no drafts */ }
  };
  for (const form of document.querySelectorAll('form[data-draft]')) {
    const kept = read(sessionStorage, DRAFT + form.dataset.draft, null);
    if (kept) {
      for (const field of fields(form)) {
        const values = kept[field.name];
        if (!values) continue;
        if (field.type === 'checkbox' || field.type === 'radio') field.checked = values.includes(field.value);
        else field.value = values[0];
      }
      for (const told of form.querySelectorAll('[data-drafted]')) told.hidden = false;
    }
    form.addEventListener('input', () => draw(form));
  }
  document.addEventListener('input', (event) => {
    if (event.target.form) event.target.form.dataset.dirty = 'yes';
  });

  // Parts of a page, fetched again when something changed.
  const main = document.querySelector('main[data-follow]');
  let wanted = 0;
  let fetching = false;
  // Asked for again while it was under way, or while something was sent from here: whose change it is, is known after that.
  let due = false;
  // The positions of the changes that were told, and the forms of what was recorded, since the last time.
  const changed = new Set();
  const recorded = new Set();
  const busy = (part) => part.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')
    || part.querySelector('form[data-dirty], form[data-sending]') !== null;
  const refresh = (position) => {
    wanted = Math.max(wanted, Number(position) || 0);
    pull();
  };
  const pull = async () => {
    if (!document.querySelector('[data-part]')) return;
    due = true;
    if (fetching || acting > 0) return;
    fetching = true;
    due = false;
    const upTo = wanted;
    const [changes, from] = [Array.from(changed), Array.from(recorded)];
    changed.clear();
    recorded.clear();
    try {
      const address = new URL(location.href);
      if (upTo) address.searchParams.set('na', upTo);
      const { page, url } = await fetched(address);
      if (new URL(url).pathname !== address.pathname) announce(SIGNED_OUT, false, ' ', door());
      else replace(page, from, changes.some((at) => !mine.has(at)));
    } catch {
      // The stream says when it is silent.
      for (const at of changes) changed.add(at);
      for (const form of from) recorded.add(form);
    }
    fetching = false;
    if (due) setTimeout(pull, 250);
  };
  // A document from XMLHttpRequest runs no script and needs no markup written by this one.
  const fetched = (address) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = 'document';
    request.open('GET', address);
    request.setRequestHeader('doorstroom-refresh', '1');
    request.onload = () => (request.status === 200 && request.response
      ? resolve({ page: request.response, url: request.responseURL }) : reject(new Error('no document')));
    request.onerror = () => reject(new Error('away'));
    request.send();
  });
  // Ids of acts are new in every answer: they are no difference.
  const bare = (part) => part.innerHTML.replace(/name="(id|stay|referral|to\[\d+\]\[offer\]|\?to\[\d+\]\[offer\])" value="[0-9a-f-]{36}"/g, '')
    .replace(/[?&]na=\d+/g, '')
    // What the script itself writes is none either.
    .replace(/(<output\b[^>]*>)[\s\S]*?<\/output>/g, '$1</output>').replace(/<p class="meanwhile"[^>]*>[^<]*<\/p>/g, '')
    .replace(/<time[^>]*data-until="(\d+)"[^>]*>[^<]*/g, '<time $1>').replace(/ open=""/g, '').replace(/ data-(bad|dirty|sending)="[^"]*"/g, '');
  const names = (root) => Array.from(root.querySelectorAll('[data-part]'), (part) => part.dataset.part).join();
  // What a part that could not be replaced would have been: told once.
  const seen = new WeakMap();
  const note = (part) => {
    if (part.querySelector(':scope > .meanwhile')) return;
    const note = line(CHANGED);
    note.className = 'meanwhile';
    note.setAttribute('role', 'status');
    part.prepend(note);
  };
  // `from` are the forms of what was recorded here; `ofOthers` says that somebody else changed something too.
  const replace = (fresh, from, ofOthers) => {
    const [now, then] = [document.getElementById('main'), fresh.getElementById('main')];
    // Parts came or went: the page is another one, unless somebody is typing elsewhere on it.
    if (then && main && names(now) !== names(then)) {
      const typing = Array.from(now.querySelectorAll('form[data-dirty]')).some((form) => !from.includes(form));
      if (!typing) {
        const focus = document.activeElement && document.activeElement.id;
        now.replaceChildren(...Array.from(document.adoptNode(then).childNodes));
        if (focus && document.getElementById(focus)) document.getElementById(focus).focus({ preventScroll: true });
        count();
        return;
      }
    }
    for (const part of document.querySelectorAll('[data-part]')) {
      const other = fresh.querySelector('[data-part="' + CSS.escape(part.dataset.part) + '"]');
      const own = from.some((form) => part.contains(form));
      if (!other) {
        // What was done here is over, and can not be done again.
        if (own) part.remove();
        continue;
      }
      const meant = bare(other);
      if (meant === bare(part) && !own) {
        for (const told of part.querySelectorAll(':scope > .meanwhile')) told.remove();
        continue;
      }
      if (busy(part) && !own) {
        // One's own change is no news.
        if (ofOthers && meant !== seen.get(part)) note(part);
        seen.set(part, meant);
        continue;
      }
      const opened = Array.from(part.querySelectorAll('details[open][id]'), (one) => one.id);
      const focus = part.contains(document.activeElement) ? document.activeElement.id : '';
      const copy = document.adoptNode(other);
      part.replaceWith(copy);
      for (const id of opened) {
        const details = document.getElementById(id);
        if (details) details.open = true;
      }
      if (focus && document.getElementById(focus)) document.getElementById(focus).focus({ preventScroll: true });
      copy.classList.add('flash-part');
    }
  };
  // The board's own feed writes its numbers itself; what else is on that page is fetched.
  document.addEventListener('moved', (event) => setTimeout(() => {
    changed.add(event.detail);
    refresh(event.detail);
  }, 1000));
  if (main && window.EventSource) {
    const banner = document.getElementById('silence');
    let last = performance.now();
    let heard = main.dataset.heard;
    let ok = true;
    const show = () => {
      const silent = performance.now() - last > Number(main.dataset.silentAfter) * 1000;
      document.documentElement.classList.toggle('grey', silent || !ok);
      if (banner) {
        banner.hidden = !silent && ok;
        banner.textContent = silent ? main.dataset.silent.replace('%t', heard) : ok ? '' : main.dataset.trouble.replace('%t', heard);
      }
    };
    const sound = (message) => {
      last = performance.now();
      heard = message.heard;
      ok = message.ok;
      for (const [id, text] of [['stands', heard], ['made', message.made], ['position', String(message.position)]]) {
        const node = document.getElementById(id);
        if (node) node.textContent = text;
      }
      show();
    };
    let source = null;
    const connect = () => {
      if (source || document.hidden) return;
      const address = new URL(main.dataset.follow, location.href);
      address.searchParams.set('na', main.dataset.position);
      const opened = new EventSource(address);
      source = opened;
      opened.addEventListener('beat', (event) => sound(JSON.parse(event.data)));
      opened.addEventListener('changed', (event) => {
        const message = JSON.parse(event.data);
        sound(message);
        main.dataset.position = message.position;
        changed.add(message.position);
        refresh(message.position);
      });
      opened.onerror = () => {
        if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
        source = null;
        setTimeout(connect, 5000);
      };
    };
    // A browser has few connections to one host: a page that nobody looks at gives its own back.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && source) {
        source.close();
        source = null;
      } else {
        last = performance.now();
        connect();
      }
    });
    connect();
    setInterval(show, 1000);
  }

  // Deadlines count down; the server says when, the page how long still.
  const [DAYS, HOURS] = (document.body.dataset.units || 'd|u').split('|');
  const count = () => {
    for (const node of document.querySelectorAll('time[data-until]')) {
      const left = Math.round((Number(node.dataset.until) - Date.now()) / 1000);
      const abs = Math.abs(left);
      const text = abs < 3600 ? Math.floor(abs / 60) + ':' + String(abs % 60).padStart(2, '0')
        : abs < 172800 ? Math.floor(abs / 3600) + ' ' + HOURS + ' ' + Math.floor(abs % 3600 / 60) + ' min'
        : Math.floor(abs / 86400) + ' ' + DAYS;
      node.textContent = (left < 0 ? '−' : '') + text;
      node.classList.toggle('late', left < 0);
    }
  };
  count();
  setInterval(count, 1000);

  // Shortcuts: a key followed by nothing else goes where a link with that key leads. Off while somebody types.
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input, select, textarea')) return;
    const link = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]');
    if (link) {
      event.preventDefault();
      if (link.matches('a[href]')) link.click(); else link.focus();
    }
  });

  again();
})();
