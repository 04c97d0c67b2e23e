// Names for what the theme draws without one, and room for wide tables to scroll: what a screen reader and a phone need.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("button.search-button-field, button.search-button__button").forEach((button) =>
    button.setAttribute("aria-label", "Search (Ctrl + K)"));
  document.querySelectorAll("table.docutils, .cell_output table").forEach((table) => {
    if (table.closest(".scroll, .pst-scrollable-table-container")) return;
    const box = document.createElement("div");
    box.className = "scroll";
    box.tabIndex = 0;
    table.replaceWith(box);
    box.append(table);
  });
});
