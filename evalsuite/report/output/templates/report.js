// Sorts and filters tables, shows what a point is, and highlights one language everywhere.
// The page is complete without it: every control below is made here.
"use strict";
(() => {
  const SORTABLE = 3, LONG = 10; // rows from which a table has these controls
  const SUMMARY = ["mean", "aside", "total"]; // rows that stay at the end
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const inButton = (cell, attributes) => {
    const button = make("button", { type: "button", ...attributes }, ...cell.childNodes);
    cell.append(button);
    return button;
  };
  document.documentElement.classList.add("js");

  // Tables. Of a cell its own text counts, without the difference and the small second line.
  const ownText = (cell) =>
    cell.tagName === "TH"
      ? cell.textContent.trim()
      : [...cell.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data).join("").trim();
  const asNumber = (text) => {
    const time = /^(?:(\d+) h )?(?:(\d+) min ?)?(?:([\d.]+) s)?$/.exec(text);
    if (time && text) return 3600 * (time[1] || 0) + 60 * (time[2] || 0) + Number(time[3] || 0);
    return /^[+±−-]?[\d.,]+/.test(text) ? parseFloat(text.replace(/[,+±]/g, "").replace("−", "-")) : NaN;
  };
  const compare = (a, b, down) => {
    if (!a.text || a.text === "–" || !b.text || b.text === "–")
      return (!a.text || a.text === "–") - (!b.text || b.text === "–"); // missing ones last
    const numbers = !Number.isNaN(a.number) && !Number.isNaN(b.number);
    const order = numbers ? a.number - b.number : a.text.localeCompare(b.text, "en", { numeric: true });
    return down ? -order : order;
  };
  const makeSortable = (table, rows) => {
    const body = table.tBodies[0], heads = all("thead th", table), original = [...body.rows];
    heads.forEach((head, column) => {
      inButton(head, { class: "sort" }).addEventListener("click", () => {
        const first = head.classList.contains("n") ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        const now = head.getAttribute("aria-sort");
        const next = now === null ? first : now === first ? second : null;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        table.classList.toggle("sorted", next !== null);
        if (next === null) return body.append(...original);
        head.setAttribute("aria-sort", next);
        const keys = new Map(rows.map((row) => {
          const text = ownText(row.cells[column]);
          return [row, { text, number: asNumber(text) }];
        }));
        const sorted = [...rows].sort((a, b) => compare(keys.get(a), keys.get(b), next === "descending"));
        body.append(...sorted, ...original.filter((row) => !keys.has(row)));
      });
    });
  };
  const makeFilter = (region, rows) => {
    const input = make("input", { type: "search", "aria-label": `Filter rows: ${region.getAttribute("aria-label")}`, placeholder: "Filter rows" });
    const count = make("output");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
    region.before(make("div", { class: "filter" }, input, count));
  };
  for (const region of all(".scroll")) {
    const table = region.querySelector("table");
    const rows = [...table.tBodies[0].rows].filter((row) => !SUMMARY.includes(row.className));
    if (rows.length >= LONG) makeFilter(region, rows);
    if (rows.length >= SORTABLE) makeSortable(table, rows);
  }

  // One language, highlighted in all tables and charts.
  const names = new Map();
  let picked = "";
  const status = make("div", { role: "status", class: "picked-language" });
  const pick = (code) => {
    picked = code === picked ? "" : code;
    for (const element of all("[data-language]")) {
      const on = picked !== "" && element.dataset.language === picked;
      element.classList.toggle("picked", on);
      for (const button of all("[aria-pressed]", element)) button.setAttribute("aria-pressed", String(on));
    }
    if (select) select.value = picked;
    status.replaceChildren();
    if (!picked) return;
    const clear = make("button", { type: "button" }, "Clear");
    clear.addEventListener("click", () => pick(picked));
    status.append(`${names.get(picked) || picked} is highlighted `, clear);
  };
  for (const row of all("tr[data-language]")) {
    const head = row.cells[0], code = row.dataset.language;
    names.set(code, head.firstChild.textContent.trim());
    inButton(head, { class: "pick", "aria-pressed": "false" }).addEventListener("click", () => pick(code));
  }
  const select = names.size ? make("select", {}, make("option", { value: "" }, "–")) : null;
  if (select) {
    const sorted = [...names].sort((a, b) => a[1].localeCompare(b[1], "en"));
    select.append(...sorted.map(([code, name]) => make("option", { value: code }, name)));
    select.addEventListener("change", () => pick(select.value || picked));
    document.querySelector("header").append(make("p", { class: "picker" }, make("label", {}, "Highlight a language ", select)));
    document.body.append(status);
  }

  // Points. A chart is one stop of the Tab key; arrow keys go from point to point.
  const tip = make("div", { id: "tip", "aria-hidden": "true", hidden: "" });
  document.body.append(tip);
  const show = (mark) => {
    tip.replaceChildren(...mark.dataset.tip.split("\n").map((line) => make("div", {}, line)));
    tip.hidden = false;
    const at = mark.getBoundingClientRect(), { width, height } = tip.getBoundingClientRect();
    const x = Math.min(Math.max(8, at.x + at.width / 2 - width / 2), innerWidth - width - 8);
    const above = at.y - height - 8;
    tip.style.left = `${x}px`;
    tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
  };
  const hide = () => { tip.hidden = true; };
  const rowOf = (mark) => mark.closest("g[data-language]");
  const neighbour = (mark, marks, key) => {
    const place = marks.indexOf(mark), row = rowOf(mark), down = key === "ArrowDown";
    if (key === "Home") return marks[0];
    if (key === "End") return marks.at(-1);
    if (row && (down || key === "ArrowUp")) {
      const same = all(".mark", row).indexOf(mark);
      const others = marks.filter((other) => rowOf(other) !== row);
      const next = down ? others.find((other) => marks.indexOf(other) > place) : others.findLast((other) => marks.indexOf(other) < place);
      return next && (all(".mark", rowOf(next))[same] || next);
    }
    return marks[place + (down || key === "ArrowRight" ? 1 : -1)];
  };
  for (const chart of all("figure svg")) {
    const marks = all(".mark", chart);
    if (!marks.length) continue;
    chart.setAttribute("role", "group");
    marks.forEach((mark, i) => {
      const title = mark.querySelector("title");
      mark.dataset.tip = title.textContent;
      title.remove();
      mark.setAttribute("tabindex", i ? "-1" : "0");
      mark.setAttribute("role", rowOf(mark) ? "button" : "img");
      if (rowOf(mark)) mark.setAttribute("aria-pressed", "false");
      mark.setAttribute("aria-label", mark.dataset.tip.replace(/\n/g, ", "));
    });
    chart.addEventListener("pointerover", (event) => {
      const mark = event.target.closest(".mark");
      if (mark) show(mark); else hide();
    });
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("focusin", (event) => {
      marks.forEach((mark) => mark.setAttribute("tabindex", mark === event.target ? "0" : "-1"));
      show(event.target);
    });
    chart.addEventListener("focusout", hide);
    chart.addEventListener("click", (event) => {
      const row = event.target.closest("g[data-language]");
      if (row) pick(row.dataset.language);
    });
    chart.addEventListener("keydown", (event) => {
      const row = rowOf(event.target);
      if (row && (event.key === "Enter" || event.key === " ")) pick(row.dataset.language);
      else if (/^(Arrow|Home$|End$)/.test(event.key)) neighbour(event.target, marks, event.key)?.focus();
      else return;
      event.preventDefault();
    });
  }
  addEventListener("scroll", () => {
    const mark = document.activeElement.closest("svg .mark");
    if (mark && !tip.hidden) show(mark); else hide();
  }, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (!tip.hidden) hide(); else if (picked) pick(picked);
  });
})();
