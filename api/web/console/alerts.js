// @ts-check
/** A sound and a notification for messages in the agent's own chats. Only the tab that holds the stream calls. */
import { browser } from '../shared/keep.js';
import { go, named } from './ui.js';

/** @param {any} chat @param {any} event */
export function alert_once(chat, event) {
  if (browser.read('sound') !== false) ring();
  if (browser.read('notices') && 'Notification' in window && Notification.permission === 'granted') {
    const shown = new Notification(named(chat.visitor), { body: event.content.slice(0, 140), tag: chat.id });
    shown.onclick = () => {
      window.focus();
      go('chats', 'mine', chat.id);
      shown.close();
    };
  }
}

/** @type {AudioContext | null} */
let audio = null;

/** Two soft tones, made here: nothing is loaded. */
function ring() {
  try {
    audio ??= new AudioContext();
    [660, 880].forEach((pitch, index) => tone(/** @type {AudioContext} */ (audio), pitch, index * 0.12));
  } catch {
    // A browser without sound.
  }
}

/** @param {AudioContext} audio @param {number} pitch @param {number} after seconds */
function tone(audio, pitch, after) {
  const [from, volume, source] = [audio.currentTime + after, audio.createGain(), audio.createOscillator()];
  source.frequency.value = pitch;
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(0.12, from + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, from + 0.3);
  source.connect(volume).connect(audio.destination);
  source.start(from);
  source.stop(from + 0.32);
}
