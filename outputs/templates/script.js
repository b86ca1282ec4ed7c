(function () {
  var place = document.getElementById("filters-here"), rows = document.querySelectorAll("#lists tr[data-owner]");
  if (!place || !rows.length) return;
  var chosen = { owner: "", severity: "" }, box = document.createElement("div"), said = document.createElement("p");
  box.id = "filters"; box.setAttribute("role", "group"); box.setAttribute("aria-label", "Filter the lists of children");
  said.className = "quiet"; said.setAttribute("role", "status");
  function values(name) {
    var seen = {};
    rows.forEach(function (row) { seen[row.dataset[name]] = row.dataset[name + "Title"] || row.dataset[name]; });
    return seen;
  }
  function show() {
    var shown = 0;
    rows.forEach(function (row) {
      var fits = (!chosen.owner || row.dataset.owner === chosen.owner) && (!chosen.severity || row.dataset.severity === chosen.severity);
      row.hidden = !fits; shown += fits ? 1 : 0;
    });
    document.querySelectorAll("table[data-list]").forEach(function (table) {
      var none = table.querySelector("tr.none-fit");
      var any = Array.prototype.some.call(table.querySelectorAll("tr[data-owner]"), function (row) { return !row.hidden; });
      if (none) none.hidden = any;
    });
    said.textContent = chosen.owner || chosen.severity ? "The lists show " + shown + " of the " + rows.length + " lines." : "";
  }
  function add(name, label, order) {
    var seen = values(name), wrap = document.createElement("label"), select = document.createElement("select");
    wrap.textContent = label; select.add(new Option("All", ""));
    (order || Object.keys(seen).sort()).forEach(function (value) { if (seen[value]) select.add(new Option(seen[value], value)); });
    select.addEventListener("change", function () { chosen[name] = select.value; show(); });
    wrap.appendChild(select); box.appendChild(wrap);
    return select;
  }
  var owner = add("owner", "Owner"), severity = add("severity", "Severity", ["critical", "high", "medium", "info"]);
  var clear = document.createElement("button");
  clear.type = "button"; clear.textContent = "Show all";
  clear.addEventListener("click", function () { owner.value = severity.value = chosen.owner = chosen.severity = ""; show(); owner.focus(); });
  box.appendChild(clear); box.appendChild(said); place.appendChild(box);
})();
