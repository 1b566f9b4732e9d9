// On a shared computer, pages in other tabs load themselves again when somebody is done in one: what they showed is gone.
const tabs = new BroadcastChannel('pa-shared-tabs');
if (document.currentScript.dataset.done === undefined) tabs.addEventListener('message', () => location.reload());
else tabs.postMessage('done');
