// The time slider: which moment is known at once, how it stood is asked for.
import { show, write } from "./shown.js";

const slider = document.getElementById("slider");
const time = document.getElementById("time");
const said = document.getElementById("mark");
const trouble = document.getElementById("trouble");
const links = { earlier: document.getElementById("earlier"), later: document.getElementById("later") };
const TEN = 10;

let marks = [];
let asked = null;

function lead(link, mark) {
  if (mark) link.href = `?seq=${mark[0]}`;
  else link.removeAttribute("href");
}

async function stood(seq) {
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(`${slider.dataset.run}/moment?seq=${seq}`, { signal: asked.signal });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    show(await answer.json());
    history.replaceState(null, "", `?seq=${seq}`);
    document.body.dataset.seq = seq;
    write(trouble, "");
  } catch (error) {
    if (error.name !== "AbortError") write(trouble, `This moment cannot be shown: ${error.message}`);
  }
}

function moved() {
  const index = time.valueAsNumber;
  const [seq, sentence] = marks[index];
  time.setAttribute("aria-valuetext", sentence);
  write(said, sentence);
  document.title = `${sentence} - rekindle`;
  lead(links.earlier, marks[index - 1]);
  lead(links.later, marks[index + 1]);
  stood(seq);
}

// A browser's own Page Up is a tenth of the whole, which may be hundreds of moments.
function paged(event) {
  const step = { PageUp: TEN, PageDown: -TEN }[event.key];
  if (!step) return;
  event.preventDefault();
  time.value = String(time.valueAsNumber + step);
  moved();
}

try {
  const answer = await fetch(`${slider.dataset.run}/marks`);
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  marks = await answer.json();
  time.max = String(marks.length - 1); // an open run may have grown since the page was made
  time.addEventListener("input", moved);
  time.addEventListener("keydown", paged);
  slider.hidden = false;
} catch (error) {
  write(trouble, `The slider cannot be shown: ${error.message}. The links below work without it.`);
}
