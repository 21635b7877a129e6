export default {
  title: 'Chat', greeting: 'Hallo! Wie können wir helfen?', about: 'Schreiben Sie uns. Wir antworten hier.', name: 'Ihr Name',
  email: 'E-Mail', optional: 'freiwillig', message: 'Nachricht', write: 'Nachricht schreiben',
  reopen: 'Schreiben Sie, um den Chat fortzusetzen', start: 'Chat beginnen', send: 'Senden', close: 'Chatfenster schließen',
  end: 'Chat beenden', endSure: 'Diesen Chat beenden?', keep: 'Offen lassen', waiting: 'Bitte warten Sie einen Moment',
  place: 'Sie sind Nummer {0} in der Warteschlange', next: 'Sie sind als Nächstes dran', with: 'Sie sprechen mit {0}',
  typing: '{0} schreibt', closed: 'Dieser Chat ist beendet', joined: '{0} ist dazugekommen', left: '{0} hat den Chat verlassen',
  began: 'Der Chat hat begonnen', moved: 'Sie wurden an ein anderes Team übergeben', you: 'Sie', agent: 'Mitarbeiter', seen: 'Gelesen',
  sending: 'Wird gesendet', unsent: 'Nicht gesendet', again: 'Erneut versuchen', discard: 'Verwerfen',
  offline: 'Keine Verbindung. Was Sie schreiben, wird aufbewahrt und später gesendet.', loading: 'Wird geladen', messages: 'Nachrichten',
  failed: 'Das hat nicht geklappt. Bitte versuchen Sie es noch einmal.', empty: 'Bitte schreiben Sie eine Nachricht.',
  invalidEmail: 'Das ist keine E-Mail-Adresse.', tooMany: 'Zu viele Nachrichten auf einmal. Ihre wird gleich gesendet.',
};
