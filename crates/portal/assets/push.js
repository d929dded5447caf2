// The page of notices: registers this browser with its push service, and sends what came of it as a form.
'use strict';
(() => {
  const form = document.getElementById('register');
  if (!form || !form.dataset.key) return;
  const said = form.querySelector('output');
  const button = form.querySelector('button');
  const [DENIED, FAILED, BUSY, SILENT] = (form.dataset.said || '').split('|');
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) {
    document.getElementById('unable').hidden = false;
    return;
  }
  form.hidden = false;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  // The one script that a page here may start by its address.
  const worker = window.trustedTypes
    ? window.trustedTypes.createPolicy('doorstroom', { createScriptURL: () => '/sw.js' }).createScriptURL('')
    : '/sw.js';

  // A browser that does not reach its push service may wait for it without end: whoever looks is told.
  const soon = (answer) =>
    Promise.race([
      answer,
      new Promise((_, no) => setTimeout(() => no(new Error(SILENT)), Number(form.dataset.silentAfter) * 1000)),
    ]);

  const registered = async () => {
    await navigator.serviceWorker.register(worker, { scope: '/' });
    const ready = await navigator.serviceWorker.ready;
    const key = bytes(form.dataset.key);
    const before = await ready.pushManager.getSubscription();
    // Registered for the key of another node, it would be told nothing.
    if (before && text(before.options.applicationServerKey) !== form.dataset.key) await before.unsubscribe();
    return ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  };

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    said.textContent = '';
    button.disabled = true;
    try {
      // However long the person takes to answer the browser's question.
      if ((await Notification.requestPermission()) !== 'granted') {
        said.textContent = DENIED;
        return;
      }
      said.textContent = BUSY;
      const made = await soon(registered());
      form.elements.endpoint.value = made.endpoint;
      form.elements.key.value = text(made.getKey('p256dh'));
      form.elements.auth.value = text(made.getKey('auth'));
      form.submit();
    } catch (error) {
      said.textContent = error.message === SILENT ? SILENT : FAILED;
    } finally {
      button.disabled = false;
    }
  });
})();
