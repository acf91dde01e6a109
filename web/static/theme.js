// Runs before anything is drawn, so that the page never flashes in the wrong theme or language.
try {
  const root = document.documentElement;
  const theme = localStorage.getItem("kabar-theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.lang = localStorage.getItem("kabar-language") ?? (navigator.language.startsWith("id") ? "id" : "en");
} catch {
  // A browser that refuses storage gets the defaults.
}
