// Tables and code that scroll sideways can be reached and scrolled by keyboard. The theme makes the
// elements when the page is open, so they are looked for again whenever the page changes.
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
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) {
        target.tabIndex = 0;
        target.setAttribute("role", "region");
        target.setAttribute("aria-label", nameOf(target));
      } else ["tabindex", "role", "aria-label"].forEach((name) => target.removeAttribute(name));
    }
  });
  const look = () => {
    for (const element of document.querySelectorAll(SCROLLING)) {
      if (found.includes(element)) continue;
      found.push(element);
      sizes.observe(element);
    }
    // One button to copy is no landmark.
    for (const nav of document.querySelectorAll(".md-code__nav:not([role])")) nav.setAttribute("role", "none");
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
})();
