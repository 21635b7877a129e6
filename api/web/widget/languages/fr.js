export default {
  title: 'Discuter avec nous', greeting: 'Bonjour ! Comment pouvons-nous vous aider ?', about: 'Écrivez-nous. Nous répondons ici.',
  name: 'Votre nom', email: 'E-mail', optional: 'facultatif', message: 'Message', write: 'Écrire un message',
  reopen: 'Écrivez pour reprendre la discussion', start: 'Commencer', send: 'Envoyer', close: 'Fermer la fenêtre',
  end: 'Terminer', endSure: 'Terminer cette discussion ?', keep: 'La garder ouverte', waiting: 'Un conseiller va vous répondre',
  place: 'Vous êtes numéro {0} dans la file', next: 'Vous êtes le prochain', with: 'Vous discutez avec {0}', typing: '{0} écrit',
  closed: 'Cette discussion est terminée', joined: '{0} a rejoint la discussion', left: '{0} a quitté la discussion',
  began: 'La discussion a commencé', moved: 'Votre discussion a été confiée à une autre équipe', you: 'Vous', agent: 'Conseiller',
  seen: 'Lu', sending: 'Envoi', unsent: 'Non envoyé', again: 'Réessayer', discard: 'Abandonner',
  offline: 'Pas de connexion. Vos messages sont gardés et envoyés plus tard.', loading: 'Chargement', messages: 'Messages',
  failed: 'Cela n’a pas fonctionné. Veuillez réessayer.', empty: 'Veuillez écrire un message.',
  invalidEmail: 'Ce n’est pas une adresse e-mail.', tooMany: 'Trop de messages à la fois. Le vôtre sera envoyé dans un instant.',
};
