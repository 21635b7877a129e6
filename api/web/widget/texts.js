// @ts-check
/** The words of the widget. English is here; other languages are loaded when they are asked for. */

export const english = {
  direction: 'ltr',
  title: 'Chat with us',
  greeting: 'Hello! How can we help?',
  about: 'Leave a message. We answer right here.',
  name: 'Your name',
  email: 'E-mail',
  optional: 'optional',
  message: 'Message',
  write: 'Write a message',
  reopen: 'Write to continue this chat',
  start: 'Start the chat',
  send: 'Send',
  close: 'Close the chat window',
  end: 'End chat',
  endSure: 'End this chat?',
  keep: 'Keep it open',
  waiting: 'Waiting for an agent',
  place: 'You are number {0} in the queue',
  next: 'You are next',
  with: 'You are talking with {0}',
  typing: '{0} is typing',
  closed: 'This chat has ended',
  joined: '{0} has joined',
  left: '{0} has left',
  began: 'The chat began',
  moved: 'You were passed on to another team',
  you: 'You',
  agent: 'Agent',
  seen: 'Seen',
  sending: 'Sending',
  unsent: 'Not sent',
  again: 'Try again',
  discard: 'Discard',
  offline: 'No connection. What you write is kept and sent later.',
  loading: 'Loading',
  messages: 'Messages',
  failed: 'This did not work. Please try again.',
  empty: 'Please write a message.',
  invalidEmail: 'This is not an e-mail address.',
  tooMany: 'Too many messages at once. Yours will be sent in a moment.',
};

/** @typedef {typeof english} Texts */

const LANGUAGES = ['ar', 'de', 'es', 'fr'];

/** @param {string} wanted such as `de-CH` @returns {Promise<{ code: string, texts: Texts }>} */
export async function texts(wanted) {
  const code = wanted.toLowerCase().split('-')[0];
  if (!LANGUAGES.includes(code)) return { code: 'en', texts: english };
  try {
    const { default: words } = await import(`./languages/${code}.js`);
    return { code, texts: { ...english, ...words } };
  } catch {
    return { code: 'en', texts: english };
  }
}

/** @param {string} text @param {string} value */
export const fill = (text, value) => text.replace('{0}', () => value);
