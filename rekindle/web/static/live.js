// Keeps the page of a run up to date, and says whether it still can.
import { element, show, write } from "./shown.js";

const LINES = 100;
const AGAIN_SECONDS = 1;
// The server says something every five seconds, whatever happens.
const SILENCE_SECONDS = 12;

const connection = document.getElementById("connection");
const log = document.getElementById("log");
let seq = Number(connection.dataset.seq);
let source = null;
let heard = performance.now();
let over = false;

function say(text) {
  connection.dataset.is = text.split(/[:;,]/)[0];
  write(connection, text);
}

function append(lines) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  for (const line of lines) {
    const item = document.createElement("li");
    item.append(
      element("span", line.seq, "seq"), " ", element("time", line.at), " ",
      element("span", line.kind, "kind"), " ", element("span", line.text),
    );
    log.append(item);
  }
  while (log.children.length > LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function news(message) {
  const { moment, lines } = JSON.parse(message.data);
  show(moment);
  append(lines.filter((line) => line.seq > seq));
  seq = moment.seq;
  document.title = `${moment.state} - ${moment.cluster} - rekindle`;
}

// An EventSource does not tell why it failed: 401 is a server with another token, and that no waiting mends.
async function why() {
  try {
    const answer = await fetch(connection.dataset.events, { method: "HEAD" });
    if (answer.status === 401) say("the server has another token now: open the address that it printed");
  } catch {
    // Nobody answers: that is being said already.
  }
}

function lost() {
  say("connection lost, trying again");
  why();
}

function listen() {
  source?.close();
  heard = performance.now();
  source = new EventSource(`${connection.dataset.events}?after=${seq}`);
  const hear = (kind, take) =>
    source.addEventListener(kind, (message) => {
      heard = performance.now();
      take(message);
    });
  hear("open", () => say("connected"));
  hear("news", news);
  hear("alive", () => say("connected"));
  hear("trouble", (message) => say(`the journal cannot be read: ${JSON.parse(message.data).text}`));
  hear("end", () => {
    over = true;
    source.close();
    say("this run is closed; nothing more will come");
  });
  source.addEventListener("error", lost);
}

// A browser gives up after some answers, and never hears that a cable was pulled: both are seen here.
setInterval(() => {
  if (over) return;
  const silent = performance.now() - heard > SILENCE_SECONDS * 1000;
  if (silent) lost();
  if (silent || source.readyState === EventSource.CLOSED) listen();
}, AGAIN_SECONDS * 1000);

log.scrollTop = log.scrollHeight;
say("connecting");
listen();
