// Starts GraphiQL, with a session: that of the console (by its cookie), a login, or a pasted access token.
"use strict";

const endpoint = "/graphql";
const byCookie = { "x-kabar-session": "cookie" };
const session = document.getElementById("session");
const who = document.getElementById("who");
const entry = document.getElementById("entry");
const leave = document.getElementById("leave");

/** The access token; `until` is when it ends, 0 when that is not known. */
let access = { token: null, until: 0 };

async function ask(query, variables, headers) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

const fields = "accessToken expiresAt viewer { user { email } tenant { name } role } userErrors { message }";

function use(payload) {
  if (!payload || !payload.accessToken) return false;
  access = { token: payload.accessToken, until: Date.parse(payload.expiresAt) };
  show(payload.viewer);
  return true;
}

function show(viewer) {
  who.textContent = viewer ? `${viewer.user.email} in ${viewer.tenant.name} (${viewer.role})` : "Not logged in";
  entry.hidden = Boolean(viewer);
  leave.hidden = !viewer;
}

/** Tabs of one browser refresh one after another: a refresh token is used once. */
function alone(work) {
  return navigator.locks ? navigator.locks.request("kabar-session", work) : work();
}

async function refresh() {
  return alone(async () => {
    const answer = await ask(`mutation { refreshSession { ${fields} } }`, {}, byCookie);
    return use(answer.data && answer.data.refreshSession);
  });
}

async function token() {
  const ending = access.until && access.until - Date.now() < 30_000;
  if (ending && !(await refresh())) {
    access = { token: null, until: 0 };
    show(null);
  }
  return access.token;
}

session.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(session);
  if (form.get("token")) {
    access = { token: form.get("token").trim(), until: 0 };
    const answer = await ask("{ viewer { user { email } tenant { name } role } }", {}, {
      authorization: `Bearer ${access.token}`,
    });
    show(answer.data && answer.data.viewer);
    if (answer.errors) who.textContent = answer.errors[0].message;
  } else {
    const input = { email: form.get("email"), password: form.get("password") };
    const answer = await ask(`mutation($input: LoginInput!) { login(input: $input) { ${fields} } }`, { input }, byCookie);
    if (!use(answer.data && answer.data.login)) {
      const refusals = answer.errors || answer.data.login.userErrors;
      who.textContent = refusals[0].message;
    }
  }
  session.reset();
});

leave.addEventListener("click", () => {
  access = { token: null, until: 0 };
  show(null);
});

const socket = graphqlWs.createClient({
  url: location.origin.replace("http", "ws") + endpoint + "/ws",
  connectionParams: async () => {
    const value = await token();
    return value ? { authorization: `Bearer ${value}` } : {};
  },
  shouldRetry: () => true,
});

const http = async (url, options) => {
  const value = await token();
  const headers = new Headers(options.headers);
  if (value) headers.set("authorization", `Bearer ${value}`);
  return fetch(url, { ...options, headers });
};

const start = `# Everything that Kabar can do is described in the panel on the left.
# Log in above, then press Ctrl+Enter.

query Hello {
  viewer {
    user { name email }
    tenant { name timeZone }
    role
  }
}
`;

refresh().catch(() => false).finally(() => {
  const fetcher = GraphiQL.createFetcher({ url: endpoint, fetch: http, wsClient: socket });
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  root.render(React.createElement(GraphiQL, { fetcher, defaultQuery: start, shouldPersistHeaders: false }));
});
