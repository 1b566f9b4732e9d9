// Brings what a page still waits for: asks for the page again, and takes over the parts that are marked. Without it there is a link.
const waits = [500, 1000, 1000, 2000, 2000, 3000, 5000, 5000, 10000, 10000, 20000, 30000];
const parts = () => [...document.querySelectorAll('[data-live]')];
for (const wait of waits) {
  if (parts().length === 0) break;
  await new Promise((resolve) => setTimeout(resolve, wait));
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (!answer.ok) break;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of parts()) {
      const fresh = page.getElementById(part.id);
      // Another page, such as that of a person who signed in meanwhile: this one stays as it is.
      if (fresh === null) continue;
      if (!fresh.hasAttribute('data-live')) part.removeAttribute('data-live');
      if (fresh.textContent !== part.textContent) part.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // Off the net for a moment: the next turn asks again.
  }
}
