// Shows a moment on a page that was made by moment.html.j2. Text only: nothing from a journal is ever parsed as HTML.

export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// What is the same is not touched: screen readers read aloud what changes.
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function showStates(list, states) {
  list.replaceChildren(
    ...states.map((state) => {
      const item = element("li", "", state.mark);
      if (state.mark === "here") item.setAttribute("aria-current", "step");
      item.append(element("span", state.name), " ", element("small", state.mark));
      return item;
    }),
  );
}

function showSaid(row, lines) {
  row.hidden = lines.length === 0;
  const shown = [...row.querySelectorAll("dd")];
  if (shown.length === lines.length) {
    shown.forEach((line, index) => write(line, lines[index]));
    return;
  }
  shown.forEach((line) => line.remove());
  row.append(...lines.map((line) => element("dd", line)));
}

function countRow(count) {
  const row = document.createElement("tr");
  const name = element("th", count.name);
  name.scope = "row";
  const bar = document.createElement("progress");
  bar.max = count.all;
  bar.value = count.good;
  bar.setAttribute("aria-hidden", "true");
  const share = document.createElement("td");
  share.append(bar);
  row.append(name, element("td", count.good, "number"), element("td", count.all, "number"), share);
  return row;
}

export function show(moment) {
  write(document.querySelector("[data-state]"), moment.state);
  showStates(document.querySelector("[data-states]"), moment.states);
  for (const row of document.querySelectorAll("[data-said]")) {
    showSaid(row, moment.said[row.dataset.said] ?? []);
  }
  document.querySelector("[data-counts]").replaceChildren(...moment.counts.map(countRow));
}
