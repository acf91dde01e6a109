// Loads the console. The two addresses stand in index.html once, so that they can carry hashes.
const part = (name) => document.querySelector(`[data-part=${name}]`).href;

import(part("script"))
  .then((script) => script.default({ module_or_path: part("module") }))
  .catch((error) => {
    console.error(error);
    document.getElementById("crashed").hidden = false;
  });
