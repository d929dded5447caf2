// Keeps a page live: cells that changed are written and flash once; silence turns the page grey with its time.
// Only text is ever written. When rows come or go the page is fetched again and its main part replaced.
'use strict';
(() => {
  let main = document.querySelector('main[data-live]');
  if (!main || !window.EventSource) return;
  const WORDS = main.dataset.words.split('|');
  const [LIVE, CATCHING_UP, JUST_NOW, HOURS, DAYS] = WORDS;
  const DAY = 86400000;
  const QUARTER = 900000;
  const AGAIN_AFTER = 5000;
  let lastHeard = performance.now();
  let heard = main.dataset.heard;
  let ahead = Number(main.dataset.now) - Date.now();
  let position = main.dataset.position;
  let quarter = Math.floor(Number(main.dataset.now) / QUARTER);
  let trouble = false;
  let source = null;
  let cells = new Map();
  let words = new Map();
  let refreshing = false;
  let again = false;

  const byId = (id) => document.getElementById(id);
  const write = (node, text) => {
    if (node && node.textContent !== text) node.textContent = text;
  };
  const find = () => {
    cells = new Map(Array.from(main.querySelectorAll('[data-k]'), (node) => [node.dataset.k, node]));
    words = new Map(Array.from(main.querySelectorAll('[data-w]'), (node) => [node.dataset.w, node]));
  };
  const flash = (node) => {
    node.classList.remove('flash');
    void node.offsetWidth; // starts the animation anew
    node.classList.add('flash');
  };

  const setRow = (node, [level, ...numbers]) => {
    const leveled = node.classList.contains('lv') ? node : node.querySelector('.lv');
    const spots = node.querySelectorAll('.n');
    numbers.forEach((number, index) => {
      const spot = spots[index];
      if (!spot) return;
      const text = index === 0 && level === 3 ? '–' : String(number);
      if (spot.textContent === text) return;
      spot.textContent = text;
      spot.classList.toggle('z', number === 0 && node !== leveled);
      flash(index === 0 && leveled ? leveled : spot);
    });
    if (leveled && !leveled.classList.contains('l' + level)) {
      leveled.classList.remove('l0', 'l1', 'l2', 'l3');
      leveled.classList.add('l' + level);
    }
  };

  const age = (millis) => {
    const minutes = Math.floor((Date.now() + ahead - millis) / 60000);
    if (minutes < 1) return JUST_NOW;
    if (minutes < 120) return minutes + ' min';
    if (minutes < 2880) return Math.floor(minutes / 60) + ' ' + HOURS;
    return Math.floor(minutes / 1440) + ' ' + DAYS;
  };
  const ages = () => {
    for (const node of words.values()) {
      const at = Number(node.querySelector('time').dataset.at);
      write(node.querySelector('.age'), '(' + age(at) + ')');
      node.classList.toggle('old', Date.now() + ahead - at > DAY);
    }
  };

  const sound = (message) => {
    lastHeard = performance.now();
    heard = message.heard;
    position = message.position;
    write(byId('stands'), message.stands);
    write(byId('position'), String(message.position));
    write(byId('made'), message.made);
    show();
  };
  const show = () => {
    const silent = performance.now() - lastHeard > Number(main.dataset.silentAfter) * 1000;
    const banner = byId('silence');
    document.documentElement.classList.toggle('grey', silent || trouble);
    if (silent || trouble) {
      const text = (silent ? main.dataset.silent : main.dataset.trouble).replace('%t', heard);
      banner.hidden = false;
      write(banner, text);
    } else {
      banner.hidden = true;
      write(banner, '');
    }
  };

  // A board that shows a part of its locations: which they are by now the server says.
  let sieving = 0;
  const moved = (at) => {
    if (!('sieved' in main.dataset)) {
      document.dispatchEvent(new CustomEvent('moved', { detail: at }));
    } else if (!sieving) {
      // Later, so that what changed is seen to change.
      sieving = setTimeout(() => {
        sieving = 0;
        refresh();
      }, 1000);
    }
  };

  // The page as the server has it now; what differs flashes. A document from XMLHttpRequest runs no script.
  const refresh = () => {
    if (refreshing) {
      again = true;
      return;
    }
    refreshing = true;
    const request = new XMLHttpRequest();
    request.responseType = 'document';
    request.open('GET', location.href);
    request.onloadend = () => {
      const fresh = request.status === 200 && request.response ? request.response.querySelector('main') : null;
      if (fresh) replace(document.adoptNode(fresh));
      setTimeout(() => {
        refreshing = false;
        if (again) {
          again = false;
          refresh();
        }
      }, 1000);
    };
    request.send();
  };
  const replace = (fresh) => {
    const before = new Map();
    for (const [key, node] of cells) {
      before.set(key, Array.from(node.querySelectorAll('.n'), (spot) => spot.textContent));
    }
    // What somebody is choosing stays as it is chosen so far.
    const [choosing, chosen] = [main, fresh].map((one) => one.querySelector('.sieve'));
    const field = choosing && choosing.contains(document.activeElement) ? document.activeElement : null;
    if (choosing && chosen) chosen.replaceWith(choosing);
    const focused = !field && document.activeElement && main.contains(document.activeElement) ? document.activeElement : null;
    const links = focused ? Array.from(main.querySelectorAll('a')).indexOf(focused) : -1;
    const target = focused ? focused.getAttribute('href') : null;
    main.replaceWith(fresh);
    main = fresh;
    find();
    for (const [key, node] of cells) {
      const old = before.get(key);
      node.querySelectorAll('.n').forEach((spot, index) => {
        if (!old || old[index] !== spot.textContent) flash(spot);
      });
    }
    if (target !== null) {
      const all = Array.from(main.querySelectorAll('a'));
      const same = all[links] && all[links].getAttribute('href') === target
        ? all[links] : all.find((link) => link.getAttribute('href') === target);
      if (same) same.focus({ preventScroll: true });
    }
    if (field) field.focus({ preventScroll: true });
    position = main.dataset.position;
    show();
  };

  const connect = () => {
    if (source || document.hidden) return;
    const address = new URL(main.dataset.live, location.href);
    address.searchParams.set('after', position);
    address.searchParams.set('structure', main.dataset.structure);
    source = new EventSource(address);
    source.addEventListener('cells', (event) => {
      const message = JSON.parse(event.data);
      sound(message);
      if (message.structure !== main.dataset.structure) {
        refresh();
        return;
      }
      for (const [key, row] of Object.entries(message.rows)) {
        const node = cells.get(key);
        if (node) setRow(node, row);
      }
      for (const [key, [millis, text]] of Object.entries(message.words)) {
        const node = words.get(key);
        if (!node) continue;
        const time = node.querySelector('time');
        time.dataset.at = millis;
        write(time, text);
      }
      ages();
      moved(message.position);
    });
    source.addEventListener('beat', (event) => {
      const message = JSON.parse(event.data);
      ahead = message.now - Date.now();
      trouble = !message.ok;
      byId('dot').classList.toggle('on', message.live);
      write(byId('mode'), message.live ? LIVE : CATCHING_UP);
      sound(message);
      // What can be admitted changes with the hour too, without an event.
      if (Math.floor(message.now / QUARTER) !== quarter) {
        quarter = Math.floor(message.now / QUARTER);
        moved(message.position);
      }
      ages();
    });
    // A browser gives up for good when the answer is an error; then we try again ourselves.
    source.onerror = () => {
      if (!source || source.readyState !== EventSource.CLOSED) return;
      source = null;
      setTimeout(connect, AGAIN_AFTER);
    };
  };
  // A browser has few connections to one host: a page that nobody looks at gives its own back.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && source) {
      source.close();
      source = null;
    } else {
      lastHeard = performance.now();
      connect();
    }
  });

  find();
  connect();
  setInterval(show, 1000);
  setInterval(ages, 15000);
})();
