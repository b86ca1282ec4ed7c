(function () {
  var place = document.getElementById("filters-here"), rows = Array.from(document.querySelectorAll("#lists tr[data-owner]"));
  if (!place || !rows.length) return;
  var chosen = { owner: "", team: "", cohort: "", severity: "" }, open = new Set(), selects = {};
  var box = document.createElement("div"), said = document.createElement("p");
  box.id = "filters"; box.setAttribute("role", "group"); box.setAttribute("aria-label", "Filter the lists of children");
  said.className = "quiet"; said.setAttribute("role", "status");
  function has(row, name) { return !chosen[name] || row.dataset[name].split("|").indexOf(chosen[name]) >= 0; }
  function show() {
    var shown = 0, names = Object.keys(chosen), values = names.map(function (name) { return chosen[name]; }).filter(Boolean), isFiltered = values.length > 0;
    document.querySelectorAll("table[data-list]").forEach(function (table) {
      var fitting = 0, button = table.parentNode.parentNode.querySelector("button.all"), none = table.querySelector("tr.none-fit");
      // A list of settings has no owner, team or cohort: the filter passes it by.
      var isAsked = isFiltered && none !== null;
      table.querySelectorAll("tbody tr:not(.none-fit)").forEach(function (row) {
        var fits = !none || names.every(function (name) { return has(row, name); });
        fitting += none && fits ? 1 : 0;
        row.hidden = !fits || (!isAsked && !open.has(table) && row.classList.contains("more"));
      });
      shown += fitting;
      if (none) {
        none.hidden = fitting > 0;
        table.querySelector(".fitting").textContent = isAsked ? " " + fitting + " fit the filter: " + values.join(", ") + "." : "";
      }
      if (button) {
        button.hidden = isAsked;
        button.textContent = open.has(table) ? "Show the first " + button.dataset.top : "Show all " + button.dataset.all;
        button.setAttribute("aria-expanded", String(open.has(table)));
      }
    });
    said.textContent = isFiltered ? "The lists show " + shown + " of the " + rows.length + " lines, in full." : "";
  }
  function add(name, label, order) {
    var seen = {}, wrap = document.createElement("label"), select = document.createElement("select");
    rows.forEach(function (row) { row.dataset[name].split("|").forEach(function (value) { seen[value] = true; }); });
    wrap.textContent = label; select.add(new Option("All", ""));
    (order || Object.keys(seen).sort()).forEach(function (value) { if (value && seen[value]) select.add(new Option(value, value)); });
    select.addEventListener("change", function () { chosen[name] = select.value; show(); });
    wrap.appendChild(select); box.appendChild(wrap); selects[name] = select;
  }
  function choose(name, value) {
    Object.keys(chosen).forEach(function (other) { chosen[other] = selects[other].value = other === name ? value : ""; });
    show();
  }
  add("owner", "Owner"); add("team", "Social care team"); add("cohort", "Visit cohort"); add("severity", "Severity", ["Critical", "High", "Medium", "Info"]);
  var clear = document.createElement("button");
  clear.type = "button"; clear.textContent = "Show all";
  clear.addEventListener("click", function () { choose(); selects.owner.focus(); });
  document.querySelectorAll("a[data-filter]").forEach(function (link) {
    var at = link.dataset.filter.indexOf("="), name = link.dataset.filter.slice(0, at), value = link.dataset.filter.slice(at + 1);
    link.addEventListener("click", function () { choose(name, value); });
  });
  document.querySelectorAll("button.all").forEach(function (button) {
    var table = button.parentNode.querySelector("table");
    button.addEventListener("click", function () { if (!open.delete(table)) open.add(table); show(); });
  });
  box.appendChild(clear); box.appendChild(said); place.appendChild(box); show();
  // The lists have just become shorter: what the address names stands elsewhere than the browser thinks.
  addEventListener("load", function () {
    var named = location.hash && document.getElementById(location.hash.slice(1));
    if (named) named.scrollIntoView({ behavior: "instant" });
  });
})();
