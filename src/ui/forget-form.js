// The page answers a form. Without this the browser keeps what was sent beside the page, and sends it again for whoever
// goes back to it: on a shared computer the next person could read a password there.
history.replaceState(null, '', document.currentScript.dataset.path);
