// @ts-check
/** A sound and a notification for messages in the agent's own chats: once over all tabs, and not for a chat that one of them shows. */
import { pause } from '../shared/api.js';
import { browser } from '../shared/keep.js';
import { go, named } from './ui.js';

/** Messages that a tab shows or has rung for already, by id. */
const settled = new Set();
const channel = new BroadcastChannel('livechatlog.alerts');
channel.onmessage = ({ data }) => settled.add(data);

/** How long a tab leaves the others time, at least and in addition by chance. */
const WAIT_MS = 60;
const CHANCE_MS = 200;

/** @param {any} chat @param {any} event @param {boolean} is_shown whether this tab shows it */
export async function alert_once(chat, event, is_shown) {
  if (!is_shown) await pause(WAIT_MS + Math.random() * CHANCE_MS);
  if (settled.has(event.id)) return;
  settled.add(event.id);
  channel.postMessage(event.id);
  if (!is_shown) alert_now(chat, event);
}

/** @param {any} chat @param {any} event */
function alert_now(chat, event) {
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
