// What a browser runs when a notice comes: shows the words it was given, and opens the portal when they are clicked. It keeps
// nothing and fetches nothing. So it also does not register anew what the browser's push service took away
// (pushsubscriptionchange): it would do that in the name of whoever is signed in just then, who may be another person or nobody,
// and not every browser says which registration it was. The node hears from the service that the device is no more and takes it
// off the list; whoever does not look is reached by the next rungs, the mail and the call.
'use strict';
self.addEventListener('push', (event) => {
  const body = event.data ? event.data.text() : '';
  const shown = { body, icon: '/static/icon.svg', tag: 'doorstroom', renotify: true };
  event.waitUntil(self.registration.showNotification('Doorstroom', shown));
});
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/thuis'));
});
