// Tables and code that scroll sideways can be reached and scrolled by keyboard. The theme makes the
// elements when the page is open, so they are looked for again whenever the page changes; it also
// takes `tabindex` from code that it wrongly finds short.
"use strict";
(() => {
  const SCROLLING = ".md-typeset__scrollwrap, .md-typeset pre > code";
  const headingOf = (element) => {
    for (let place = element; place; place = place.previousElementSibling ?? place.parentElement) {
      if (/^H[1-6]$/.test(place.tagName)) return place.textContent.replace("¶", "").trim();
    }
    return document.title;
  };
  const found = []; // in the order of the page: their numbers keep names under one heading apart
  const nameOf = (element) =>
    `${headingOf(element)}, ${element.tagName === "CODE" ? "code" : "table"} ${found.indexOf(element) + 1}`;
  const mark = (element) => {
    const scrolls = element.scrollWidth > element.clientWidth;
    const wanted = { tabindex: "0", role: "region", "aria-label": nameOf(element) };
    for (const [name, value] of Object.entries(wanted)) {
      if (!scrolls) element.removeAttribute(name);
      else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
  };
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
  const look = () => {
    for (const element of document.querySelectorAll(SCROLLING)) {
      if (found.includes(element)) continue;
      found.push(element);
      sizes.observe(element);
    }
    // One button to copy is no landmark.
    for (const nav of document.querySelectorAll(".md-code__nav:not([role])")) nav.setAttribute("role", "none");
  };
  const changes = new MutationObserver((records) => {
    look();
    for (const { type, target } of records) if (type === "attributes" && found.includes(target)) mark(target);
  });
  changes.observe(document.body, { childList: true, subtree: true, attributeFilter: ["tabindex"] });
  look();
})();
