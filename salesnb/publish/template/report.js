(function (d) {
  "use strict";
  var root = d.documentElement, all = function (s, e) { return [].slice.call((e || d).querySelectorAll(s)) };
  root.classList.add("js");

  var button = d.getElementById("page-theme"), night = matchMedia("(prefers-color-scheme:dark)");
  function isDark() { return root.dataset.theme === "dark" || (root.dataset.theme === "auto" && night.matches) }
  function label() {
    var words = button.dataset;
    button.textContent = isDark() ? words.light : words.dark;
    button.setAttribute("aria-label", isDark() ? words.useLight : words.useDark);
  }
  if (button) {
    button.onclick = function () { root.dataset.theme = isDark() ? "light" : "dark"; label() };
    night.addEventListener("change", label);
    label();
  }

  function key(row, i) {
    var cell = row.cells[i];
    return "v" in cell.dataset ? +cell.dataset.v : cell.textContent.trim();
  }
  function compare(a, b) {
    var m = typeof a === "number", n = typeof b === "number";
    return m && n ? a - b : m !== n ? 0 : a.localeCompare(b, undefined, { numeric: true });
  }
  all("table.sort").forEach(function (table) {
    var heads = [].slice.call(table.tHead.rows[0].cells), body = table.tBodies[table.tBodies.length - 1];
    heads.forEach(function (th, i) {
      var b = d.createElement("button");
      b.type = "button";
      while (th.firstChild) b.appendChild(th.firstChild);
      th.appendChild(b);
      b.onclick = function () {
        var old = th.getAttribute("aria-sort"), rows = [].slice.call(body.rows);
        var up = old ? old === "descending" : !rows[0] || typeof key(rows[0], i) === "string";
        heads.forEach(function (h) { h.removeAttribute("aria-sort") });
        th.setAttribute("aria-sort", up ? "ascending" : "descending");
        rows.sort(function (r, s) {
          var a = key(r, i), z = key(s, i), gap = (typeof a === "string") - (typeof z === "string");
          return gap || compare(a, z) * (up ? 1 : -1);
        }).forEach(function (r) { body.appendChild(r) });
      };
    });
  });

  var links = {};
  all(".toc a").forEach(function (a) { links[a.hash.slice(1)] = a });
  var seen = new IntersectionObserver(function (entries) {
    entries.forEach(function (e) {
      if (!e.isIntersecting) return;
      all(".toc a[aria-current]").forEach(function (a) { a.removeAttribute("aria-current") });
      links[e.target.id].setAttribute("aria-current", "true");
    });
  }, { rootMargin: "0px 0px -70% 0px" });
  Object.keys(links).forEach(function (id) { if (d.getElementById(id)) seen.observe(d.getElementById(id)) });
  if (matchMedia("(min-width:901px)").matches) all(".toc details").forEach(function (t) { t.open = true });

  var rows = all(".reports li"), fields = all(".filters input,.filters select"), count = d.getElementById("page-count");
  function plain(s) { return s.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/ß/g, "ss") }
  function filter() {
    var words = plain(fields[0].value).split(/\s+/), n = 0;
    rows.forEach(function (r) {
      var fits = words.every(function (w) { return plain(r.textContent + r.dataset.quarter).indexOf(w) >= 0 }) &&
        fields.slice(1).every(function (f) { return !f.value || r.dataset[f.name] === f.value });
      r.hidden = !fits;
      n += fits;
    });
    all("section.quarter").forEach(function (s) { s.hidden = !s.querySelector("li:not([hidden])") });
    count.textContent = count.dataset.words.replace("{n}", n).replace("{all}", rows.length);
  }
  if (fields.length) {
    fields.forEach(function (f) { f.addEventListener("input", filter) });
    filter();
  }
})(document);
