// GraphiQL, with requests to this server only.

const { React, ReactDOM, GraphiQL } = /** @type {any} */ (window);

// A query may hold a password, so nothing outlasts the tab.
const kept = new Map();
const storage = {
  getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  removeItem: (/** @type {string} */ key) => kept.delete(key),
  clear: () => kept.clear(),
  get length() { return kept.size; },
};

const firstQuery = `# Log in, and put the token under Headers: { "Authorization": "Bearer …" }
mutation {
  logIn(email: "", password: "") {
    accessToken
  }
}
`;

/**
 * @param {object} request
 * @param {{ headers?: Record<string, string> }} [options]
 */
async function fetcher(request, options) {
  const headers = {
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
    ...options?.headers,
  };
  const response = await fetch('../graphql', { method: 'POST', headers, body: JSON.stringify(request) });
  return response.json();
}

const editor = React.createElement(GraphiQL, { fetcher, storage, defaultQuery: firstQuery, defaultEditorToolsVisibility: 'headers' });
ReactDOM.createRoot(document.getElementById('app')).render(editor);
