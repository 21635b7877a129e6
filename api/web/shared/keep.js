// @ts-check
/** Small values that outlive a page, where the browser allows it. */

/** @param {Storage | null} storage */
function keeper(storage) {
  const prefix = 'livechatlog.';
  return {
    /** Whether what is written is there afterwards. */
    get works() {
      try {
        storage?.setItem(`${prefix}probe`, '1');
        storage?.removeItem(`${prefix}probe`);
        return storage !== null;
      } catch {
        return false;
      }
    },
    /** @param {string} name @returns {any} */
    read(name) {
      try {
        return JSON.parse(storage?.getItem(prefix + name) ?? 'null');
      } catch {
        return null;
      }
    },
    /** @param {string} name @param {unknown} value `null` removes it. */
    write(name, value) {
      try {
        if (value === null) storage?.removeItem(prefix + name);
        else storage?.setItem(prefix + name, JSON.stringify(value));
      } catch {
        // A full or forbidden storage: the page works without it until it is closed.
      }
    },
  };
}

/** @param {() => Storage} open */
function attempt(open) {
  try {
    return open();
  } catch {
    return null;
  }
}

/** Until the tab is closed. */
export const tab = keeper(attempt(() => sessionStorage));

/** Until it is removed, for all tabs. */
export const browser = keeper(attempt(() => localStorage));
