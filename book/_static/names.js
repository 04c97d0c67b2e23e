// What a screen reader and a phone need beyond the theme: true names for buttons, and room for wide tables to scroll.
document.addEventListener("DOMContentLoaded", () => {
  // What the theme calls these differs from what stands on them; the words on them are name enough.
  document.querySelectorAll("button.search-button-field, details.hide > summary").forEach((named) =>
    named.removeAttribute("aria-label"));
  document.querySelectorAll(".citation-list > div").forEach((entry) => entry.setAttribute("role", "listitem"));
  document.querySelectorAll("table.docutils, .cell_output table").forEach((table) => {
    if (table.closest(".scroll, .pst-scrollable-table-container")) return;
    const box = document.createElement("div");
    box.className = "scroll";
    box.tabIndex = 0;
    table.replaceWith(box);
    box.append(table);
  });
});
