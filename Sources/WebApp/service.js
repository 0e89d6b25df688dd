// The server, and what its failures are in words.

export class Failure extends Error {}

const LOST = "The server cannot be reached. Is it still running?";
let key = sessionStorage.getItem("key") ?? "";

export const service = {
  /// Called with true or false as the server answers or not.
  onPresence: () => {},
  /// Called when the server asks for a key.
  onKeyNeeded: () => {},

  setKey(value) {
    key = value;
    sessionStorage.setItem("key", value);
  },

  async request(path, options = {}) {
    const headers = { ...(options.body ? { "Content-Type": "application/json" } : {}), ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.onPresence(false);
      throw new Failure(LOST);
    }
    this.onPresence(true);
    if (response.ok) return response;
    const problem = await response.json().then((body) => body.error, () => null);
    if (response.status === 401) this.onKeyNeeded();
    throw new Failure(inWords(response.status, problem));
  },

  async json(path, body, signal) {
    const response = await this.request(path, { method: "POST", body: JSON.stringify(body), signal });
    return response.json();
  },

  /// The chunks of a streamed answer.
  async *stream(body, signal) {
    const response = await this.request("/v1/chat/completions", {
      method: "POST", body: JSON.stringify({ ...body, stream: true }), signal,
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "", isComplete = false;
    while (true) {
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new Failure(LOST);
      }
      if (part.done) break;
      held += part.value;
      const events = held.split("\n\n");
      held = events.pop();
      for (const event of events) {
        const data = event.replace(/^data: /, "");
        if (data === "[DONE]") {
          isComplete = true;
          continue;
        }
        const chunk = JSON.parse(data);
        if (chunk.error) throw new Failure(inWords(500, chunk.error));
        yield chunk;
      }
    }
    if (!isComplete) throw new Failure("The answer broke off: the server went away.");
  },
};

function inWords(status, problem) {
  switch (problem?.code) {
    case "queue_full": return "The server is busy. Try again in a moment.";
    case "model_loading": return "The model is still being loaded. Try again in a moment.";
    case "invalid_api_key": return "The server needs a valid API key.";
    case "image_too_large": case "body_too_large": return "The picture is too large for this server.";
    default:
  }
  const text = problem?.message ?? `The server answered with status ${status}.`;
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
